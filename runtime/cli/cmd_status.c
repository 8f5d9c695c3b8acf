/* cmd_status: `bqsync status`: shows the progress of every table, the last run and the next ones.
 * Reads the two databases; takes no lock and makes no request. */
#include "base/clock.h"
#include "base/json_exact.h"
#include "base/json_text.h"
#include "cli/bill.h"
#include "cli/cmd_why.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "service/ledger.h"
#include "service/lock_schedule.h"
#include "service/past_runs.h"
#include "service/scheduler.h"
#include "service/status.h"
#include "source/tracking.h"
#include "sync/pass/quota_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGE_SIZE 24

static int64_t number_of(const cJSON *object, const char *name, int64_t fallback)
{
    return json_int64_of(cJSON_GetObjectItemCaseSensitive(object, name), fallback);
}

/* A table that was synced, but since when it is fresh is in no run that is kept, has no age. */
static const char *age(const cJSON *table, char out[AGE_SIZE])
{
    int64_t seconds = number_of(table, "lag_seconds", -1);

    if (seconds < 0)
        snprintf(out, AGE_SIZE, "%s", json_text_of(table, "last_synced_at", NULL) ? "?" : "never");
    else if (seconds < 120)
        snprintf(out, AGE_SIZE, "%" PRId64 "s", seconds);
    else if (seconds < 7200)
        snprintf(out, AGE_SIZE, "%" PRId64 "m", seconds / 60);
    else if (seconds < 172800)
        snprintf(out, AGE_SIZE, "%" PRId64 "h", seconds / 3600);
    else
        snprintf(out, AGE_SIZE, "%" PRId64 "d", seconds / 86400);
    return out;
}

/* Whether the last pass of the table began later than the clock says now. Times in the same format
 * and zone can be compared as texts. */
static bool is_ahead(const cJSON *table, const char *now)
{
    return strcmp(json_text_of(table, "fresh_at", ""), now) > 0;
}

/* The code of a table's failure, which the runbook of docs/operations.md is keyed by; "" if the
 * last run did not fail it. */
static const char *code_of(const cJSON *json, const char *name)
{
    const cJSON *run = cJSON_GetObjectItemCaseSensitive(json, "last_run");
    const cJSON *table = NULL;

    cJSON_ArrayForEach(table, cJSON_GetObjectItemCaseSensitive(run, "tables"))
    {
        if (strcmp(json_text_of(table, "table", ""), name) == 0)
            return json_text_of(cJSON_GetObjectItemCaseSensitive(table, "error"), "code", "");
    }
    return "";
}

static void print_error(
    const struct colours *colour, const cJSON *json, const cJSON *table, const char *error)
{
    const char *code = code_of(json, json_text_of(table, "table", ""));

    printf(
        "    %s%s%s%s%s%s\n", colour->bad, code[0] != '\0' ? "code=" : "", code,
        code[0] != '\0' ? ": " : "", error, colour->end);
}

static void print_table(
    const struct colours *colour, int width, const cJSON *json, const cJSON *table)
{
    const char *now = json_text_of(json, "now", "");
    char lag[AGE_SIZE];
    char today[BILL_BYTES_SIZE];
    char month[BILL_BYTES_SIZE];
    int64_t pending = number_of(table, "pending_changes", STATUS_UNKNOWN);
    int64_t rejected = number_of(table, "rejected", 0);
    const char *error = json_text_of(table, "last_error", json_text_of(table, "problem", ""));
    const char *tint = error[0] != '\0' ? colour->bad : rejected > 0 ? colour->warn : colour->good;

    printf(
        "%s%s%*s%s %-8s %12" PRId64 " %8s ", tint,
        CONSOLE_PADDED(json_text_of(table, "table", ""), width), colour->end,
        json_text_of(table, "mode", ""), number_of(table, "last_synced_row_id", 0),
        is_ahead(table, now) ? "future" : age(table, lag));
    if (pending == STATUS_UNKNOWN)
        printf("%10s ", "?");
    else
        printf("%10" PRId64 " ", pending);
    printf(
        "%9" PRId64 " %10s %10s\n", rejected,
        bill_bytes(number_of(table, "bytes_billed_today", 0), today),
        bill_bytes(number_of(table, "bytes_billed_month", 0), month));
    if (error[0] != '\0')
        print_error(colour, json, table, error);
    int64_t used = number_of(table, "modifications_24h", 0);
    int64_t limit = number_of(table, "modifications_limit", QUOTA_DAILY_LIMIT);
    if (used >= QUOTA_NEAR(limit))
        printf(
            "    %sin the last 24 hours %" PRId64 " of the %" PRId64 " %s that BigQuery allows%s\n",
            colour->warn, used, limit, limit == QUOTA_DAILY_LIMIT ? "loads" : "changed partitions",
            colour->end);
}

