/* commands: the table of commands. A command is one function that prints its result on stdout, logs
 * to stderr and returns the exit status. Before it is called, main has parsed the command line,
 * read the configuration and set up what the command's row in the table needs. */
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
    NEEDS_SERVICE_BUDGET = 1 << 3, /* a daemon's retry budget */
};

/* How long one call to BigQuery is retried. A user waits for a command; a daemon has more time. */
#define COMMANDS_RETRY_BUDGET_MS   30000
#define COMMANDS_SERVICE_BUDGET_MS 300000

struct invocation {
    const struct args *args;
    const struct config *config;
    struct deployment *deployment;
    /* The tables named on the command line, or all; in registry order if none was named. */
    const struct table *const *tables;
    size_t table_count;
    bool all_tables; /* none was named */
};

/* A command line and what it does, as help and man page show it. */
struct command_example {
    const char *line;
    const char *effect;
};
#define COMMAND_EXAMPLES_MAX 4

struct command {
    const char *name;
    const char *arguments;                                 /* "[TABLE...]" */
    const char *summary;                                   /* one line */
    const char *detail;                                    /* a paragraph, for help and manual */
    struct command_example examples[COMMAND_EXAMPLES_MAX]; /* up to the first without a line */
    unsigned switches; /* those of enum args_switch that it takes */
    unsigned needs;    /* enum command_needs */
    /* What its words mean; tables unless it says otherwise. */
    enum command_words {
        WORDS_TABLES,
        WORDS_TABLE_FIRST, /* one table, then words of its own */
        WORDS_OWN,
        WORDS_NONE
    } words;
    /* WORDS_OWN: those that the first one may be, "install remove show"; for completion. */
    const char *choices;
    /* It reads no settings: a faulty .env is no reason to refuse it. */
    bool needs_no_settings;
    int (*run)(struct invocation *in);
};

/* The table, in the order of --help. */
const struct command *commands(size_t *out_count);

/* The command of that name; NULL with ERROR_USAGE, which names the nearest one. */
const struct command *command_find(const char *name, struct error *err);

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
int command_forget(struct invocation *in);
int command_capture(struct invocation *in);
int command_version(struct invocation *in);
int command_help(struct invocation *in);

/* Whether it works on the table of that name. */
bool command_has_table(const struct invocation *in, const char *name);

/* Prints "bqsync: ", the message and a newline on stderr, if anybody reads it. */
void command_complain(const char *message);

/* Complains of err and returns its exit status. With --json it also prints {"error":{...}} on
 * stdout. */
int command_fail(const struct invocation *in, const struct error *err);

/* Prints the text of a document followed by a newline, and frees it; returns status. NULL, which is
 * what json_print returns without memory, is an error instead: status stays if it is one already.
 */
MUST_CHECK int command_print_text(char *text, int status);

/* The same with a document. */
MUST_CHECK int command_print_json(cJSON *json, int status);

#endif
