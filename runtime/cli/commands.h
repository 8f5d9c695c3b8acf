/* commands: what `bqsync COMMAND` can do. Each is one function that prints its result on stdout,
 * logs on stderr, and returns the exit status; main has parsed the line, read the configuration and
 * set up the deployment that the command's row in the table asks for. */
#ifndef BQSYNC_CLI_COMMANDS_H
#define BQSYNC_CLI_COMMANDS_H

#include "base/config.h"
#include "base/error.h"
#include "base/table.h"
#include "cli/args.h"
#include "sync/deployment.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum command_needs {
    NEEDS_WAREHOUSE = 1 << 0, /* project and dataset are set */
    NEEDS_SOURCE = 1 << 1,    /* BQ_SQLITE_PATH is set */
    NEEDS_CREDENTIALS = 1 << 2,
    NEEDS_SERVICE_BUDGET = 1 << 3, /* retries go on for as long as suits a daemon */
};

/* How long one call to BigQuery may go on trying: a person waits for a command, nobody for a
 * daemon. */
#define COMMANDS_RETRY_BUDGET_MS   30000
#define COMMANDS_SERVICE_BUDGET_MS 300000

struct invocation {
    const struct args *args;
    const struct config *config;
    struct deployment *deployment;
    const struct table *const
        *tables; /* the ones named, or all; in registry order if none was named */
    size_t table_count;
    bool all_tables; /* none was named */
};

struct command {
    const char *name;
    const char *arguments; /* "[TABLE...]" */
    const char *summary;
    unsigned switches; /* those of enum args_switch that it takes */
    unsigned needs;    /* enum command_needs */
    bool takes_words;  /* words are not table names; the command reads them itself */
    int (*run)(struct invocation *in);
};

/* The table, in the order of --help. */
const struct command *commands(size_t *out_count);

int command_sync(struct invocation *in);
int command_serve(struct invocation *in);
int command_status(struct invocation *in);
int command_check(struct invocation *in);
int command_plan(struct invocation *in);
int command_verify(struct invocation *in);
int command_tables(struct invocation *in);
int command_ddl(struct invocation *in);
int command_rejects(struct invocation *in);
int command_reset(struct invocation *in);
int command_capture(struct invocation *in);

/* Prints err as the one line of a failed command and returns its exit status. With --json, commands
 * print
 * {"error":{...}} on stdout besides. */
int command_fail(const struct invocation *in, const struct error *err);

/* Prints the document followed by a newline and frees it; returns status. */
int command_print_json(cJSON *json, int status);

#endif
