# What the library knows of the places where bulkhead-worker may be; "" is none.
set(built "")
set(installed "")
if(BULKHEAD_WORKER)
  # A build of nothing but what is installed does not name its own folder, which others might fill.
  if(BULKHEAD_TESTS OR BULKHEAD_EXAMPLES OR BULKHEAD_BENCH OR NOT BULKHEAD_INSTALL)
    set(built $<TARGET_FILE:bulkhead-worker>)
  endif()
  if(BULKHEAD_INSTALL)
    set(installed ${CMAKE_INSTALL_FULL_BINDIR}/bulkhead-worker)
  endif()
endif()
set_source_files_properties(src/worker/stock_worker.cpp PROPERTIES COMPILE_DEFINITIONS
  "BULKHEAD_BUILT_WORKER=\"${built}\";BULKHEAD_INSTALLED_WORKER=\"${installed}\"")
