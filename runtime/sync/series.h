/* series: which tables may be changed without raising their label first. BigQuery takes five
 * changes of a table's metadata in ten seconds, so passes that follow one another at once cannot
 * raise the label (task.h) each time. The first of them raises it and begins a series; those of the
 * next SERIES_MS leave it as it is. The state knows which generation the label shows and how the
 * series is called (struct watermark), and the commit jobs of a series have ids that follow from
 * its name and their generation. So a source that was restored from a backup of these seconds is
 * known by the job that BigQuery has of the next generation (sync/commit/settle.h).
 *
 * Here a process remembers which series are its own and how they stand. What it finds in the state
 * as it left it, nobody has restored. One for the deployment, thread-safe. */
#ifndef BQSYNC_SYNC_SERIES_H
#define BQSYNC_SYNC_SERIES_H

#include "base/clock.h"
#include "base/error.h"
#include "source/tracking.h"

#include <stdbool.h>
#include <stddef.h>

/* A label stays behind for this long; also the time in which a second pass begins a series, so that
 * a single commit costs no more requests than without. */
#define SERIES_MS 10000

struct series;

/* Knows of no series. The tables are all of the deployment; both are borrowed. Returned owned. */
MUST_CHECK bool series_new(
    const struct clock *clock, const struct table *const *tables, size_t table_count,
    struct series **out_series, struct error *err);
void series_free(struct series *series);

/* In all of these, NULL is a process that begins no series and has none. */

/* Whether the state is as this process has left it in the table's series. */
bool series_is_own(
    struct series *series, const struct table *table, const struct watermark *watermark);
/* The same, and the label was raised less than SERIES_MS ago: it may stay behind once more. */
bool series_goes_on(
    struct series *series, const struct table *table, const struct watermark *watermark);
/* Whether this process has raised the table's label less than SERIES_MS ago. */
bool series_is_worthwhile(struct series *series, const struct table *table);

/* The table's label was raised. */
void series_note_label(struct series *series, const struct table *table);
/* An intent is about to be recorded: until it is acknowledged, nothing is known of the series. */
void series_forget(struct series *series, const struct table *table);
/* An intent of this series ("" if there is none) was acknowledged. */
void series_note_intent(
    struct series *series, const struct table *table, const struct intent *intent);

#endif
