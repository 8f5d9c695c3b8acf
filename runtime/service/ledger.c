#include "service/ledger.h"

#include "base/clock.h"
#include "base/json_exact.h"
#include "base/json_text.h"
#include "base/send_mode.h"
#include "base/text_fit.h"
#include "encode/civil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An idle pass takes milliseconds, a first one may take hours. */
const double ledger_bounds[LEDGER_BUCKETS - 1] = {0.1, 0.25, 0.5, 1,   2.5, 5,
                                                  10,  30,   120, 600, 3600};

struct seed {
    struct ledger *ledger;
    int64_t full_since_us;
    bool full_found;
    int64_t newest_us; /* start of the newest run so far, and of the newest one that was ok */
    int64_t newest_ok_us;
    char newest_id[RUN_ID_SIZE]; /* of the recorded runs, "": none was seen */
};

bool ledger_init(
    struct ledger *ledger, const struct table *const *tables, size_t count, struct error *err)
{
    *ledger = (struct ledger){.count = count, .last_ok = true};
    ledger->tables = calloc(count + 1, sizeof *ledger->tables);
    if (ledger->tables == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        ledger->tables[i].table = tables[i];
        ledger->tables[i].differences = LEDGER_UNKNOWN;
    }
    pthread_mutex_init(&ledger->mutex, NULL);
    return true;
}

void ledger_clear(struct ledger *ledger)
{
    if (ledger->tables == NULL)
        return;
    free(ledger->tables);
    pthread_mutex_destroy(&ledger->mutex);
    *ledger = (struct ledger){0};
}

static struct ledger_table *find(struct ledger *ledger, const char *name)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (strcmp(ledger->tables[i].table->name, name) == 0)
            return &ledger->tables[i];
    return NULL;
}

/* A replacement that began before the verification ended may be what it saw. */
static void note_replaced(struct ledger_table *table, int64_t started_us)
{
    if (started_us > table->verified_us)
        table->differences = LEDGER_UNKNOWN;
}

/* --- from past runs ---------------------------------------------------------------------- */

static int64_t time_of(const cJSON *object, const char *name)
{
    const struct civil_rules plain = {.zone = NULL};
    int64_t us = 0;

    return civil_timestamp_of_text(slice_of(json_text_of(object, name, "")), &plain, &us) == NULL
               ? us
               : 0;
}

static bool has_replaced(const cJSON *entry)
{
    return strcmp(json_text_of(entry, "status", ""), table_status_name(TABLE_SYNCED)) == 0 &&
           strcmp(json_text_of(entry, "mode", ""), send_mode_name(SEND_REPLACE)) == 0;
}

static void note_tables(struct ledger *ledger, const cJSON *run, int64_t started_us)
{
    const cJSON *entry = NULL;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(run, "tables"))
    {
        struct ledger_table *table = find(ledger, json_text_of(entry, "table", ""));
        if (table == NULL)
            continue;
        if (table->fresh_us < started_us &&
            table_status_is_fresh(json_text_of(entry, "status", "")))
            table->fresh_us = started_us;
        // What it has recorded is newer than what is known here.
        if (started_us > table->failed_us &&
            strcmp(json_text_of(entry, "status", ""), table_status_name(TABLE_SKIPPED)) != 0)
            table->last_error[0] = '\0';
        if (has_replaced(entry))
            note_replaced(table, started_us);
    }
}

static void see_end(struct seed *seed, const cJSON *run, int64_t started_us)
{
    bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run, "ok"));

    if (started_us >= seed->newest_us) {
        seed->newest_us = started_us;
        seed->ledger->last_ok = ok;
        seed->ledger->last_run_us = time_of(run, "finished_at");
    }
    if (ok && started_us >= seed->newest_ok_us) {
        seed->newest_ok_us = started_us;
        seed->ledger->last_ok_us = time_of(run, "finished_at");
    }
}

static bool knows_all(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->tables[i].fresh_us == 0)
            return false;
    return true;
}

/* Runs are seen newest first. */
static void see_run(struct seed *seed, const cJSON *run)
{
    int64_t started_us = time_of(run, "started_at");

    if (started_us == 0)
        return;
    note_tables(seed->ledger, run, started_us);
    see_end(seed, run, started_us);
    // The oldest run so far, until a full one is found.
    if (!seed->full_found)
        seed->full_since_us = started_us;
    seed->full_found = seed->full_found || strcmp(json_text_of(run, "kind", ""), "full") == 0;
}

static bool seed_run(void *context, const char *run_id, const char *state, const char *json)
{
    struct seed *seed = context;
    cJSON *run = json_parse_exact(json);

    (void)state;
    if (seed->newest_id[0] == '\0')
        snprintf(seed->newest_id, sizeof seed->newest_id, "%s", run_id);
    see_run(seed, run);
    cJSON_Delete(run);
    return !seed->full_found || !knows_all(seed->ledger);
}

bool ledger_seed(
    struct ledger *ledger, struct tracking *tracking, const cJSON *idle, int64_t *out_full_since_us,
    struct error *err)
{
    struct seed seed = {.ledger = ledger, .full_since_us = INT64_MAX};
    const cJSON *run = NULL;

