#include "service/ledger.h"

#include "base/clock.h"
#include "base/json_exact.h"
#include "base/json_text.h"
#include "encode/civil.h"

#include <stdlib.h>
#include <string.h>

/* An idle pass takes milliseconds, a first one may take hours. */
const double ledger_bounds[LEDGER_BUCKETS - 1] = {0.1, 0.25, 0.5, 1,   2.5, 5,
                                                  10,  30,   120, 600, 3600};

/* How many runs of the history are searched: all that are kept. */
#define HISTORY_DEPTH 500

struct seed {
    struct ledger *ledger;
    int64_t full_since_us;
    bool full_found;
    bool newest_seen;
    bool ok_found;
};

bool ledger_init(
    struct ledger *ledger, const struct table *const *tables, size_t count, struct error *err)
{
    *ledger = (struct ledger){.count = count, .last_ok = true};
    ledger->tables = calloc(count + 1, sizeof *ledger->tables);
    if (ledger->tables == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        ledger->tables[i].table = tables[i];
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

/* --- from the history -------------------------------------------------------------------- */

static int64_t time_of(const cJSON *object, const char *name)
{
    const struct civil_rules plain = {.zone = NULL};
    int64_t us = 0;

    return civil_timestamp_of_text(slice_of(json_text_of(object, name, "")), &plain, &us) == NULL
               ? us
               : 0;
}

static void note_fresh(struct ledger *ledger, const cJSON *run, int64_t started_us)
{
    const cJSON *entry = NULL;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(run, "tables"))
    {
        const char *status = json_text_of(entry, "status", "");
        struct ledger_table *table = find(ledger, json_text_of(entry, "table", ""));
        if (table == NULL || table->fresh_us >= started_us)
            continue;
        if (strcmp(status, "synced") == 0 || strcmp(status, "unchanged") == 0)
            table->fresh_us = started_us;
    }
}

/* Runs are seen newest first, so a value that is set already is newer. */
static void see_run(struct seed *seed, const cJSON *run)
{
    int64_t started_us = time_of(run, "started_at");
    bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run, "ok"));

    if (started_us == 0)
        return;
    note_fresh(seed->ledger, run, started_us);
    if (!seed->newest_seen) {
        seed->newest_seen = true;
        seed->ledger->last_ok = ok;
        seed->ledger->last_run_us = time_of(run, "finished_at");
    }
    if (ok && !seed->ok_found) {
        seed->ok_found = true;
        seed->ledger->last_ok_us = time_of(run, "finished_at");
    }
    // The oldest run so far, until a full one is found.
    seed->full_since_us = started_us;
    seed->full_found = strcmp(json_text_of(run, "kind", ""), "full") == 0;
}

static bool seed_run(void *context, const char *run_id, const char *state, const char *json)
{
    struct seed *seed = context;
    cJSON *run = json_parse_exact(json);

    (void)run_id;
    (void)state;
    see_run(seed, run);
    cJSON_Delete(run);
    return !seed->full_found;
}

bool ledger_seed(
    struct ledger *ledger, struct tracking *tracking, const cJSON *idle, int64_t *out_full_since_us,
    struct error *err)
{
    struct seed seed = {.ledger = ledger, .full_since_us = INT64_MAX};

    see_run(&seed, idle);
    if (!tracking_each_run(tracking, HISTORY_DEPTH, seed_run, &seed, err))
        return false;
    *out_full_since_us = seed.full_since_us;
    return true;
}

void ledger_learn(struct ledger *ledger, const cJSON *run)
{
    int64_t started_us = time_of(run, "started_at");

    pthread_mutex_lock(&ledger->mutex);
    if (started_us != 0)
        note_fresh(ledger, run, started_us);
    pthread_mutex_unlock(&ledger->mutex);
}

/* --- from the passes of this process ----------------------------------------------------- */

static void add_table(struct ledger_table *table, const struct table_result *result, int64_t us)
{
    table->rows_inserted += result->rows_inserted;
    table->rows_updated += result->rows_updated;
    table->rows_deleted += result->rows_deleted;
    table->rows_unfit += result->rows_unfit;
    table->bytes_sent += result->bytes_sent;
    table->bytes_billed += result->bytes_billed;
    if (result->status == TABLE_FAILED)
        table->failures++;
    if (result->status == TABLE_SYNCED || result->status == TABLE_UNCHANGED)
        table->fresh_us = us;
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
