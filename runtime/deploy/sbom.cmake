# The bill of materials: what this build has found, for sbom.py, which writes the document while bqsync is installed.

# bqsync_component(NAME LICENCE CPE HOMEPAGE VERSION PROGRAM...): a library that these programs are linked with. CPE is
# "vendor:product" in the dictionary of NIST, or "". A library whose version is not known is left out. It is shared,
# unless bqsync_link says STATIC_LINK.
set_property(GLOBAL PROPERTY BQSYNC_COMPONENTS)
function(bqsync_component name licence cpe homepage version)
  if(version STREQUAL "")
    return()
  endif()
  list(TRANSFORM ARGN REPLACE "(.+)" "\"\\1\"")
  string(JOIN ", " programs ${ARGN})
  set(link DYNAMIC_LINK)
  if(bqsync_link)
    set(link ${bqsync_link})
  endif()
  set_property(GLOBAL APPEND PROPERTY BQSYNC_COMPONENTS "{\"name\": \"${name}\", \"version\": \"${version}\", \
\"licence\": \"${licence}\", \"cpe\": \"${cpe}\", \"homepage\": \"${homepage}\", \"link\": \"${link}\", \
\"programs\": [${programs}]}")
endfunction()

# The version that stands in a header: of a library that pkg-config does not know. The header is in the folder FOLDER, or
# where the compiler looks if that is "".
function(bqsync_header_version header macro found folder)
  find_file(path ${header} HINTS ${folder} NO_CACHE)
  set(${found} "" PARENT_SCOPE)
  if(path)
    file(STRINGS ${path} line REGEX "# *define +${macro} +\"")
    if(line MATCHES "\"([^\"]+)\"")
      set(${found} "${CMAKE_MATCH_1}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

set(local)
set(files ${CMAKE_INSTALL_BINDIR}/bqsync ${CMAKE_INSTALL_LIBDIR}/libbqsync.a ${CMAKE_INSTALL_LIBDIR}/libbqsync_program.a)
if(BQSYNC_LOCAL)
  set(local bqlocal)
  list(PREPEND files ${CMAKE_INSTALL_BINDIR}/bqlocal)
  pkg_check_modules(AVRO QUIET avro-c)
  bqsync_header_version(zlib.h ZLIB_VERSION zlib "")
  bqsync_component(libavro Apache-2.0 apache:avro https://avro.apache.org "${AVRO_VERSION}" bqlocal)
  bqsync_component(libz Zlib zlib:zlib https://zlib.net "${zlib}" bqlocal)
endif()
set(openssl Apache-2.0)
if(CRYPTO_VERSION VERSION_LESS 3)
  set(openssl OpenSSL)
endif()
set(sqlite "${SQLITE_VERSION}")
if(BQSYNC_SQLITE_COMPILED_IN)
  bqsync_header_version(sqlite3.h SQLITE_VERSION sqlite "${amalgamation}")
  set(bqsync_link STATIC_LINK)
endif()
bqsync_component(libsqlite3 blessing sqlite:sqlite https://sqlite.org "${sqlite}" bqsync ${local})
set(bqsync_link)
bqsync_component(libcurl curl haxx:libcurl https://curl.se "${CURL_VERSION}" bqsync)
bqsync_component(libcjson MIT davegamble:cjson https://github.com/DaveGamble/cJSON "${CJSON_VERSION}" bqsync ${local})
bqsync_component(libcrypto ${openssl} openssl:openssl https://www.openssl.org "${CRYPTO_VERSION}" bqsync ${local})
bqsync_component(libmicrohttpd LGPL-2.1-or-later gnu:libmicrohttpd https://www.gnu.org/software/libmicrohttpd/
                 "${MICROHTTPD_VERSION}" bqsync ${local})
bqsync_component(libisal BSD-3-Clause "" https://github.com/intel/isa-l "${ISAL_VERSION}" bqsync)
bqsync_component(libzstd BSD-3-Clause facebook:zstandard https://facebook.github.io/zstd/ "${ZSTD_VERSION}"
                 bqsync ${local})
# musl does not say which version it is.
execute_process(COMMAND ${CMAKE_C_COMPILER} -dM -E -include features.h -x c /dev/null
                OUTPUT_VARIABLE macros ERROR_QUIET)
set(glibc)
if(macros MATCHES "__GLIBC__ ([0-9]+)" AND CMAKE_MATCH_1)
  set(glibc ${CMAKE_MATCH_1})
  string(REGEX MATCH "__GLIBC_MINOR__ ([0-9]+)" minor "${macros}")
  set(glibc ${glibc}.${CMAKE_MATCH_1})
endif()
bqsync_component(libc LGPL-2.1-or-later gnu:glibc https://www.gnu.org/software/libc/ "${glibc}" bqsync ${local})

get_property(components GLOBAL PROPERTY BQSYNC_COMPONENTS)
string(JOIN ",\n    " components ${components})
list(TRANSFORM files REPLACE "(.+)" "\"\\1\"")
string(JOIN ", " files ${files})
set(facts ${PROJECT_BINARY_DIR}/described/sbom.json)
file(CONFIGURE OUTPUT ${facts} @ONLY CONTENT [[{
  "version": "@PROJECT_VERSION@",
  "files": [@files@],
  "libraries": [
    @components@
  ]
}
]])
install(CODE "execute_process(COMMAND \"${Python3_EXECUTABLE}\" \"${CMAKE_CURRENT_LIST_DIR}/sbom.py\"
  --facts \"${facts}\" --source \"${PROJECT_SOURCE_DIR}\" --root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\"
  --output ${CMAKE_INSTALL_DOCDIR}/bqsync.spdx.json COMMAND_ERROR_IS_FATAL ANY)")
