/* cmd_why: `bqsync status --why`: what failed and what to do, for the morning after. Reads the
 * state database; takes no lock and makes no request. */
#include "cli/cmd_why.h"

#include "base/json_exact.h"
#include "base/json_text.h"
#include "cli/console.h"
#include "service/past_runs.h"
#include "service/state_read.h"
#include "service/status_document.h"
#include "source/rejects.h"
#include "source/tracking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_KEYS 3

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* --- the document ------------------------------------------------------------------------ */

/* The newest run that failed, NULL if none of those that are kept did. */
static const cJSON *find_failed(const cJSON *runs)
{
    const cJSON *run = NULL;

    cJSON_ArrayForEach(run, runs)
    {
        if (cJSON_IsFalse(member(run, "ok")))
            return run;
    }
    return NULL;
}

/* The code of the newest failure of a table in the runs that are kept, NULL: none of them has it.
 */
static const char *code_of(const cJSON *runs, const char *name)
{
    const cJSON *run = NULL;
    const cJSON *table = NULL;

    cJSON_ArrayForEach(run, runs)
    {
        cJSON_ArrayForEach(table, member(run, "tables"))
        {
            if (strcmp(json_text_of(table, "table", ""), name) == 0 &&
                cJSON_IsObject(member(table, "error")))
                return json_text_of(member(table, "error"), "code", NULL);
        }
    }
    return NULL;
}

/* The tables whose last sync failed, whichever run that was. */
static bool add_failing(
    const struct invocation *in, struct tracking *tracking, const cJSON *runs, cJSON *json,
    struct error *err)
{
    cJSON *array = cJSON_AddArrayToObject(json, "tables");

    for (size_t i = 0; i < in->table_count; i++) {
        struct watermark watermark;
        if (!tracking_load(tracking, in->tables[i]->name, &watermark, err))
            return false;
        if (watermark.last_error[0] == '\0')
            continue;
        const char *code = code_of(runs, in->tables[i]->name);
        cJSON *table = cJSON_CreateObject();
        cJSON_AddStringToObject(table, "table", in->tables[i]->name);
        cJSON_AddItemToObject(
            table, "code", code == NULL ? cJSON_CreateNull() : cJSON_CreateString(code));
        cJSON_AddStringToObject(table, "message", watermark.last_error);
        cJSON_AddItemToArray(array, table);
    }
    return true;
}

struct grouping {
    const struct invocation *in;
    cJSON *groups;
};

static bool belongs(const cJSON *group, const struct reject *reject)
{
    return strcmp(json_text_of(group, "table", ""), reject->table) == 0 &&
           strcmp(json_text_of(group, "column", ""), reject->column) == 0 &&
           strcmp(json_text_of(group, "storage_class", ""), reject->storage_class) == 0 &&
           strcmp(json_text_of(group, "reason", ""), reject->reason) == 0;
}

static cJSON *group_of(cJSON *groups, const struct reject *reject)
{
    cJSON *group = NULL;

    cJSON_ArrayForEach(group, groups)
    {
        if (belongs(group, reject))
            return group;
    }
    group = cJSON_CreateObject();
    cJSON_AddStringToObject(group, "table", reject->table);
    cJSON_AddStringToObject(group, "column", reject->column);
    cJSON_AddStringToObject(group, "storage_class", reject->storage_class);
    cJSON_AddStringToObject(group, "reason", reject->reason);
    json_add_int64(group, "rows", 0);
    cJSON_AddArrayToObject(group, "keys");
    cJSON_AddItemToArray(groups, group);
    return group;
}

static bool add_reject(void *context, const struct reject *reject)
{
    struct grouping *grouping = context;

    if (!command_has_table(grouping->in, reject->table))
        return true;
    cJSON *group = group_of(grouping->groups, reject);
    cJSON *keys = cJSON_GetObjectItemCaseSensitive(group, "keys");
    int64_t rows = json_int64_of(member(group, "rows"), 0) + 1;
    cJSON_DeleteItemFromObjectCaseSensitive(group, "rows");
    json_add_int64(group, "rows", rows);
    if (cJSON_GetArraySize(keys) < SAMPLE_KEYS)
        cJSON_AddItemToArray(keys, cJSON_CreateRaw(reject->key_json));
    return true;
}

static void add_running(const char *state_path, cJSON *json)
{
    cJSON *running = NULL;
    cJSON *outage = NULL;

    status_document_elsewhere(state_path, &running, &outage);
    cJSON_AddItemToObject(json, "running", running == NULL ? cJSON_CreateNull() : running);
    cJSON_AddItemToObject(json, "outage", outage == NULL ? cJSON_CreateNull() : outage);
}

static bool fill(
    const struct invocation *in, struct tracking *tracking, cJSON *json, struct error *err)
{
    cJSON *runs = NULL;

    if (!past_runs_list(tracking, NULL, TRACKING_RUNS_KEPT, &runs, err))
        return false;
    const cJSON *failed = find_failed(runs);
    const cJSON *newest = cJSON_GetArrayItem(runs, 0);
    cJSON_AddItemToObject(
        json, "last_run_ok",
        newest == NULL ? cJSON_CreateNull() : cJSON_CreateBool(newest != failed));
    cJSON_AddItemToObject(
        json, "failed_run", failed == NULL ? cJSON_CreateNull() : cJSON_Duplicate(failed, true));
    bool ok = add_failing(in, tracking, runs, json, err);
    cJSON_Delete(runs);
    struct grouping grouping = {.in = in, .groups = cJSON_AddArrayToObject(json, "rejects")};
    return ok && rejects_each(tracking, NULL, add_reject, &grouping, err);
}

