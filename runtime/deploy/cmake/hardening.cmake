# The flags with which distributions harden programs, as far as the compiler has them: sets BQSYNC_HARDENING for
# compiling and BQSYNC_HARDENING_LINK for linking. `bqsync-gen build` compiles generated code with them, too, and with
# BQSYNC_HARDENING_PROGRAM and BQSYNC_HARDENING_PROGRAM_LINK, which make a program that runs at any address. CMake has a
# setting of its own for those: a shared library takes other ones.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckPIESupported)

set(BQSYNC_HARDENING)
set(BQSYNC_HARDENING_LINK)
set(BQSYNC_HARDENING_PROGRAM)
set(BQSYNC_HARDENING_PROGRAM_LINK)
if(BQSYNC_HARDEN AND NOT BQSYNC_SANITIZE)
  # Clang only warns of a flag that is for other machines.
  set(CMAKE_REQUIRED_FLAGS -Werror)
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection -mbranch-protection=standard)
    string(MAKE_C_IDENTIFIER "BQSYNC_HAS${flag}" known)
    check_c_compiler_flag(${flag} ${known})
    if(${known})
      list(APPEND BQSYNC_HARDENING ${flag})
    endif()
  endforeach()
  unset(CMAKE_REQUIRED_FLAGS)
  # The C library checks sizes only in optimised code. On level 3 it also checks those that are known only at run time;
  # an older compiler or C library takes it for level 2, with a warning.
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
    check_c_source_compiles("#include <string.h>
      #if __USE_FORTIFY_LEVEL != 3
      #error level 3 is not known
      #endif
      int main(void) { return 0; }" BQSYNC_HAS_FORTIFY_3)
    unset(CMAKE_REQUIRED_FLAGS)
    set(level 2)
    if(BQSYNC_HAS_FORTIFY_3)
      set(level 3)
    endif()
    list(APPEND BQSYNC_HARDENING -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${level})
  endif()
  if(BQSYNC_GNU_LINKER)
    set(BQSYNC_HARDENING_LINK -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
    # All addresses are known from the start, so calls of libraries need no detour that looks them up.
    check_c_compiler_flag(-fno-plt BQSYNC_HAS_fno_plt)
    if(BQSYNC_HAS_fno_plt)
      list(APPEND BQSYNC_HARDENING -fno-plt)
    endif()
  endif()
  check_pie_supported(LANGUAGES C)
  if(CMAKE_C_LINK_PIE_SUPPORTED)
    set(BQSYNC_HARDENING_PROGRAM -fPIE)
    set(BQSYNC_HARDENING_PROGRAM_LINK -pie)
    if(NOT DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
      set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    endif()
  endif()
endif()
