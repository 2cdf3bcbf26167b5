# What a shared libbulkhead shows: what the public headers mark with BULKHEAD_API, and nothing else.
set_target_properties(bulkhead PROPERTIES
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}  # before 1.0 each minor may break
  CXX_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON
  POSITION_INDEPENDENT_CODE ON  # shared libraries link the static one, too
  DEFINE_SYMBOL "")             # the same objects, shared or static

# Instances of other libraries' templates, which those declare visible, stay inside.
set(exports ${CMAKE_CURRENT_LIST_DIR}/exports.map)
target_link_options(bulkhead PRIVATE LINKER:--version-script=${exports})
set_property(TARGET bulkhead APPEND PROPERTY LINK_DEPENDS ${exports})

# Tests and benchmarks look inside; to them the library is always static.
if(BUILD_SHARED_LIBS)
  add_library(bulkhead_internals STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:bulkhead>)
  set_target_properties(bulkhead_internals PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(bulkhead_internals PUBLIC include)
  target_compile_features(bulkhead_internals PUBLIC cxx_std_20)
  target_link_libraries(bulkhead_internals PUBLIC cereal::cereal spdlog::spdlog Boost::headers
                        Threads::Threads)
else()
  add_library(bulkhead_internals ALIAS bulkhead)
endif()
