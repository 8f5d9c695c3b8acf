/* cmd_why: `bqsync status --why`. */
#ifndef BQSYNC_CLI_CMD_WHY_H
#define BQSYNC_CLI_CMD_WHY_H

#include "cli/commands.h"

/* Prints the last failed run, the error of each table that fails now, and the rejected rows by
 * reason with three keys each. Returns 0 also if something has failed: the question was answered.
 */
int command_why(struct invocation *in);

#endif
