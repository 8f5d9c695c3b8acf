/* help: what `bqsync help` and --help print, made from the tables of commands, switches and
 * settings. The man page and docs/commands.md are made from the same tables (cli/manual). */
#ifndef BQSYNC_CLI_HELP_H
#define BQSYNC_CLI_HELP_H

#include "cli/commands.h"

#include <stdio.h>

/* What a process ends with. */
struct help_status {
    int status;
    const char *meaning;
};

/* The table of exit statuses, in their order. */
const struct help_status *help_statuses(size_t *out_count);

/* Summary and detail of a command as sentences, wrapped, on stdout. */
void help_print_description(const struct command *command);

/* The commands, each with its line, and the exit statuses. */
void help_print_commands(FILE *out);
/* One command on stdout: usage, own options, examples, names of settings. */
void help_print_command(const struct command *command);

#endif
