#include "sync/verify/verify.h"

#include "base/clock.h"
#include "base/log.h"
#include "source/tracking.h"
#include "sync/verify/comparison.h"

#include <stdlib.h>
#include <string.h>

/* Comparisons of one table that a sync disturbs, the first included. */
#define TRIES_MAX 3
/* For a sync that is about to end. */
#define PAUSE_MS 1000

/* What of the state tells whether BigQuery's content may have changed. */
struct progress {
    struct watermark watermark;
    bool intent_open;
};

static bool load_progress(
    struct tracking *tracking, const struct table *table, struct progress *out_progress,
    struct error *err)
{
    struct intent ignored;

    return tracking_load(tracking, table->name, &out_progress->watermark, err) &&
           tracking_intent(tracking, table->name, &out_progress->intent_open, &ignored, err);
}

/* Whether a sync of the table ended, or may have changed BigQuery, between the two moments. */
static bool is_disturbed(const struct progress *before, const struct progress *after)
{
    const struct watermark *a = &before->watermark;
    const struct watermark *b = &after->watermark;

    return before->intent_open || after->intent_open || a->found != b->found ||
           a->generation != b->generation || a->synced_sequence != b->synced_sequence ||
           a->last_synced_row_id != b->last_synced_row_id ||
           strcmp(a->last_synced_at, b->last_synced_at) != 0;
}

/* A table is read in a snapshot of its own, and its progress is read inside that snapshot. */
static bool compare_once(
    struct comparison_sides *sides, struct verify_table *entry, struct error *err)
{
    bool ok = database_begin_snapshot(sides->source, err) && comparison_run(sides, entry, err);

    database_rollback(sides->source);
    return ok;
}

/* A sync that ends while BigQuery computes moves its rows past those of our snapshot, and they look
 * extra or different. So a table that differs is compared again if its progress has moved meanwhile
 * or a sync of it is under way. */
static bool compare_settled(
    struct comparison_sides *sides, struct verify_table *entry, struct error *err)
{
    const struct clock *clock = sides->clock;
    struct progress before;
    struct progress after;

    for (int try = 1;; try++) {
        int64_t billed = entry->bytes_billed;
        if (!load_progress(sides->tracking, entry->table, &before, err))
            return false;
        bool ok = compare_once(sides, entry, err);
        entry->bytes_billed += billed;
        if (!ok || entry->equal || try == TRIES_MAX)
            return ok;
        if (!load_progress(sides->tracking, entry->table, &after, err))
            return false;
        if (!is_disturbed(&before, &after))
            return true;
        if (after.intent_open && !clock->sleep_ms(clock->context, PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while verifying");
        verify_report_restart(entry);
    }
}

/* A table that cannot be compared does not stop the others; only clock_stop does. */
static bool verify_each(
    struct comparison_sides *sides, const struct verify_watch *watch, struct verify_table *report,
    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        // A request that failed and succeeded when it was made again leaves its error in why.
        struct error why = {0};
        if (watch != NULL)
            watch->table_begins(watch->context, i);
        bool done = compare_settled(sides, &report[i], &why);
        if (clock_stopped())
            return false;
        if (!done) {
            report[i].error = why;
            log_error(
                "table not verified", LOG_TEXT("table", report[i].table->name),
                LOG_TEXT("error", why.message));
        }
        if (watch != NULL)
            watch->table_ends(watch->context, &report[i]);
    }
    return true;
}

/* The bills of queries are written into the state while verify's own connections, which may only
 * read, are open. In WAL mode the last connection copies the log into the database and deletes it,
 * unless it may only read (SQLite documentation, "Write-Ahead Logging"). So the last one is one
 * that may write. Only the size of the log depends on it. */
static void close_last(const struct config *config)
{
    struct database last;
    struct error ignored;

    if (database_open(config->state_path, DATABASE_WRITE, DATABASE_PATIENCE_MS, &last, &ignored))
        database_close(&last);
}

bool verify_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct verify_watch *watch, struct verify_table **out_report, struct error *err)
{
    const struct config *config = deployment->config;
    struct database source;
    struct tracking tracking;
    struct comparison_sides sides = {
        .config = config,
        .source = &source,
        .tracking = &tracking,
        .clock = deployment->clock,
    };
    struct verify_table *report = NULL;
    struct dataset dataset;
    bool ok = false;
    bool billed = false;

    if (!database_open(config->sqlite_path, DATABASE_READ, DATABASE_PATIENCE_MS, &source, err))
        return false;
    if (!tracking_open_read(config->state_path, &tracking, err)) {
        database_close(&source);
        return false;
    }
    if (!deployment_bigquery(deployment, NULL, NULL, &sides.bigquery, err) ||
        !bigquery_dataset_get(sides.bigquery, &dataset, err))
        goto cleanup;
    bigquery_set_location(sides.bigquery, dataset.location);
    if (!verify_report_new(tables, count, &report, err))
        goto cleanup;
    bool ended = verify_each(&sides, watch, report, count);
    for (size_t i = 0; i < count; i++)
        billed = billed || report[i].bytes_billed > 0;
    if (!ended) {
        error_set(err, ERROR_STOPPED, "stopped while verifying");
        goto cleanup;
    }
    *out_report = report;
    report = NULL;
    ok = true;

cleanup:
    verify_report_free(report, count);
    bigquery_close(sides.bigquery);
    tracking_close(&tracking);
    database_close(&source);
    if (billed)
        close_last(config);
    return ok;
}
