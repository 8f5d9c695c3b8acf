/* manual: the man page and docs/commands.md, made from the same tables as --help, so they are
 * always up to date. The build runs `bqsync --help=man`, --help=bash and so on to make the
 * installed files. */
#ifndef BQSYNC_CLI_MANUAL_H
#define BQSYNC_CLI_MANUAL_H

#include <stdbool.h>

/* Prints "man", "markdown", or a completion for "bash", "zsh" or "fish" on stdout; false if the
 * format is none of these. */
bool manual_print(const char *format);

#endif
