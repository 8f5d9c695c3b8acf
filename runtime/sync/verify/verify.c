#include "sync/verify/verify.h"

#include "base/clock.h"
#include "base/log.h"
#include "source/tracking.h"
#include "sync/verify/comparison.h"

#include <stdlib.h>

/* Each table is read in a snapshot of its own, and its progress is read inside that snapshot: a
 * sync that ends in between would move the watermark past rows that the snapshot does not see, and
 * they would look extra. A table that cannot be compared does not stop the others; only clock_stop
 * does. */
static bool verify_each(
    struct comparison_sides *sides, const struct verify_watch *watch, struct verify_table *report,
    size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct error *why = &report[i].error;
        if (watch != NULL)
            watch->table_begins(watch->context, i);
        bool done =
            database_begin_snapshot(sides->source, why) && comparison_run(sides, &report[i], why);
        database_rollback(sides->source);
        if (clock_stopped())
            return error_set(
                err, ERROR_STOPPED, "stopped while verifying %s", report[i].table->name);
        if (!done)
            log_error(
                "table not verified", LOG_TEXT("table", report[i].table->name),
                LOG_TEXT("error", why->message));
    }
    return true;
}

bool verify_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct verify_watch *watch, struct verify_table **out_report, struct error *err)
{
    const struct config *config = deployment->config;
    struct database source;
    struct tracking tracking;
    struct comparison_sides sides = {.config = config, .source = &source, .tracking = &tracking};
    struct verify_table *report = NULL;
    char *location = NULL;
    bool ok = false;

    if (!database_open(config->sqlite_path, DATABASE_READ, DATABASE_PATIENCE_MS, &source, err))
        return false;
    if (!tracking_open_read(config->state_path, &tracking, err)) {
        database_close(&source);
        return false;
    }
    if (!deployment_bigquery(deployment, NULL, NULL, &sides.bigquery, err) ||
        !bigquery_dataset_get(sides.bigquery, &location, err))
        goto cleanup;
    bigquery_set_location(sides.bigquery, location);
    if (!verify_report_new(tables, count, &report, err) ||
        !verify_each(&sides, watch, report, count, err))
        goto cleanup;
    *out_report = report;
    report = NULL;
    ok = true;

cleanup:
    verify_report_free(report, count);
    free(location);
    bigquery_close(sides.bigquery);
    tracking_close(&tracking);
    database_close(&source);
    return ok;
}
