/* help: what --help prints, made from the tables of commands, switches and settings. */
#ifndef BQSYNC_CLI_HELP_H
#define BQSYNC_CLI_HELP_H

#include "cli/commands.h"

/* All commands and settings. */
void help_print_all(void);
/* One command with its switches, and all settings. */
void help_print_command(const struct command *command);

#endif
