# What `cmake --install` puts where, for find_package and pkg-config to find. The tree may be moved.
# Components: library (the shared one), worker (the program), development (all else).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS bulkhead EXPORT bulkhead
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/bulkhead DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)

if(BULKHEAD_WORKER)
  install(TARGETS bulkhead-worker DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT worker)
endif()

# --- find_package(bulkhead) ---

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/bulkhead)
set(generated ${PROJECT_BINARY_DIR}/cmake)
install(EXPORT bulkhead NAMESPACE bulkhead:: FILE bulkhead-targets.cmake
        DESTINATION ${config_folder} COMPONENT development)
configure_package_config_file(cmake/bulkhead-config.cmake.in ${generated}/bulkhead-config.cmake
  INSTALL_DESTINATION ${config_folder} PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${generated}/bulkhead-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${generated}/bulkhead-config.cmake ${generated}/bulkhead-config-version.cmake
        DESTINATION ${config_folder} COMPONENT development)

# --- pkg-config ---

set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
           OUTPUT_VARIABLE pc_to_prefix)
foreach(folder BINDIR INCLUDEDIR LIBDIR)
  set(pc_${folder} "\${prefix}")
  cmake_path(APPEND pc_${folder} ${CMAKE_INSTALL_${folder}})  # an absolute one replaces it
endforeach()
# Who links a static library links what that one needs.
set(pc_private "")
if(BUILD_SHARED_LIBS)
  set(pc_private .private)
endif()
set(pc_libdw "")
if(libdw AND NOT BUILD_SHARED_LIBS)
  set(pc_libdw " -ldw")
endif()
configure_file(cmake/bulkhead.pc.in ${generated}/bulkhead.pc @ONLY)
install(FILES ${generated}/bulkhead.pc DESTINATION ${pc_folder} COMPONENT development)
