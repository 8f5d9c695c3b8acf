#include "cli/commands.h"

#include "base/json_memory.h"
#include "base/output.h"
#include "base/text_fit.h"
#include "sync/pass/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command table[] = {
    {
        .name = "sync",
        .arguments = "[TABLE...]",
        .summary = "run one pass now, incremental unless --full is given",
        .detail = "Sends what has changed since the last pass, or all rows of a table that has "
                  "never been synced. A pass that was killed is completed by the next one.",
        .examples =
            {{"bqsync sync", "sends the changes of all tables"},
             {"bqsync sync users --full", "replaces the whole content of one table"},
             {"bqsync sync --dry-run --json", "reads and encodes everything, writes nothing"}},
        .switches = ARGS_JSON | ARGS_QUIET | ARGS_VERBOSE | ARGS_FULL | ARGS_DRY_RUN,
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS,
        .run = command_sync,
    },
    {
        .name = "serve",
        .arguments = "",
        .summary = "run the daemon with schedule and admin API, until SIGTERM",
        .detail = "Syncs all tables on the schedule of BQ_SYNC_INTERVAL, BQ_SYNC_FOLLOW and "
                  "BQ_SYNC_DAILY_AT, and serves the dashboard and the admin API on "
                  "BQ_ADMIN_LISTEN. SIGHUP reads the settings again.",
        .examples =
            {{"bqsync serve", "syncs every 15 minutes"},
             {"bqsync serve --sync-follow 2s", "syncs within 2 seconds of each commit"}},
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS | NEEDS_SERVICE_BUDGET,
        .words = WORDS_NONE,
        .run = command_serve,
    },
    {
        .name = "check",
        .arguments = "[TABLE...]",
        .summary = "check settings, source, credentials and permissions; writes nothing",
        .detail = "Prints one line for each check: ok, warn or FAIL, with the fix.",
        .examples = {{"bqsync check", "checks everything before the first sync"}},
        .switches = ARGS_JSON,
        .run = command_check,
    },
    {
        .name = "plan",
        .arguments = "[TABLE...]",
        .summary = "show what the next sync would do, and its DDL",
        .detail = "Shows the rows to insert, update and delete, the statements for BigQuery and "
                  "what they would bill; writes nothing.",
        .examples =
            {{"bqsync plan", "all tables"},
             {"bqsync plan users --full", "what a full sync would do"}},
        .switches = ARGS_JSON | ARGS_FULL,
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS,
        .run = command_plan,
    },
    {
        .name = "verify",
        .arguments = "[TABLE...]",
        .summary = "prove that BigQuery equals SQLite",
        .detail = "Compares counts and checksums of both sides, and finds the keys that differ.",
        .examples =
            {{"bqsync verify", "compares all tables"},
             {"bqsync verify users --repair", "syncs the keys that differ"}},
        .switches = ARGS_JSON | ARGS_REPAIR,
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS,
        .run = command_verify,
    },
    {
        .name = "status",
        .arguments = "[TABLE...]",
        .summary = "show the progress of every table, the last run and the next ones",
        .detail = "Reads the state database only; it makes no request to BigQuery.",
        .examples =
            {{"bqsync status", "all tables"},
             {"bqsync status --json", "for a monitor"},
             {"bqsync status --why", "for the morning after"}},
        .switches = ARGS_JSON | ARGS_WHY,
        .needs = NEEDS_SOURCE,
        .run = command_status,
    },
    {
        .name = "tables",
        .arguments = "[TABLE...]",
        .summary = "list the tables that are compiled in",
        .detail = "Shows mode, key and columns as the definitions have them.",
        .examples = {{"bqsync tables", "all tables"}},
        .switches = ARGS_JSON,
        .run = command_tables,
    },
    {
        .name = "ddl",
        .arguments = "[TABLE...]",
        .summary = "print the DDL, BigQuery schema or MERGE of tables for review",
        .detail = "Prints what was generated from the definitions.",
        .examples =
            {{"bqsync ddl users", "the CREATE TABLE"},
             {"bqsync ddl users --format merge", "the MERGE"}},
        .switches = ARGS_FORMAT,
        .run = command_ddl,
    },
    {
        .name = "rejects",
        .arguments = "[TABLE...]",
        .summary = "list the rows that could not be encoded, and why",
        .detail = "Shows table, key, column, class of the value and reason of each rejected row.",
        .examples = {{"bqsync rejects users", "of one table"}},
        .switches = ARGS_JSON,
        .needs = NEEDS_SOURCE,
        .run = command_rejects,
    },
    {
        .name = "reset",
        .arguments = "TABLE...",
        .summary = "forget the progress of tables; the next sync replaces their content",
        .detail = "Deletes nothing in BigQuery and nothing in the source.",
        .examples = {{"bqsync reset users", "the next sync sends all rows of users"}},
        .switches = ARGS_JSON,
        .needs = NEEDS_SOURCE,
        .run = command_reset,
    },
    {
        .name = "forget",
        .arguments = "TABLE KEY...",
        .summary = "erase keys from BigQuery: kept rows, and all versions of the history",
        .detail =
            "Refused for keys that SQLite still has. A key of several columns is a JSON "
            "array of its values; BYTES are hex digits. Syncs the table first. Write -- before "
            "keys that begin with a dash.",
        .examples =
            {{"bqsync forget users 17 23", "erases two users"},
             {"bqsync forget order_lines '[17, \"a\"]'", "a key of two columns"},
             {"bqsync forget users 17 --dry-run", "counts what would be erased"}},
        .switches = ARGS_JSON | ARGS_DRY_RUN,
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS,
        .words = WORDS_TABLE_FIRST,
        .run = command_forget,
    },
    {
        .name = "capture",
        .arguments = "install|remove|show|prune [TABLE...]",
        .summary = "install, remove, show or prune the triggers that capture changes",
        .detail = "The first sync installs them by itself unless BQ_CAPTURE=manual. prune removes "
                  "those of tables that no "
                  "longer have a definition.",
        .examples =
            {{"bqsync capture show", "how each table's changes are found, and why"},
             {"bqsync capture prune", "removes the triggers of tables without a definition"},
             {"bqsync capture remove", "removes all triggers and their tables"}},
        .switches = ARGS_JSON,
        .needs = NEEDS_SOURCE,
        .words = WORDS_OWN,
        .choices = "install remove show prune",
        .run = command_capture,
    },
    {
        .name = "version",
        .arguments = "",
        .summary = "show the versions of bqsync and of the libraries that it runs with",
        .detail = "Says which SQLite it is, and whether that is the system's library or one that "
                  "was compiled in. --version prints only bqsync's own version.",
        .examples = {{"bqsync version", "for the report of a fault"}},
        .switches = ARGS_JSON,
        .words = WORDS_NONE,
        .needs_no_settings = true,
        .run = command_version,
    },
    {
        .name = "help",
        .arguments = "[COMMAND|settings]",
        .summary = "explain a command, or list the settings",
        .detail = "",
        .examples =
            {{"bqsync help sync", "options and examples of one command"},
             {"bqsync help settings", "all settings with their defaults"}},
        .words = WORDS_OWN,
        .needs_no_settings = true,
        .run = command_help,
    },
};

