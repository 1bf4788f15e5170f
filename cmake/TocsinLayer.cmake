# tocsin_layer(NAME <folder> [DEPENDS <folder>...] [LIBRARIES <target>...])
#
# Makes the library tocsin_<NAME> of every source in the current folder (not its tests), and, when tests are
# built, the executable <NAME>_test of every *_test.cc beside the code and every source in a folder testing/.
include(GoogleTest)

function(tocsin_layer)
  cmake_parse_arguments(L "" "NAME" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$|/testing/")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$|/testing/")
  if(sources)
    add_library(tocsin_${L_NAME} STATIC ${sources})
    set(scope PUBLIC)
    target_compile_options(tocsin_${L_NAME} PRIVATE ${TOCSIN_WARNINGS})
  else()
    add_library(tocsin_${L_NAME} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(tocsin_${L_NAME} ${scope} ${CMAKE_SOURCE_DIR}/src)
  foreach(d ${L_DEPENDS})
    target_link_libraries(tocsin_${L_NAME} ${scope} tocsin_${d})
  endforeach()
  target_link_libraries(tocsin_${L_NAME} ${scope} ${L_LIBRARIES})
  if(TOCSIN_TESTS AND tests)
    add_executable(${L_NAME}_test ${tests})
    target_compile_options(${L_NAME}_test PRIVATE ${TOCSIN_WARNINGS})
    target_link_libraries(${L_NAME}_test PRIVATE tocsin_${L_NAME} GTest::gmock GTest::gtest_main)
    tocsin_discover_tests(${L_NAME}_test)
  endif()
endfunction()

# One ctest entry per test suite file set: the whole executable. Per-case discovery would start each binary
# hundreds of times.
function(tocsin_discover_tests target)
  add_test(NAME ${target} COMMAND ${target} --gtest_brief=1)
  set_tests_properties(${target} PROPERTIES TIMEOUT 600
    ENVIRONMENT "TOCSIN_SOURCE_DIR=${CMAKE_SOURCE_DIR};ASAN_OPTIONS=detect_leaks=1")
endfunction()
