# SPDX-License-Identifier: BSD-2-Clause
# Test programs: one executable a subject, one ctest entry each.

set(NEARSIDE_TEST_RESULTS "${PROJECT_BINARY_DIR}/test-results")
file(MAKE_DIRECTORY "${NEARSIDE_TEST_RESULTS}")

# nearside_test(unit_dns SOURCES name_test.cpp LINKS nearside::dns [LABELS unit])
#
# A Catch2 program. tests/main.cpp is its main: it writes the number of test cases that passed, failed and were skipped
# to test-results/NAME.count, which `./dev test` sums. A case that cannot run here says WARN("SKIPPED: why") and returns.
# LABELS default to the part of the name before the first underscore.
function(nearside_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT" "SOURCES;LINKS;LABELS")
  if(test_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nearside_test(${name}): unknown arguments: ${test_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT test_LABELS)
    string(REGEX REPLACE "_.*" "" test_LABELS "${name}")
  endif()
  if(NOT test_TIMEOUT)
    set(test_TIMEOUT 300)
  endif()
  nearside_ready(ready ${name} SOURCES ${test_SOURCES} LINKS ${test_LINKS})
  if(NOT ready)
    return()
  endif()
  add_executable(${name} ${test_SOURCES})
  target_link_libraries(${name} PRIVATE nearside::options nearside::test_main ${test_LINKS})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES
    LABELS "${test_LABELS}"
    TIMEOUT ${test_TIMEOUT}
    ENVIRONMENT "NEARSIDE_TEST_COUNT=${NEARSIDE_TEST_RESULTS}/${name}.count")
endfunction()