/* A run is not ok while rows are rejected or tables fail, and its state alone does not say so. Its
 * own tables count, not those that status is asked for. */
static void print_reasons(const struct colours *colour, const cJSON *run)
{
    const cJSON *table = NULL;
    int64_t rejected = 0;
    int failed = 0;

    cJSON_ArrayForEach(table, cJSON_GetObjectItemCaseSensitive(run, "tables"))
    {
        rejected += number_of(table, "rows_rejected", 0);
        failed += strcmp(json_text_of(table, "status", ""), "failed") == 0 ? 1 : 0;
    }
    if (failed > 0)
        printf(
            "    %s%d table%s failed%s\n", colour->bad, failed, failed == 1 ? "" : "s",
            colour->end);
    if (rejected > 0)
        printf(
            "    %s%" PRId64 " row%s rejected: bqsync rejects lists values and reasons%s\n",
            colour->warn, rejected, rejected == 1 ? " is" : "s are", colour->end);
}

/* Without a service nobody keeps the schedule, unless a timer starts `bqsync sync`. */
static void print_schedule(const struct colours *colour, const cJSON *json)
{
    const cJSON *service = cJSON_GetObjectItemCaseSensitive(json, "service");
    const cJSON *job = NULL;

    const char *unknown = json_text_of(json, "service_unknown", NULL);

    if (unknown != NULL) {
        printf("service      %snot known: %s%s\n", colour->warn, unknown, colour->end);
        return;
    }
    if (!cJSON_IsObject(service)) {
        printf(
            "service      %snone running: start `bqsync serve`, or run `bqsync sync` by a "
            "timer%s\n",
            colour->warn, colour->end);
        return;
    }
    printf(
        "service      pid %" PRId64 ", since %s\n", number_of(service, "pid", 0),
        json_text_of(service, "since", "?"));
    cJSON_ArrayForEach(job, cJSON_GetObjectItemCaseSensitive(json, "jobs"))
    {
        const char *id = json_text_of(job, "id", "");
        bool follows = strcmp(id, "follow") == 0;
        printf(
            "%-12s %-24s next %s\n", id, json_text_of(job, "schedule", ""),
            json_text_of(job, "next_run", follows ? "at the next commit" : "never"));
    }
}

static void print_head(const struct colours *colour, const cJSON *json)
{
    const cJSON *run = cJSON_GetObjectItemCaseSensitive(json, "last_run");
    const char *state = json_text_of(run, "state", NULL);
    char billed[BILL_BYTES_SIZE];

    print_schedule(colour, json);
    const cJSON *running = cJSON_GetObjectItemCaseSensitive(json, "running");
    if (cJSON_IsObject(running))
        printf(
            "running now  %s since %s (%s; %s)\n", json_text_of(running, "kind", ""),
            json_text_of(running, "started_at", "?"), json_text_of(running, "run_id", ""),
            json_text_of(running, "holder", ""));
    command_print_outage(colour, cJSON_GetObjectItemCaseSensitive(json, "outage"));
    if (state == NULL)
        printf("last run     %snone yet%s\n", colour->dim, colour->end);
    else
        printf(
            "last run     %s %s%s%s, ended %s, billed %s (%s)\n", json_text_of(run, "kind", ""),
            strcmp(state, "done") == 0 ? colour->good : colour->bad, state, colour->end,
            json_text_of(run, "finished_at", "?"),
            bill_bytes(number_of(run, "bytes_billed", SPENDING_UNKNOWN), billed),
            json_text_of(run, "run_id", ""));
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(run, "error");
    if (cJSON_IsObject(error))
        printf(
            "    %scode=%s: %s%s\n", colour->bad, json_text_of(error, "code", "?"),
            json_text_of(error, "message", ""), colour->end);
    print_reasons(colour, run);
}

