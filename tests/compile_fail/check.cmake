# Compiles SOURCE with COMPILER and INCLUDES, and compares with what its first line expects.
file(STRINGS ${SOURCE} first_line LIMIT_COUNT 1)
list(TRANSFORM INCLUDES PREPEND -I)
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only ${INCLUDES} ${SOURCE}
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(first_line STREQUAL "// expect success")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "It should compile:\n${output}")
  endif()
  return()
endif()

string(REPLACE "// expect: " "" sentence "${first_line}")
string(FIND "${output}" "${sentence}" found)
if(result EQUAL 0)
  message(FATAL_ERROR "It compiled, and should not.")
elseif(found EQUAL -1)
  message(FATAL_ERROR "It failed without saying \"${sentence}\":\n${output}")
endif()
