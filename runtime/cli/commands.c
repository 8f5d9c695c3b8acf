#include "cli/commands.h"

#include "sync/pass/result.h"

#include <stdio.h>

static const struct command table[] = {
    {
        .name = "sync",
        .arguments = "[TABLE...]",
        .summary = "run one pass now, incremental unless --full is given",
        .switches = ARGS_JSON | ARGS_QUIET | ARGS_FULL | ARGS_DRY_RUN,
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS,
        .run = command_sync,
    },
    {
        .name = "serve",
        .arguments = "",
        .summary = "run the daemon with schedule and admin API, until SIGTERM",
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS | NEEDS_SERVICE_BUDGET,
        .run = command_serve,
    },
    {
        .name = "check",
        .arguments = "[TABLE...]",
        .summary = "check settings, source, credentials and permissions; writes nothing",
        .switches = ARGS_JSON,
        .run = command_check,
    },
    {
        .name = "plan",
        .arguments = "[TABLE...]",
        .summary = "show what the next sync would do, and its DDL",
        .switches = ARGS_JSON | ARGS_FULL,
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS,
        .run = command_plan,
    },
    {
        .name = "verify",
        .arguments = "[TABLE...]",
        .summary = "prove that BigQuery equals SQLite",
        .switches = ARGS_JSON | ARGS_REPAIR,
        .needs = NEEDS_WAREHOUSE | NEEDS_SOURCE | NEEDS_CREDENTIALS,
        .run = command_verify,
    },
    {
        .name = "status",
        .arguments = "[TABLE...]",
        .summary = "show the progress of every table, the last run and the next ones",
        .switches = ARGS_JSON,
        .needs = NEEDS_SOURCE,
        .run = command_status,
    },
    {
        .name = "tables",
        .arguments = "[TABLE...]",
        .summary = "list the tables that are compiled in",
        .switches = ARGS_JSON,
        .run = command_tables,
    },
    {
        .name = "ddl",
        .arguments = "[TABLE...]",
        .summary = "print the DDL, BigQuery schema or MERGE of tables for review",
        .switches = ARGS_FORMAT,
        .run = command_ddl,
    },
    {
        .name = "rejects",
        .arguments = "[TABLE...]",
        .summary = "list the rows that could not be encoded, and why",
        .switches = ARGS_JSON,
        .needs = NEEDS_SOURCE,
        .run = command_rejects,
    },
    {
        .name = "reset",
        .arguments = "TABLE...",
        .summary = "forget the progress of tables; the next sync replaces their content",
        .switches = ARGS_JSON,
        .needs = NEEDS_SOURCE,
        .run = command_reset,
    },
    {
        .name = "capture",
        .arguments = "install|remove|show [TABLE...]",
        .summary = "install, remove or show the triggers that capture changes",
        .switches = ARGS_JSON,
        .needs = NEEDS_SOURCE,
        .takes_words = true,
        .run = command_capture,
    },
};

const struct command *commands(size_t *out_count)
{
    *out_count = sizeof table / sizeof table[0];
    return table;
}

int command_fail(const struct invocation *in, const struct error *err)
{
    fprintf(stderr, "bqsync: %s\n", err->message);
    if (in != NULL && (in->args->switches & ARGS_JSON) != 0) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddItemToObject(json, "error", result_error_json(err));
        return command_print_json(json, error_exit_status(err->code));
    }
    return error_exit_status(err->code);
}

int command_print_json(cJSON *json, int status)
{
    char *text = cJSON_PrintUnformatted(json);

    if (text != NULL)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
    return status;
}
