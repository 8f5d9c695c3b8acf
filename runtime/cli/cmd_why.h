/* cmd_why: `bqsync status --why`. */
#ifndef BQSYNC_CLI_CMD_WHY_H
#define BQSYNC_CLI_CMD_WHY_H

#include "cli/commands.h"
#include "cli/console.h"

#include <cjson/cJSON.h>

/* Prints the pass that runs and what hinders it, the last failed run, the error of each table that
 * fails now, and the rejected rows by reason with three keys each. Returns 0 also if something has
 * failed: the question was answered.
 */
int command_why(struct invocation *in);

/* The line about an outage of BigQuery (status_document_outage); nothing if there is none. */
void command_print_outage(const struct colours *colour, const cJSON *outage);

#endif
