# What a project calls to compile table definitions: bqsync_add_program and bqsync_add_tables. The same file serves the
# installed package, a project that adds this tree with add_subdirectory, and the tree itself. Whoever includes it
# sets two global properties: BQSYNC_GENERATOR, the command of the generator, and BQSYNC_GENERATOR_FILES, the files
# that it consists of.

# _bqsync_table_library(NAME SCHEMAS OUTPUT): a static library of the tables that the definitions in SCHEMAS describe.
# The generator runs again whenever a definition or the generator itself changes. It writes a file only when its
# content differs, so that nothing is compiled in vain. Relative folders are those of the calling CMakeLists.txt.
function(_bqsync_table_library name schemas output)
  get_property(generator GLOBAL PROPERTY BQSYNC_GENERATOR)
  get_property(generator_files GLOBAL PROPERTY BQSYNC_GENERATOR_FILES)
  get_filename_component(folder "${schemas}" ABSOLUTE)
  get_filename_component(output "${output}" ABSOLUTE)
  file(GLOB definitions CONFIGURE_DEPENDS "${folder}/*.json")
  list(FILTER definitions EXCLUDE REGEX "/table\\.schema\\.json$")
  if(NOT definitions)
    message(FATAL_ERROR "${name}: there are no table definitions (*.json) in ${folder}; "
                        "`bqsync-gen infer app.db` writes them from a database")
  endif()
  set(sources "${output}/registry.c")
  foreach(definition ${definitions})
    get_filename_component(stem "${definition}" NAME_WE)
    list(APPEND sources "${output}/${stem}.c")
  endforeach()
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/${name}.stamp")
  # The list is a dependency too: when a definition goes, none of those left is newer than the stamp.
  file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${name}.list" CONTENT "${definitions}\n")
  add_custom_command(
    OUTPUT "${stamp}"
    BYPRODUCTS ${sources}
    COMMAND ${generator} --schemas "${schemas}" --output "${output}"
    COMMAND ${CMAKE_COMMAND} -E touch "${stamp}"
    DEPENDS ${definitions} ${generator_files} "${CMAKE_CURRENT_BINARY_DIR}/${name}.list"
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    VERBATIM
    COMMENT "Generating readers, encoders and SQL from ${schemas}")
  add_custom_target(${name}_generate DEPENDS "${stamp}")
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON)
  add_dependencies(${name} ${name}_generate)
  # For quoted includes only: a table may be called time or string, and no <time.h> may find its header.
  target_compile_options(${name} PUBLIC "-iquote${output}")
  # bqsync's code asks for the list of tables, which this library has, but comes after it on the link line.
  target_link_options(${name} INTERFACE "LINKER:--undefined=registry_tables")
endfunction()

# Reads "SCHEMAS DIR GENERATED DIR" into schemas and generated of the calling function.
macro(_bqsync_folders function name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SCHEMAS;GENERATED" "")
  if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "${function}(${name}): write ${function}(NAME SCHEMAS DIR GENERATED DIR), not "
                        "\"${arg_UNPARSED_ARGUMENTS}${arg_KEYWORDS_MISSING_VALUES}\"")
  endif()
  set(schemas schemas)
  if(arg_SCHEMAS)
    set(schemas "${arg_SCHEMAS}")
  endif()
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${name}_generated")
  if(arg_GENERATED)
    set(generated "${arg_GENERATED}")
  endif()
endmacro()

# bqsync_add_tables(TARGET SCHEMAS DIR GENERATED DIR): compiles the definitions in SCHEMAS (default: schemas) for a
# program that syncs from inside (bqsync.h). If TARGET is a target already, it gets the tables and bqsync's library;
# else TARGET becomes a static library of both, to link with. The generated files go to GENERATED; keep them in the
# repository to review them.
function(bqsync_add_tables target)
  _bqsync_folders(bqsync_add_tables ${target})
  if(NOT TARGET ${target})
    _bqsync_table_library(${target} "${schemas}" "${generated}")
    target_link_libraries(${target} PUBLIC bqsync::bqsync)
    return()
  endif()
  _bqsync_table_library(${target}_bqsync_tables "${schemas}" "${generated}")
  target_link_libraries(${target}_bqsync_tables PUBLIC bqsync::bqsync)
  # Not target_link_libraries: it refuses a target that is linked with and without PRIVATE.
  set_property(TARGET ${target} APPEND PROPERTY LINK_LIBRARIES ${target}_bqsync_tables)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES "$<LINK_ONLY:${target}_bqsync_tables>")
  endif()
endfunction()

# bqsync_add_program(NAME SCHEMAS DIR GENERATED DIR): the program bqsync, with the tables of these definitions, as the
# executable NAME.
function(bqsync_add_program name)
  _bqsync_folders(bqsync_add_program ${name})
  _bqsync_table_library(${name}_bqsync_tables "${schemas}" "${generated}")
  target_link_libraries(${name}_bqsync_tables PRIVATE bqsync::headers)
  add_executable(${name} $<TARGET_OBJECTS:${name}_bqsync_tables>)
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
  target_link_libraries(${name} PRIVATE bqsync::program)
endfunction()
