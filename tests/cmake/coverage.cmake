# Counts of what runs (docs/testing.md, "Coverage"), with gcc. Only runtime/ is counted, not the tests nor what the
# generator writes. Threads count at once, so counts are atomic.
if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "BQSYNC_COVERAGE needs gcc, and the compiler is ${CMAKE_C_COMPILER}")
endif()
foreach(group base source encode warehouse sync service api cli)
  target_compile_options(bqsync_${group} PRIVATE --coverage -fprofile-update=atomic)
endforeach()
# The counts are written when a process ends, also by _exit().
target_sources(bqsync_base PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/counted_exit.c)
target_link_options(bqsync_base INTERFACE --coverage LINKER:--wrap=_exit)
