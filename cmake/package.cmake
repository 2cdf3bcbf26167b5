# `cpack -G DEB`: Debian packages, one for each component that cmake/install.cmake names.
#
#   libbulkhead-dev   headers, what build systems read, and the static library if it is static
#   libbulkhead0.1    the shared library, if it is shared
#   bulkhead-worker   the program
set(soname_version ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(package_of_development libbulkhead-dev)
set(package_of_library libbulkhead${soname_version})
set(package_of_worker bulkhead-worker)

set(CPACK_COMPONENTS_ALL development)
if(BUILD_SHARED_LIBS)
  list(APPEND CPACK_COMPONENTS_ALL library)
endif()
if(BULKHEAD_WORKER)
  list(APPEND CPACK_COMPONENTS_ALL worker)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "The Bulkhead authors")
set(CPACK_PACKAGE_CONTACT "The Bulkhead authors <maintainers@localhost>" CACHE STRING
    "Who maintains the Debian packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY =)

set(same_version "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(the_library "")
if(BUILD_SHARED_LIBS)
  set(the_library "${package_of_library} ${same_version}")
endif()
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_WORKER_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS libcereal-dev libspdlog-dev
    "libboost1.81-dev | libboost-dev (>= 1.81)" ${the_library})
if(libdw AND NOT BUILD_SHARED_LIBS)
  list(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS libdw-dev)
endif()
list(JOIN CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "bulkhead-worker ${same_version}")

set(about "Code that may crash, exit or abort runs in worker processes: what happens there is one
failed call in the application. This package holds")
set(what_development "the headers, and what is needed to build with the library.")
set(what_library "the shared library.")
set(what_worker "the program that loads modules and serves their functions.")

# --- what Debian expects of each package besides ---

string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # SOURCE_DATE_EPOCH, where it is set
set(documents ${PROJECT_BINARY_DIR}/debian)
file(WRITE ${documents}/changelog.Debian
"bulkhead (${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * What changed is in changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(COPY_FILE CHANGELOG.md ${documents}/changelog)
file(READ LICENSE license)
file(WRITE ${documents}/copyright "Bulkhead is under the MIT licence.\n\n${license}")
execute_process(COMMAND gzip -9nf changelog changelog.Debian
                WORKING_DIRECTORY ${documents} COMMAND_ERROR_IS_FATAL ANY)

foreach(component ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${component} COMPONENT)
  set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME ${package_of_${component}})
  set(CPACK_DEBIAN_${COMPONENT}_DESCRIPTION
      "${about}\n${what_${component}}")
  install(FILES ${documents}/copyright ${documents}/changelog.gz ${documents}/changelog.Debian.gz
          DESTINATION share/doc/${package_of_${component}}
          COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

include(CPack)
