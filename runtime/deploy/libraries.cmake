# What other projects link with, and what tells them where it is: the two archives, their headers, and the files that
# write.cmake writes. Both archives are of the same objects; see docs/installing.md.

# The whole program but its tables. It has main and is linked only with generated code.
set(objects)
foreach(group base encode source warehouse sync service)
  list(APPEND objects $<TARGET_OBJECTS:bqsync_${group}>)
endforeach()
if(BQSYNC_SQLITE_COMPILED_IN)
  list(APPEND objects $<TARGET_OBJECTS:bqsync_sqlite>)
endif()
add_library(bqsync_program_archive STATIC ${objects} $<TARGET_OBJECTS:bqsync_api> $<TARGET_OBJECTS:bqsync_cli>)
set_target_properties(bqsync_program_archive PROPERTIES
  OUTPUT_NAME bqsync_program LINKER_LANGUAGE C ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

# The library for programs of other people. They may have functions of our names (error_set, buffer_append), so it is
# one object in which only those that a program or generated code calls are left global. It never holds an SQLite: a
# program opens its database itself too, and of two copies in one process each would drop the locks of the other
# (https://sqlite.org/howtocorrupt.html, "Multiple copies of SQLite linked into the same application").
set(archives $<TARGET_FILE:bqsync_api>)
foreach(group sync warehouse source encode base)
  list(APPEND archives $<TARGET_FILE:bqsync_${group}>)
endforeach()
set(library ${PROJECT_BINARY_DIR}/libbqsync.a)
set(whole_object ${PROJECT_BINARY_DIR}/libbqsync.o)
add_custom_command(
  OUTPUT ${library}
  COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${whole_object} -Wl,--whole-archive ${archives} -Wl,--no-whole-archive
  COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=bqsync_* --keep-global-symbol=column_*
          --keep-global-symbol=avro_* ${whole_object}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${library}
  COMMAND ${CMAKE_AR} rcsD ${library} ${whole_object}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${whole_object}
  DEPENDS bqsync_api bqsync_sync bqsync_warehouse bqsync_source bqsync_encode bqsync_base
  VERBATIM
  COMMENT "Linking libbqsync.a")

# The headers that generated code includes, found by following them from those that codegen/emit_c.py names.
function(bqsync_headers_below found)
  set(waiting base/slice.h base/value.h base/table.h encode/avro.h encode/column.h)
  set(all)
  while(waiting)
    list(POP_FRONT waiting header)
    if(header IN_LIST all)
      continue()
    endif()
    list(APPEND all ${header})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/${header})
    file(STRINGS ${PROJECT_SOURCE_DIR}/runtime/${header} lines REGEX "^#include \"")
    foreach(line ${lines})
      string(REGEX REPLACE "^#include \"(.*)\".*" "\\1" included "${line}")
      list(APPEND waiting ${included})
    endforeach()
  endwhile()
  set(${found} ${all} PARENT_SCOPE)
endfunction()
bqsync_headers_below(headers)

set(private ${CMAKE_INSTALL_DATADIR}/bqsync)
set(packagedir ${CMAKE_INSTALL_LIBDIR}/cmake/bqsync)
set(package ${PROJECT_BINARY_DIR}/described)
file(RELATIVE_PATH private_to_prefix /${private} /)
file(RELATIVE_PATH prefix_from_cmake /${packagedir} /)
file(RELATIVE_PATH prefix_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig ${prefix_from_pkgconfig})
file(RELATIVE_PATH private_from_bin /${CMAKE_INSTALL_BINDIR} /${private})
configure_file(${CMAKE_CURRENT_LIST_DIR}/bqsync-gen.in ${package}/bqsync-gen @ONLY)

# The flags of generated code and of the program's link line, where no CMake gives them.
set(compile_options -std=c17 -O2 ${BQSYNC_HARDENING} ${BQSYNC_HARDENING_PROGRAM})
set(link_options ${BQSYNC_STAMP})
set(program_link_options ${link_options} ${BQSYNC_HARDENING_LINK})
set(settings ${package}/settings.cmake)
file(CONFIGURE OUTPUT ${settings} @ONLY CONTENT [[
set(version "@PROJECT_VERSION@")
set(source "@PROJECT_SOURCE_DIR@")
set(build "@PROJECT_BINARY_DIR@")
set(output "@package@")
set(templates "@CMAKE_CURRENT_LIST_DIR@/cmake")
set(objdump "@CMAKE_OBJDUMP@")
set(program "@PROJECT_BINARY_DIR@/bqsync_samples")
set(bindir "@CMAKE_INSTALL_BINDIR@")
set(datadir "@CMAKE_INSTALL_DATADIR@")
set(includedir "@CMAKE_INSTALL_INCLUDEDIR@")
set(libdir "@CMAKE_INSTALL_LIBDIR@")
set(private_to_prefix "@private_to_prefix@")
set(prefix_from_cmake "@prefix_from_cmake@")
set(prefix_from_pkgconfig "@prefix_from_pkgconfig@")
set(compile_options "@compile_options@")
set(link_options "@link_options@")
set(program_link_options "@program_link_options@")
set(generator_link_options "@BQSYNC_HARDENING_PROGRAM_LINK@")
]])
set(written ${package}/bqsyncConfig.cmake ${package}/bqsync.pc ${package}/layout.json)
file(GLOB templates CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/cmake/*)
add_custom_command(
  OUTPUT ${written}
  BYPRODUCTS ${PROJECT_BINARY_DIR}/layout.json
  COMMAND ${CMAKE_COMMAND} -DSETTINGS=${settings} -P ${CMAKE_CURRENT_LIST_DIR}/cmake/write.cmake
  DEPENDS bqsync_samples ${settings} ${templates}
  COMMENT "Describing the package to CMake, pkg-config and the generator")

include(CMakePackageConfigHelpers)
write_basic_package_version_file(${package}/bqsyncConfigVersion.cmake COMPATIBILITY SameMinorVersion)
set(written ${written} ${library})
add_custom_target(bqsync_libraries ALL DEPENDS ${written} bqsync_program_archive)

if(BQSYNC_INSTALL)
  install(FILES ${library} $<TARGET_FILE:bqsync_program_archive> DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES ${PROJECT_SOURCE_DIR}/runtime/api/bqsync.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bqsync)
  foreach(header ${headers})
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${PROJECT_SOURCE_DIR}/runtime/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bqsync/${folder})
  endforeach()
  install(FILES ${package}/bqsyncConfig.cmake ${package}/bqsyncConfigVersion.cmake
                ${CMAKE_CURRENT_LIST_DIR}/cmake/bqsyncTables.cmake DESTINATION ${packagedir})
  install(FILES ${package}/bqsync.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(PROGRAMS ${package}/bqsync-gen DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/codegen DESTINATION ${private} PATTERN __pycache__ EXCLUDE)
  install(FILES ${package}/layout.json ${PROJECT_SOURCE_DIR}/schemas/table.schema.json DESTINATION ${private})
endif()
