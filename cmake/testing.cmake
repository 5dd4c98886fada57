# SPDX-License-Identifier: BSD-2-Clause
# Test programs: one executable a subject, one ctest entry each.

set(NEARSIDE_TEST_RESULTS "${PROJECT_BINARY_DIR}/test-results")
file(MAKE_DIRECTORY "${NEARSIDE_TEST_RESULTS}")

# What the second round of tests, under sanitizers, needs; and what ./dev fuzz runs.
add_custom_target(sanitized_tests)
add_custom_target(fuzz_targets)

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
  add_executable(${name} ${test_SOURCES})
  target_link_libraries(${name} PRIVATE nearside::options nearside::test_main ${test_LINKS})
  if(test_LABELS STREQUAL "unit")
    add_dependencies(sanitized_tests ${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES
    LABELS "${test_LABELS}"
    TIMEOUT ${test_TIMEOUT}
    ENVIRONMENT "NEARSIDE_TEST_COUNT=${NEARSIDE_TEST_RESULTS}/${name}.count")
endfunction()

# nearside_fuzz(query SOURCES fuzz_query.cpp LINKS nearside::dns)
#
# Makes fuzz_query from LLVMFuzzerTestOneInput. With NEARSIDE_FUZZ it is a fuzzer; without, its main is
# tests/fuzz/replay.cpp, and ctest replays every seed of tests/fuzz/seeds/query: a target without a seed fails.
function(nearside_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 fuzz "" "" "SOURCES;LINKS")
  if(fuzz_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nearside_fuzz(${name}): unknown arguments: ${fuzz_UNPARSED_ARGUMENTS}")
  endif()
  set(target fuzz_${name})
  add_executable(${target} ${fuzz_SOURCES})
  target_link_libraries(${target} PRIVATE nearside::options ${fuzz_LINKS})
  add_dependencies(fuzz_targets ${target})
  add_dependencies(sanitized_tests ${target})
  if(NEARSIDE_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay.cpp")
  add_test(NAME ${target} COMMAND ${target} "${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name}")
  set_tests_properties(${target} PROPERTIES
    LABELS fuzz
    TIMEOUT 300
    ENVIRONMENT "NEARSIDE_TEST_COUNT=${NEARSIDE_TEST_RESULTS}/${target}.count")
endfunction()
