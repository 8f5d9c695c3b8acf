# What `cmake --install` and `cpack` install: the programs, the generator, the libraries, and what describes them. The
# programs that were just built print their man pages and completions, so their versions always match.
include(GNUInstallDirs)
include(${CMAKE_CURRENT_LIST_DIR}/libraries.cmake)

set(manual ${PROJECT_BINARY_DIR}/manual)
get_property(generator GLOBAL PROPERTY BQSYNC_GENERATOR)

# Programs for another machine print nothing here.
set(BQSYNC_MANUAL "" CACHE PATH "The folder manual/ of a build for this machine, whose pages are taken")

# bqsync_pages(NAME DEPENDENCY FILE... COMMANDS ...): makes the files about a program by these commands.
function(bqsync_pages name dependency)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "COMMANDS")
  list(TRANSFORM arg_UNPARSED_ARGUMENTS PREPEND ${manual}/ OUTPUT_VARIABLE pages)
  set(commands COMMAND ${CMAKE_COMMAND} -E make_directory ${manual} ${arg_COMMANDS})
  if(BQSYNC_MANUAL)
    list(TRANSFORM arg_UNPARSED_ARGUMENTS PREPEND ${BQSYNC_MANUAL}/)
    set(commands COMMAND ${CMAKE_COMMAND} -E copy ${arg_UNPARSED_ARGUMENTS} ${manual})
    file(MAKE_DIRECTORY ${manual})
  endif()
  add_custom_command(OUTPUT ${pages} ${commands} DEPENDS ${dependency} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    COMMENT "Printing what is installed about ${name}")
  add_custom_target(manual_${name} ALL DEPENDS ${pages})
  install(FILES ${manual}/${name}.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endfunction()

# bqsync_manual(NAME DEPENDENCY COMMAND...): the man page and the completions of a program that prints them itself.
function(bqsync_manual name dependency)
  set(commands)
  foreach(page man:${name}.1 bash:${name}.bash zsh:_${name} fish:${name}.fish)
    string(REGEX MATCH "^([a-z]+):(.*)$" page ${page})
    list(APPEND commands COMMAND ${ARGN} --help=${CMAKE_MATCH_1} > ${manual}/${CMAKE_MATCH_2})
  endforeach()
  bqsync_pages(${name} "${dependency}" ${name}.1 ${name}.bash _${name} ${name}.fish COMMANDS ${commands})
  install(FILES ${manual}/${name}.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${name})
  install(FILES ${manual}/_${name} DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  install(FILES ${manual}/${name}.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endfunction()

bqsync_manual(bqsync bqsync bqsync)
bqsync_manual(bqsync-gen "${codegen}" ${generator})

install(TARGETS bqsync RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Nothing enables them: which of the two should run, and as which user, is the operator's decision.
set(units bqsync.service bqsync-sync.service bqsync.timer)
list(TRANSFORM units PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
install(FILES ${units} DESTINATION lib/systemd/system)
# Settings are in /etc where the package manager puts the rest below /usr, else below the prefix.
install(CODE "
  set(etc \${CMAKE_INSTALL_PREFIX}/etc)
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(etc /etc)
  endif()
  file(INSTALL ${CMAKE_CURRENT_LIST_DIR}/bqsync.env DESTINATION \${etc}/bqsync
       PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(GLOB documents ${PROJECT_SOURCE_DIR}/docs/*.md)
install(FILES ${documents} docs/openapi.yaml docs/grafana.json DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/example.c DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY schemas DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
# The last, because it reads what is installed.
include(${CMAKE_CURRENT_LIST_DIR}/sbom.cmake)

# Everything that is installed, without the tests.
add_custom_target(installable DEPENDS bqsync bqsync_samples bqsync_libraries manual_bqsync manual_bqsync-gen)
if(BQSYNC_LOCAL)
  bqsync_pages(bqlocal bqlocal bqlocal.1 COMMANDS
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:bqlocal> -DOUTPUT=${manual}/bqlocal.1
            -P ${CMAKE_CURRENT_LIST_DIR}/cmake/page.cmake)
  add_dependencies(installable bqlocal manual_bqlocal)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VENDOR "bqsync")
# DEBEMAIL and DEBFULLNAME are what Debian's own tools take a packager's address from. There is no address to fall back on.
set(packager "bqsync developers")
if(NOT "$ENV{DEBEMAIL}" STREQUAL "")
  if(NOT "$ENV{DEBFULLNAME}" STREQUAL "")
    set(packager "$ENV{DEBFULLNAME}")
  endif()
  string(APPEND packager " <$ENV{DEBEMAIL}>")
endif()
set(BQSYNC_MAINTAINER "${packager}" CACHE STRING "The maintainer of the Debian package: NAME <ADDRESS>")
set(CPACK_PACKAGE_CONTACT "${BQSYNC_MAINTAINER}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(BQSYNC_PACKAGE_DEPENDS "" CACHE STRING "What the Debian package depends on, where dpkg-shlibdeps cannot say")
# bqsync-gen build needs a compiler and the C library's headers, nothing else.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, tzdata, python3 (>= 3.9), gcc | c-compiler, libc6-dev | libc-dev")
if(BQSYNC_PACKAGE_DEPENDS)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS ${BQSYNC_PACKAGE_DEPENDS})
else()
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/conffiles)
set(CPACK_STRIP_FILES ON)
# Whatever the packager's umask is.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
include(CPack)
