# What `cmake --install` and `cpack -G DEB` install. The program that was just built prints its man page and
# completions, so their versions always match.
include(GNUInstallDirs)

set(manual ${CMAKE_BINARY_DIR}/manual)
set(pages ${manual}/bqsync.1 ${manual}/bqsync.bash ${manual}/_bqsync ${manual}/bqsync.fish)
add_custom_command(
  OUTPUT ${pages}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${manual}
  COMMAND bqsync --help=man > ${manual}/bqsync.1
  COMMAND bqsync --help=bash > ${manual}/bqsync.bash
  COMMAND bqsync --help=zsh > ${manual}/_bqsync
  COMMAND bqsync --help=fish > ${manual}/bqsync.fish
  DEPENDS bqsync
  COMMENT "Printing the man page and the completions")
add_custom_target(manual ALL DEPENDS ${pages})

install(TARGETS bqsync RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${manual}/bqsync.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${manual}/bqsync.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME bqsync)
install(FILES ${manual}/_bqsync DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${manual}/bqsync.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/bqsync.service DESTINATION lib/systemd/system)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/bqsync.env DESTINATION /etc/bqsync
        PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VENDOR "bqsync")
set(CPACK_PACKAGE_CONTACT "bqsync <maintainers@localhost>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, tzdata")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/conffiles)
set(CPACK_STRIP_FILES ON)
include(CPack)