const struct command *commands(size_t *out_count)
{
    *out_count = sizeof table / sizeof table[0];
    return table;
}

const struct command *command_find(const char *name, struct error *err)
{
    const char *names[32];
    size_t count = 0;
    const struct command *all = commands(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
        names[i] = all[i].name;
    }
    names[count] = NULL;
    const char *nearest = config_nearest(name, names);
    if (nearest != NULL)
        error_set(err, ERROR_USAGE, "unknown command %s (did you mean %s?)", name, nearest);
    else
        error_set(err, ERROR_USAGE, "unknown command %s; see bqsync help", text_or_quotes(name));
    return NULL;
}

bool command_has_table(const struct invocation *in, const char *name)
{
    for (size_t i = 0; i < in->table_count; i++)
        if (strcmp(in->tables[i]->name, name) == 0)
            return true;
    return false;
}

/* Without an allocation: it may be memory that is missing. */
void command_complain(const char *message)
{
    char shown[2 * sizeof((struct error *)NULL)->message];
    char line[sizeof shown + 16];
    size_t written;

    text_format(line, sizeof line, "bqsync: %s\n", text_visible(shown, sizeof shown, message));
    // Who does not read it does not get it: the exit status says that something is wrong.
    (void)output_write(STDERR_FILENO, line, strlen(line), OUTPUT_PATIENCE_MS, &written);
}

int command_fail(const struct invocation *in, const struct error *err)
{
    command_complain(err->message);
    if ((in->args->switches & ARGS_JSON) != 0) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddItemToObject(json, "error", result_error_json(err));
        return command_print_json(json, error_exit_status(err->code));
    }
    return error_exit_status(err->code);
}

int command_print_text(char *text, int status)
{
    if (text != NULL) {
        puts(text);
        free(text);
        return status;
    }
    command_complain("out of memory for the document");
    return status != 0 ? status : error_exit_status(ERROR_MEMORY);
}

int command_print_json(cJSON *json, int status)
{
    char *text = json_print(json);

    cJSON_Delete(json);
    return command_print_text(text, status);
}
