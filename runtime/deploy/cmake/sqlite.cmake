# The SQLite that everything here links with: the target bqsync_sqlite. By default that is the system's library, as
# pkg-config finds it. -DBQSYNC_SQLITE=FOLDER compiles sqlite3.c of that folder into the programs instead.
# Sets BQSYNC_SQLITE_FILES, the files of the library for a link line, and BQSYNC_SQLITE_SHARED, those of them that are
# shared; BQSYNC_SQLITE_COMPILED_IN says whether there are none.
set(BQSYNC_SQLITE system CACHE STRING "system, or a folder with SQLite's sqlite3.c and sqlite3.h")

if(BQSYNC_SQLITE STREQUAL "system")
  set(BQSYNC_SQLITE_COMPILED_IN OFF)
  pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
  add_library(bqsync_sqlite INTERFACE)
  target_link_libraries(bqsync_sqlite INTERFACE PkgConfig::SQLITE)
  set(BQSYNC_SQLITE_SHARED ${SQLITE_LINK_LIBRARIES})
  set(BQSYNC_SQLITE_FILES ${BQSYNC_SQLITE_SHARED})
else()
  set(BQSYNC_SQLITE_COMPILED_IN ON)
  get_filename_component(amalgamation "${BQSYNC_SQLITE}" ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
  foreach(file sqlite3.c sqlite3.h)
    if(NOT EXISTS "${amalgamation}/${file}")
      message(FATAL_ERROR "BQSYNC_SQLITE: there is no ${file} in ${amalgamation}. Name the folder of SQLite's "
                          "amalgamation (https://sqlite.org/amalgamation.html), or \"system\"")
    endif()
  endforeach()
  # Static, so that the names of this SQLite are seen by nothing but the program that it is linked into: a system's
  # library in the same process, which another library may have brought, calls its own functions.
  add_library(bqsync_sqlite STATIC "${amalgamation}/sqlite3.c")
  target_include_directories(bqsync_sqlite SYSTEM PUBLIC "${amalgamation}")
  # What an application's schema may use: without these modules SQLite cannot read such a virtual table, and without
  # the functions no filter or generated column that calls one.
  target_compile_definitions(bqsync_sqlite PRIVATE
    SQLITE_ENABLE_FTS3 SQLITE_ENABLE_FTS4 SQLITE_ENABLE_FTS5 SQLITE_ENABLE_RTREE SQLITE_ENABLE_GEOPOLY
    SQLITE_ENABLE_DBSTAT_VTAB SQLITE_ENABLE_MATH_FUNCTIONS)
  # Code of other people, as the system's library is: no warnings, and nothing for the sanitizers.
  target_compile_options(bqsync_sqlite PRIVATE -w)
  if(BQSYNC_SANITIZE)
    target_compile_options(bqsync_sqlite PRIVATE -fno-sanitize=all)
  endif()
  target_link_libraries(bqsync_sqlite PUBLIC Threads::Threads ${CMAKE_DL_LIBS} m)
  set(BQSYNC_SQLITE_SHARED)
  set(BQSYNC_SQLITE_FILES $<TARGET_FILE:bqsync_sqlite>)
endif()