static void print_unknown(const struct colours *colour, const cJSON *tables)
{
    const cJSON *table = NULL;
    int scanned = 0;

    cJSON_ArrayForEach(table, tables)
    {
        bool known = number_of(table, "pending_changes", STATUS_UNKNOWN) != STATUS_UNKNOWN;
        if (!known && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(table, "scanned")))
            scanned++;
    }
    if (scanned > 0)
        printf(
            "%s?: not known until the next pass, which scans the table%s%s\n", colour->dim,
            scanned == 1 ? "" : "s", colour->end);
}

static void print_status(
    const struct invocation *in, const struct spending *spending, const cJSON *json)
{
    struct colours colour = console_colours();
    int width = console_name_width(in);
    const char *now = json_text_of(json, "now", "");
    const cJSON *table = NULL;
    int ahead = 0;

    print_head(&colour, json);
    bill_print(in->config, spending, colour.warn, colour.end);
    printf(
        "\n%s%-*s %-8s %12s %8s %10s %9s %10s %10s%s\n", colour.dim, width, "table", "mode",
        "last row id", "age", "pending", "rejected", "today", "month", colour.end);
    cJSON_ArrayForEach(table, cJSON_GetObjectItemCaseSensitive(json, "tables"))
    {
        print_table(&colour, width, json, table);
        ahead += is_ahead(table, now) ? 1 : 0;
    }
    print_unknown(&colour, cJSON_GetObjectItemCaseSensitive(json, "tables"));
    if (ahead > 0)
        printf(
            "%s%d table%s synced in the future: this machine's clock says %s. It was ahead at the "
            "last pass, or is behind now%s\n",
            colour.warn, ahead, ahead == 1 ? " was" : "s were", now, colour.end);
}

/* A missing state database is not an error: nothing has been synced yet. */
static bool seed(
    const struct config *config, const cJSON *idle, struct ledger *ledger, struct error *err)
{
    struct tracking tracking;
    int64_t ignored = 0;

    if (access(config->state_path, F_OK) != 0)
        return true;
    if (!tracking_open_read(config->state_path, &tracking, err))
        return false;
    bool ok = ledger_seed(ledger, &tracking, idle, &ignored, err);
    tracking_close(&tracking);
    return ok;
}

int command_status(struct invocation *in)
{
    if ((in->args->switches & ARGS_WHY) != 0)
        return command_why(in);

    const struct clock *clock = in->deployment->clock;
    int64_t now_us = clock->wall_us(clock->context);
    struct scheduler_view view = {0};
    struct status_table *probe = NULL;
    struct status *status = NULL;
    struct spending spending;
    struct ledger ledger = {0};
    struct error err = {.code = ERROR_MEMORY, .message = "out of memory"};
    struct config schedule;
    cJSON *told = lock_schedule_read(in->config, &schedule);
    cJSON *idle = past_runs_idle(in->config->state_path);
    int exit_status = 0;

    probe = calloc(in->table_count + 1, sizeof *probe);
    // The databases are read first, so that an unreadable one sets the exit status.
    if (probe == NULL || !status_new(in->config, in->tables, in->table_count, &status, &err) ||
        !status_read(status, probe, &err) || !status_spending(status, &spending, &err) ||
        !ledger_init(&ledger, in->tables, in->table_count, &err) ||
        !seed(in->config, idle, &ledger, &err) ||
        !scheduler_forecast(&schedule, now_us, &view, &err)) {
        exit_status = command_fail(in, &err);
        goto cleanup;
    }
    struct status_live live = {.now_us = now_us, .view = &view, .ledger = &ledger, .recent = idle};
    cJSON *json = status_json(status, &live);
    if ((in->args->switches & ARGS_JSON) != 0) {
        exit_status = command_print_json(json, 0);
    } else {
        print_status(in, &spending, json);
        cJSON_Delete(json);
    }

cleanup:
    cJSON_Delete(idle);
    cJSON_Delete(told);
    ledger_clear(&ledger);
    status_free(status);
    free(probe);
    return exit_status;
}
