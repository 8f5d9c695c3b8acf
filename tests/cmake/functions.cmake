# How the folders of tests/ add their tests.

# The tests that take longest, the longest first. They start in this order and before all others, so that none of them
# is left to run alone in the end.
set(bqsync_longest
  fault_test_property fault_test_crash_matrix consumer_test_amalgamation conformance_test_image
  conformance_test_reproducible e2e_test_walks e2e_test_follow conformance_test_googlesql_merge
  e2e_test_admin_dashboard_states databases_test_databases fault_test_nth conformance_test_client_go
  e2e_test_keyless conformance_test_googlesql_bqlocal conformance_test_units databases_test_real
  conformance_test_googlesql_verify e2e_test_keys e2e_test_partitions e2e_test_rejects e2e_test_bad_cases
  e2e_test_writers e2e_test_idle e2e_test_admin_dashboard_verify conformance_test_google_python
  consumer_test_fresh_machine e2e_test_race e2e_test_scan conformance_test_googlesql e2e_test_atomic
  conformance_test_dbt conformance_test_emit_dbt e2e_test_admin_hostile e2e_test_serve e2e_test_serve_metrics
  e2e_test_soak fault_test_soak unit_source_test_capture_matrix_int64 bqlocal_test_rest_bill e2e_test_admin_dashboard
  e2e_test_new_table e2e_test_atomic_crash conformance_test_systems consumer_test_projects
  conformance_test_emit_dataform conformance_test_client_java mutants_test_mutants)

# bqsync_test(NAME LABELS LABEL... [TIMEOUT SECONDS] [WORKING_DIRECTORY FOLDER] [ENVIRONMENT NAME=VALUE...]
#             COMMAND PROGRAM ARGUMENT...)
# Use it instead of add_test: it makes no_secret_is_printed search what the test prints. Runs in the source folder
# unless told otherwise.
function(bqsync_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT;WORKING_DIRECTORY" "LABELS;ENVIRONMENT;COMMAND")
  if(NOT DEFINED test_WORKING_DIRECTORY)
    set(test_WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  endif()
  # The tests of a real project keep nothing: its keys must not be copied.
  if(NOT "live" IN_LIST test_LABELS)
    list(APPEND test_ENVIRONMENT BQSYNC_PRINTED=${CMAKE_BINARY_DIR}/printed)
  endif()
  add_test(NAME ${name} COMMAND ${test_COMMAND} WORKING_DIRECTORY ${test_WORKING_DIRECTORY})
  set_tests_properties(${name} PROPERTIES
    LABELS "${test_LABELS}" ENVIRONMENT "${test_ENVIRONMENT}" FIXTURES_REQUIRED printed)
  list(FIND bqsync_longest ${name} place)
  if(NOT place EQUAL -1)
    math(EXPR cost "10000 - ${place}")
    set_tests_properties(${name} PROPERTIES COST ${cost})
  endif()
  if(DEFINED test_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${test_TIMEOUT})
  endif()
endfunction()

# bqsync_test_program(NAME SCHEMAS): the program bqsync_NAME with the tables of the folder SCHEMAS, which are the library
# bqsync_NAME_tables; what the generator makes of them is in NAME of the build folder.
function(bqsync_test_program name schemas)
  bqsync_tables(bqsync_${name}_tables ${schemas} ${CMAKE_BINARY_DIR}/${name})
  bqsync_program(bqsync_${name} bqsync_${name}_tables)
endfunction()

# bqsync_unit_test(GROUP FILE SUFFIX [LIBRARY...]): FILE, a test_<module>.c, is the cmocka program
# unit_<group>_test_<module><suffix>.
function(bqsync_unit_test group source suffix)
  get_filename_component(stem ${source} NAME_WE)
  set(name unit_${group}_${stem}${suffix})
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE BQSYNC_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE bqsync_${group} PkgConfig::CMOCKA ${ARGN})
  if(NOT BQSYNC_UNIT_TESTS)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
  add_dependencies(unit_tests ${name})
  set(labels unit ${group})
  # The thread sanitizer finds nothing where one thread does everything. The groups above have workers.
  file(STRINGS ${source} threads REGEX "thread|commits_|container_|readahead_|sidecar_" LIMIT_COUNT 1)
  if(threads OR group MATCHES "^(warehouse|sync|service)$")
    list(APPEND labels threads)
    add_dependencies(threaded_unit_tests ${name})
  endif()
  bqsync_test(${name} LABELS ${labels} TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} COMMAND ${name})
endfunction()

# bqsync_unit_tests(GROUP [LIBRARY...]): each GROUP/test_<module>.c of the current folder is one of those.
function(bqsync_unit_tests group)
  file(GLOB sources CONFIGURE_DEPENDS ${group}/test_*.c)
  foreach(source ${sources})
    bqsync_unit_test(${group} ${source} "" ${ARGN})
  endforeach()
endfunction()

# bqsync_python_tests(LABEL TIMEOUT [MODULE ARGUMENT...]): each test_<topic>.py of the current folder is a test
# <label>_test_<topic>, run by that module of Python, which is unittest unless told otherwise. The environment names the
# folder of the programs under test.
function(bqsync_python_tests label timeout)
  file(GLOB sources CONFIGURE_DEPENDS test_*.py)
  set(runner ${ARGN})
  if(NOT runner)
    set(runner unittest -v)
  endif()
  foreach(source ${sources})
    get_filename_component(stem ${source} NAME_WE)
    bqsync_test(${label}_${stem} LABELS ${label} TIMEOUT ${timeout}
                ENVIRONMENT PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=${PROJECT_SOURCE_DIR}
                            BQSYNC_BUILD=${CMAKE_BINARY_DIR} BQSYNC_SANITIZE=${BQSYNC_SANITIZE}
                COMMAND ${Python3_EXECUTABLE} -m ${runner} ${source})
  endforeach()
endfunction()