    cJSON_ArrayForEach(run, idle) see_run(&seed, run);
    if (!tracking_each_run(tracking, TRACKING_RUNS_KEPT, seed_run, &seed, err))
        return false;
    memcpy(ledger->seen_id, seed.newest_id, sizeof ledger->seen_id);
    *out_full_since_us = seed.full_since_us;
    return true;
}

static bool catch_up_run(void *context, const char *run_id, const char *state, const char *json)
{
    struct seed *seed = context;

    (void)state;
    if (seed->newest_id[0] == '\0')
        snprintf(seed->newest_id, sizeof seed->newest_id, "%s", run_id);
    if (strcmp(run_id, seed->ledger->seen_id) == 0)
        return false;
    cJSON *run = json_parse_exact(json);
    note_tables(seed->ledger, run, time_of(run, "started_at"));
    cJSON_Delete(run);
    return true;
}

bool ledger_catch_up(
    struct ledger *ledger, const char *newest_id, const char *tracking_path, struct error *err)
{
    struct seed seed = {.ledger = ledger};
    struct tracking tracking;

    pthread_mutex_lock(&ledger->mutex);
    bool ok = strcmp(newest_id, ledger->seen_id) == 0;
    if (!ok && tracking_open_read(tracking_path, &tracking, err)) {
        ok = tracking_each_run(&tracking, TRACKING_RUNS_KEPT, catch_up_run, &seed, err);
        tracking_close(&tracking);
        if (ok)
            memcpy(ledger->seen_id, seed.newest_id, sizeof ledger->seen_id);
    }
    pthread_mutex_unlock(&ledger->mutex);
    return ok;
}

void ledger_learn(struct ledger *ledger, const cJSON *runs)
{
    const cJSON *run = NULL;

    pthread_mutex_lock(&ledger->mutex);
    cJSON_ArrayForEach(run, runs) note_tables(ledger, run, time_of(run, "started_at"));
    pthread_mutex_unlock(&ledger->mutex);
}

/* --- from the passes of this process ----------------------------------------------------- */

static void add_table(struct ledger_table *table, const struct table_result *result, int64_t us)
{
    char text[ERROR_TEXT_SIZE];

    table->rows_inserted += result->rows_inserted;
    table->rows_updated += result->rows_updated;
    table->rows_deleted += result->rows_deleted;
    table->rows_unfit += result->rows_unfit;
    table->bytes_sent += result->bytes_sent;
    table->bytes_billed += result->bytes_billed;
    if (result->status == TABLE_FAILED) {
        table->failures++;
        table->failed_us = us;
        // As a pass records it.
        text_format(
            table->last_error, sizeof table->last_error, "%s", error_text(&result->error, text));
    }
    if (result->status == TABLE_SYNCED || result->status == TABLE_UNCHANGED) {
        table->fresh_us = us;
        table->last_error[0] = '\0';
    }
    if (result->status == TABLE_SYNCED && result->mode == SEND_REPLACE)
        note_replaced(table, us);
}

static void add_duration(struct ledger_kind *kind, double seconds)
{
    size_t bucket = 0;

    while (bucket < LEDGER_BUCKETS - 1 && seconds > ledger_bounds[bucket])
        bucket++;
    kind->buckets[bucket]++;
    kind->seconds += seconds;
}

void ledger_add(struct ledger *ledger, const struct run_result *run)
{
    struct ledger_kind *kind = &ledger->kinds[run->kind];
    bool ok = run_result_ok(run);

    pthread_mutex_lock(&ledger->mutex);
    for (size_t i = 0; i < run->table_count; i++) {
        struct ledger_table *table = find(ledger, run->tables[i].table->name);
        // A pass that ended early has no result for the tables that it did not reach.
        if (table != NULL)
            add_table(table, &run->tables[i], run->started_us);
    }
    if (ok)
        kind->ok++;
    else
        kind->failed++;
    traffic_add(&ledger->traffic, &run->traffic);
    add_duration(kind, (double)clock_since_us(run->started_us, run->finished_us) / 1e6);
    ledger->last_ok = ok;
    ledger->last_run_us = run->finished_us;
    if (ok)
        ledger->last_ok_us = run->finished_us;
    pthread_mutex_unlock(&ledger->mutex);
}

void ledger_add_postponed(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger->postponed++;
    pthread_mutex_unlock(&ledger->mutex);
}

void ledger_verified(
    struct ledger *ledger, const struct table *table, int64_t differences, int64_t now_us)
{
    pthread_mutex_lock(&ledger->mutex);
    struct ledger_table *entry = find(ledger, table->name);
    if (entry != NULL) {
        entry->differences = differences;
        entry->verified_us = now_us;
    }
    pthread_mutex_unlock(&ledger->mutex);
}

const char *ledger_last_error(const struct ledger_table *table, const char *recorded)
{
    return table->last_error[0] != '\0' ? table->last_error : recorded;
}

bool ledger_copy(struct ledger *ledger, struct ledger *out_copy, struct error *err)
{
    struct ledger_table *tables = calloc(ledger->count + 1, sizeof *tables);

    if (tables == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    pthread_mutex_lock(&ledger->mutex);
    *out_copy = *ledger;
    memcpy(tables, ledger->tables, ledger->count * sizeof *tables);
    pthread_mutex_unlock(&ledger->mutex);
    out_copy->tables = tables;
    pthread_mutex_init(&out_copy->mutex, NULL);
    return true;
}
