# The flags with which distributions harden programs, as far as the compiler has them: sets BQSYNC_HARDENING for
# compiling and BQSYNC_HARDENING_LINK for linking. `bqsync-gen build` compiles generated code with them, too.
include(CheckCCompilerFlag)

set(BQSYNC_HARDENING)
set(BQSYNC_HARDENING_LINK)
if(BQSYNC_HARDEN AND NOT BQSYNC_SANITIZE)
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection -mbranch-protection=standard)
    string(MAKE_C_IDENTIFIER "BQSYNC_HAS${flag}" known)
    check_c_compiler_flag(${flag} ${known})
    if(${known})
      list(APPEND BQSYNC_HARDENING ${flag})
    endif()
  endforeach()
  # The C library checks sizes only in optimised code.
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    list(APPEND BQSYNC_HARDENING -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  if(BQSYNC_GNU_LINKER)
    set(BQSYNC_HARDENING_LINK -Wl,-z,relro -Wl,-z,now)
  endif()
endif()
