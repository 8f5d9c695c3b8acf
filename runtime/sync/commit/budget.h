/* budget: what the commit job of an intent may bill of the day's budget
 * (BQ_MAX_BYTES_BILLED_PER_DAY). It is reserved with the intent and is the job's cap, so that what
 * has been billed and what jobs under way may still bill never exceed the budget together. A table
 * reserves what BigQuery has last said that its statement needs, or at first the least bill: a job
 * above its cap is refused free of charge, and the refusal says what it needs. Called on a worker's
 * thread. */
#ifndef BQSYNC_SYNC_COMMIT_BUDGET_H
#define BQSYNC_SYNC_COMMIT_BUDGET_H

#include "base/error.h"
#include "source/tracking.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>

/* Sets intent->bytes_reserved for the task's batch; 0 if there is no budget, or the commit job is a
 * load or a TRUNCATE, which are free. While the rest of the budget is reserved by tables that are
 * under way, it waits for them, for at most the retry budget. ERROR_BUDGET. */
MUST_CHECK bool budget_reserve(
    struct worker *worker, const struct task *task, struct intent *intent, struct error *err);

/* The commit job failed. If it was refused for the cap that comes from the budget, notes in the
 * intent what it needs and sets *err to ERROR_BUDGET: another intent may reserve that. Returns
 * whether that is so. */
bool budget_learn(
    const struct worker *worker, struct intent *intent, const struct error *failure,
    struct error *err);

/* The script of a transaction was refused, whose tables have reserved `reserved` bytes together and
 * which needs more: reserves the rest with this intent, in memory. ERROR_BUDGET. */
MUST_CHECK bool budget_reserve_more(
    struct worker *worker, struct intent *intent, int64_t reserved, int64_t needed,
    struct error *err);

/* The budget and the present time, for tracking_intend. */
struct bill_limit budget_limit(const struct worker *worker);

#endif
