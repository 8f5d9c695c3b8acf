/* quota: how much of BigQuery's daily allowance of modifications a target has used, kept in
 * bq_sync_quota of the state database so that it is known across processes, and what a day of the
 * present schedule uses. The counts of a running process are the governor's. */
#ifndef BQSYNC_SYNC_PASS_QUOTA_H
#define BQSYNC_SYNC_PASS_QUOTA_H

#include "base/config.h"
#include "base/error.h"
#include "base/table.h"
#include "source/tracking.h"
#include "sync/deployment.h"
#include "sync/pass/result.h"
#include "sync/pass/task.h"

#include <stdint.h>

#define QUOTA_MODIFICATIONS_A_DAY 1500

/* The last so many of a day are kept for replacements: an append table adds its rows by a MERGE
 * then, which BigQuery does not count. */
#define QUOTA_RESERVE 20

/* Tells the governor what earlier processes have used today, and marks the tasks whose targets are
 * near the limit. */
MUST_CHECK bool quota_begin(
    const struct deployment *deployment, struct tracking *tracking, struct task *tasks,
    size_t count, struct error *err);
/* Saves the counts of the tasks' targets; writes nothing where nothing has changed. */
MUST_CHECK bool quota_end(
    const struct deployment *deployment, struct tracking *tracking, const struct task *tasks,
    size_t count, struct error *err);

/* What the state database knows of a table's target. */
struct quota_use {
    int64_t day; /* as the governor counts them */
    int64_t modifications;
};
/* Zeros without a record. */
MUST_CHECK bool quota_load(
    const struct config *config, struct tracking *tracking, const struct table *table,
    struct quota_use *out_use, struct error *err);
/* Those of the day that it is now. */
int64_t quota_today(struct quota_use use, int64_t now_us);

/* At most how many modifications a day of the configured schedule makes when every pass finds
 * something to send in this mode. */
int64_t quota_a_day(const struct config *config, enum send_mode mode);

#endif
