# What makes two builds of one commit equal byte for byte, wherever and whenever they are made: no path of this machine in
# an object, no time in an archive. The time of a package is $SOURCE_DATE_EPOCH, else that of the commit (epoch.cmake).
# The build id needs nothing: it is a hash of the program.
include(CheckCCompilerFlag)

# The later one counts where both fit: the build folder is often in the source folder.
check_c_compiler_flag(-ffile-prefix-map=/from=to BQSYNC_HAS_PREFIX_MAP)
if(BQSYNC_HAS_PREFIX_MAP)
  add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=./build)
endif()
# Debian's tools leave times out by default, others do not.
if(BQSYNC_GNU_LINKER)
  set(CMAKE_C_ARCHIVE_CREATE "<CMAKE_AR> qcD <TARGET> <LINK_FLAGS> <OBJECTS>")
  set(CMAKE_C_ARCHIVE_APPEND "<CMAKE_AR> qD <TARGET> <LINK_FLAGS> <OBJECTS>")
  set(CMAKE_C_ARCHIVE_FINISH "<CMAKE_RANLIB> -D <TARGET>")
endif()