/* --- the text ---------------------------------------------------------------------------- */

static void print_fix(const char *code)
{
    const char *fix = error_fix(code);

    if (fix != NULL)
        printf("    -> %s\n", fix);
}

static void print_error(
    const struct colours *colour, const char *who, const char *code, const char *message)
{
    printf("%s%s%s  code=%s\n", colour->bad, who, colour->end, code);
    console_print_indented(message, "", "");
    print_fix(code);
}

void command_print_outage(const struct colours *colour, const cJSON *outage)
{
    int64_t attempts = json_int64_of(member(outage, "attempts"), 0);

    if (attempts > 0)
        printf(
            "    %sretrying: BigQuery has given no good answer since %s, in %" PRId64
            " attempt%s: %s%s\n",
            colour->bad, json_text_of(outage, "since", "?"), attempts, attempts == 1 ? "" : "s",
            json_text_of(outage, "message", ""), colour->end);
}

/* Returns whether a run goes on that is hindered. */
static bool print_running(const struct colours *colour, const cJSON *json)
{
    const cJSON *running = member(json, "running");

    if (!cJSON_IsObject(running))
        return false;
    printf(
        "running now: %s since %s (%s)\n", json_text_of(running, "kind", ""),
        json_text_of(running, "started_at", "?"), json_text_of(running, "holder", ""));
    command_print_outage(colour, member(json, "outage"));
    if (!cJSON_IsObject(member(json, "outage")))
        return false;
    print_fix(error_code_name(ERROR_UNREACHABLE));
    return true;
}

static void print_run(const struct colours *colour, const cJSON *run)
{
    const cJSON *table = NULL;
    const cJSON *error = member(run, "error");

    printf(
        "last failed run: %s (%s), ended %s\n", json_text_of(run, "run_id", ""),
        json_text_of(run, "kind", ""), json_text_of(run, "finished_at", "?"));
    if (cJSON_IsObject(error))
        print_error(
            colour, "  the whole run", json_text_of(error, "code", "?"),
            json_text_of(error, "message", ""));
    cJSON_ArrayForEach(table, member(run, "tables"))
    {
        error = member(table, "error");
        if (cJSON_IsObject(error)) {
            printf(
                "  %s  code=%s\n", json_text_of(table, "table", ""),
                json_text_of(error, "code", "?"));
            console_print_indented(json_text_of(error, "message", ""), "", "");
        }
    }
}

static void print_rejects(const struct colours *colour, const cJSON *groups)
{
    const cJSON *group = NULL;

    cJSON_ArrayForEach(group, groups)
    {
        const cJSON *key = NULL;
        int64_t rows = json_int64_of(member(group, "rows"), 0);
        printf(
            "%s%s.%s%s  %" PRId64 " row%s: %s value %s:", colour->warn,
            json_text_of(group, "table", ""), json_text_of(group, "column", ""), colour->end, rows,
            rows == 1 ? "" : "s", json_text_of(group, "storage_class", ""),
            json_text_of(group, "reason", ""));
        cJSON_ArrayForEach(key, member(group, "keys"))
        {
            printf(" %s", key->valuestring == NULL ? "?" : key->valuestring);
        }
        printf("%s\n", rows > SAMPLE_KEYS ? " ..." : "");
    }
}

/* Whether the newest run ended early, so that no table has been synced since. */
static bool whole_run_fails(const cJSON *json)
{
    return cJSON_IsFalse(member(json, "last_run_ok")) &&
           cJSON_IsObject(member(member(json, "failed_run"), "error"));
}

static void print_why(const cJSON *json)
{
    struct colours colour = console_colours();
    bool whole = whole_run_fails(json);
    const cJSON *tables = member(json, "tables");
    const cJSON *rejects = member(json, "rejects");
    const cJSON *table = NULL;
    bool hindered = print_running(&colour, json);

    if (cJSON_IsObject(member(json, "failed_run")))
        print_run(&colour, member(json, "failed_run"));
    else
        printf("No run has failed, as far as runs are kept.\n");
    if (whole)
        printf(
            "\n%sfailing now: the whole run%s, as above; no table is synced\n", colour.bad,
            colour.end);
    if (cJSON_GetArraySize(tables) > 0)
        printf("\nfailing now:\n");
    cJSON_ArrayForEach(table, tables) print_error(
        &colour, json_text_of(table, "table", ""), json_text_of(table, "code", "unknown"),
        json_text_of(table, "message", ""));
    if (cJSON_GetArraySize(rejects) > 0)
        printf("\nrejected rows (correct them in SQLite, or the definition):\n");
    print_rejects(&colour, rejects);
    if (!whole && !hindered && cJSON_GetArraySize(tables) + cJSON_GetArraySize(rejects) == 0)
        printf("Nothing is failing now, and no row is rejected.\n");
}

int command_why(struct invocation *in)
{
    struct tracking tracking;
    struct error err;
    cJSON *json = cJSON_CreateObject();

    add_running(in->config->state_path, json);
    // Before the first sync there may be no state database.
    bool open = false;
    bool ok = state_read_open_beside_source(in->config, &tracking, &open, &err);
    if (ok && open) {
        ok = fill(in, &tracking, json, &err);
        tracking_close(&tracking);
    }
    if (!ok) {
        cJSON_Delete(json);
        return command_fail(in, &err);
    }
    if ((in->args->switches & ARGS_JSON) != 0)
        return command_print_json(json, 0);
    print_why(json);
    cJSON_Delete(json);
    return 0;
}
