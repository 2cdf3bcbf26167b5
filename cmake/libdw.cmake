# With elfutils' libdw, the stacks in crash reports have functions and lines; without it, addresses.
set(libdw "")  # what a static library makes its users link
if(BULKHEAD_LIBDW)
  find_path(BULKHEAD_LIBDW_INCLUDE elfutils/libdwfl.h)
  find_library(BULKHEAD_LIBDW_LIBRARY dw)
  mark_as_advanced(BULKHEAD_LIBDW_INCLUDE BULKHEAD_LIBDW_LIBRARY)
  if(BULKHEAD_LIBDW_INCLUDE AND BULKHEAD_LIBDW_LIBRARY)
    set(libdw dw)
    set_source_files_properties(src/platform/symbols.cpp PROPERTIES
      COMPILE_DEFINITIONS BULKHEAD_LIBDW)
    target_include_directories(bulkhead SYSTEM PRIVATE ${BULKHEAD_LIBDW_INCLUDE})
    target_link_libraries(bulkhead PRIVATE dw)
    if(BUILD_SHARED_LIBS)
      target_link_libraries(bulkhead_internals PUBLIC dw)
    endif()
  else()
    message(STATUS "libdw was not found: stacks in crash reports will have addresses only")
  endif()
endif()
