# What a system other than Linux needs: macOS with the packages of Homebrew. Nobody of ours has run it there.
# Sets BQSYNC_GNU_LINKER and BQSYNC_STAMP, the link options that stamp an id on each program (base/build_id.h).
set(BQSYNC_GNU_LINKER ON)
set(BQSYNC_STAMP -Wl,--build-id=sha1)
if(APPLE)
  set(BQSYNC_GNU_LINKER OFF)
  # The linker stamps a UUID by itself.
  set(BQSYNC_STAMP)
  add_compile_options("SHELL:-include ${PROJECT_SOURCE_DIR}/runtime/base/apple.h")
  add_compile_definitions(_DARWIN_C_SOURCE __STDC_WANT_LIB_EXT1__=1)
  # Homebrew keeps packages that macOS has in another version out of the folders in which everybody looks.
  find_program(BREW brew)
  if(BREW)
    execute_process(COMMAND ${BREW} --prefix OUTPUT_VARIABLE homebrew OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND CMAKE_PREFIX_PATH ${homebrew})
    set(packages ${homebrew}/lib/pkgconfig)
    foreach(package openssl@3 curl sqlite zlib)
      list(PREPEND packages ${homebrew}/opt/${package}/lib/pkgconfig)
    endforeach()
    string(JOIN ":" ENV{PKG_CONFIG_PATH} ${packages} $ENV{PKG_CONFIG_PATH})
  endif()
endif()
