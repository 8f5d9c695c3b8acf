# cmake -DSETTINGS=FILE -P write.cmake: writes what tells CMake, pkg-config and the generator where everything of an
# installed bqsync is. It runs in the build, because the linked program says best which libraries it needs: by their
# file names, so that no development packages are needed to link with them.
include(${SETTINGS})

execute_process(COMMAND ${objdump} -p ${program} OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "NEEDED +[^\n ]+" needed "${headers}")
list(TRANSFORM needed REPLACE "NEEDED +" "-l:")
# The compiler brings these itself.
list(FILTER needed EXCLUDE REGEX "^-l:(libc\\.so|ld-linux|libgcc_s)")
# A program that syncs from inside serves nothing. A list that goes into a file of CMake's has its own separators.
set(libraries "-Wl,--push-state,--as-needed;${needed};-Wl,--pop-state")
string(JOIN " " pc_libraries ${libraries})
string(JOIN " " pc_link_options ${link_options})

# json_list(NAME ITEM...): NAME becomes the items as JSON writes them in a list.
function(json_list name)
  set(quoted)
  foreach(item ${ARGN})
    string(REGEX REPLACE "([\"\\\\])" "\\\\\\1" item "${item}")
    list(APPEND quoted "\"${item}\"")
  endforeach()
  string(JOIN ", " joined ${quoted})
  set(${name} "${joined}" PARENT_SCOPE)
endfunction()

json_list(json_compile ${compile_options})
json_list(json_link ${program_link_options} ${generator_link_options} ${needed})
configure_file(${templates}/bqsyncConfig.cmake.in ${output}/bqsyncConfig.cmake @ONLY)
configure_file(${templates}/bqsync.pc.in ${output}/bqsync.pc @ONLY)

# The generator's own, once for the installed tree and once for the build folder.
json_list(json_includes ${private_to_prefix}${includedir}/bqsync)
set(json_archive ${private_to_prefix}${libdir}/libbqsync_program.a)
configure_file(${templates}/layout.json.in ${output}/layout.json @ONLY)
json_list(json_includes ${source}/runtime)
set(json_archive libbqsync_program.a)
configure_file(${templates}/layout.json.in ${build}/layout.json @ONLY)
