/* quota_record: how much of BigQuery's daily quota of loads each target has used, kept in
 * bq_sync_loads of the state database so that it is known across processes, and what a day of the
 * present schedule uses. The count of a running process is the warehouse's (warehouse/quota.h): it
 * is fed from here at the start of a pass and saved at its end. */
#ifndef BQSYNC_SYNC_PASS_QUOTA_RECORD_H
#define BQSYNC_SYNC_PASS_QUOTA_RECORD_H

#include "base/config.h"
#include "base/error.h"
#include "base/table.h"
#include "source/tracking.h"
#include "sync/deployment.h"
#include "sync/pass/task.h"
#include "warehouse/quota.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* The last of the quota, kept for replacements: an append table inserts its rows by a
 * statement then, which BigQuery does not count. */
#define QUOTA_RESERVE 20

/* Restores what earlier processes have used, and notes in the tasks which targets are near the
 * limit. */
MUST_CHECK bool quota_record_restore(
    const struct deployment *deployment, struct tracking *tracking, struct task *tasks,
    size_t count, struct error *err);
/* Whether so much of the day's quota of the table's target is used that none is left for appends.
 */
bool quota_record_is_near(const struct table *table, int64_t used);
/* Saves the counts of the tasks' targets; writes nothing where nothing has changed. */
MUST_CHECK bool quota_record_save(
    const struct deployment *deployment, struct tracking *tracking, const struct task *tasks,
    size_t count, struct error *err);

/* What the state database knows of a table's target: its use in the hours that count at now_us
 * (wall clock). */
MUST_CHECK bool quota_record_used(
    const struct config *config, struct tracking *tracking, const struct table *table,
    int64_t now_us, int64_t *out_used, struct error *err);

#define QUOTA_UNKNOWN (-1)

/* From this count in a day on, `plan` and `status` show it. */
#define QUOTA_NEAR(limit) ((limit)*4 / 5)

/* At most how many loads a day of the configured schedule makes when every pass finds something to
 * send in this mode. QUOTA_UNKNOWN if each of them may follow a commit (BQ_SYNC_FOLLOW). */
int64_t quota_record_loads_a_day(const struct config *config, enum send_mode mode);

/* How many modifications of the table's target these loads are. QUOTA_UNKNOWN also if there are any
 * and the target is partitioned: each changes as many partitions as its rows will lie in. */
int64_t quota_record_forecast(const struct config *config, const struct table *table);

/* Adds it to a report as modifications_a_day, null if it is not known. */
void quota_record_add_forecast(cJSON *json, int64_t modifications);

#endif
