# One test executable per layer, from src/<layer>/*_test.cc, registered with ctest as one test that writes
# reports/<name>.xml.

find_package(GTest REQUIRED)
find_path(THORNBACK_GMOCK_INCLUDE gmock/gmock.h REQUIRED)

set(test_environment "THORNBACK_TEST=1")
set(THORNBACK_TEST_LAUNCHER "")
if(THORNBACK_SANITIZE MATCHES "thread")
  # TSAN of g++ 12 maps its shadow at fixed addresses and dies at start on kernels that randomise over more than
  # 28 bits; switching randomisation off for the test process makes it independent of the kernel's setting.
  execute_process(COMMAND setarch -R true RESULT_VARIABLE setarch_result OUTPUT_QUIET ERROR_QUIET)
  if(setarch_result EQUAL 0)
    set(THORNBACK_TEST_LAUNCHER setarch -R)
  endif()
  list(APPEND test_environment
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${CMAKE_CURRENT_LIST_DIR}/tsan.supp")
elseif(THORNBACK_SANITIZE MATCHES "address")
  list(APPEND test_environment
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1")
endif()

# `cmake --build --target native_tests` builds what ctest runs, and nothing else.
add_custom_target(native_tests)

# Optimising instrumented test bodies takes three times as long as not doing so, and the engine that they test stays at -O1.
# Not for these layers: their crash tests end a process at each of its instructions, and -O0 has many times as many.
set(thornback_single_stepped shm store)

# thornback_helpers(<name> <layer> <glob>): what the tests of a layer share, compiled once; no target without sources.
function(thornback_helpers name layer glob)
  file(GLOB sources CONFIGURE_DEPENDS ${glob})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(${name} OBJECT ${sources})
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}
      $<TARGET_PROPERTY:thornback_layer_${layer},INTERFACE_INCLUDE_DIRECTORIES>)
    target_link_libraries(${name} PRIVATE thornback_options GTest::gtest)
  endif()
endfunction()

# Helpers: testing/*.cc for every test executable, testing/<layer>/*.cc for those of that layer and above.
thornback_helpers(thornback_testing base ${CMAKE_CURRENT_SOURCE_DIR}/testing/*.cc)
foreach(layer IN LISTS thornback_layers)
  thornback_helpers(thornback_testing_${layer} ${layer} ${CMAKE_CURRENT_SOURCE_DIR}/testing/${layer}/*.cc)
endforeach()

# thornback_test(<name> <layer> <source>...): a GoogleTest executable over a layer and what lies below it, and its ctest entry.
function(thornback_test name layer)
  add_executable(${name} ${ARGN})
  foreach(linked IN LISTS thornback_below_${layer} ITEMS ${layer})
    target_link_libraries(${name} PRIVATE thornback_layer_${linked})
    if(TARGET thornback_testing_${linked})
      target_link_libraries(${name} PRIVATE thornback_testing_${linked})
    endif()
  endforeach()
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE
    thornback_testing thornback_options GTest::gtest_main GTest::gmock)
  if(THORNBACK_SANITIZE AND NOT layer IN_LIST thornback_single_stepped)
    target_compile_options(${name} PRIVATE -O0)
  endif()
  add_dependencies(native_tests ${name})
  add_test(NAME ${name} COMMAND ${THORNBACK_TEST_LAUNCHER} $<TARGET_FILE:${name}>
    --gtest_output=xml:${CMAKE_BINARY_DIR}/reports/${name}.xml --gtest_shuffle)
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 ENVIRONMENT "${test_environment}" LABELS gtest)
endfunction()

foreach(layer IN LISTS thornback_layers)
  file(GLOB test_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/${layer}/*_test.cc
    ${CMAKE_CURRENT_SOURCE_DIR}/testing/${layer}/*_test.cc)
  if(test_sources)
    thornback_test(${layer}_test ${layer} ${test_sources})
  endif()
endforeach()

# Tests of the public header in C and C++, against the whole engine.
file(GLOB abi_sources CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_SOURCE_DIR}/abi/*_test.cc ${CMAKE_CURRENT_SOURCE_DIR}/abi/*.c)
if(abi_sources)
  thornback_test(abi_test runtime ${abi_sources})
endif()

# A sanitizer build that finds nothing might not look: each has a program that it must complain about.
function(thornback_canary name expected)
  add_executable(canary_${name} ${CMAKE_CURRENT_SOURCE_DIR}/testing/canary/${name}.cc)
  target_link_libraries(canary_${name} PRIVATE thornback_options Threads::Threads)
  target_compile_options(canary_${name} PRIVATE -O0 -Wno-use-after-free)
  add_dependencies(native_tests canary_${name})
  add_test(NAME canary_${name} COMMAND ${THORNBACK_TEST_LAUNCHER} $<TARGET_FILE:canary_${name}>)
  set_tests_properties(canary_${name} PROPERTIES
    TIMEOUT 60 ENVIRONMENT "${test_environment}" PASS_REGULAR_EXPRESSION "${expected}")
endfunction()

if(THORNBACK_SANITIZE MATCHES "thread")
  thornback_canary(race "ThreadSanitizer: data race")
elseif(THORNBACK_SANITIZE MATCHES "address")
  thornback_canary(use_after_free "AddressSanitizer: heap-use-after-free")
  thornback_canary(overflow "runtime error: signed integer overflow")
endif()

if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/testing/CMakeLists.txt)
  add_subdirectory(testing)
endif()
