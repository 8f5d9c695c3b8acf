/* intent: a table's promise to send its batch, on disk before the first request that changes
 * anything. It holds a random nonce; job ids and the name of the staging table are pure functions
 * of it, so a later run can ask about them after any crash. Within a series (sync/series.h) the id
 * of the commit job follows from the name of the series and the generation instead, so that a later
 * run can ask about a job whose intent it does not know. Here intents are made, recorded, and
 * ended: acknowledged when their commit job has succeeded, withdrawn when it never will. Called on
 * a worker's thread. */
#ifndef BQSYNC_SYNC_COMMIT_INTENT_H
#define BQSYNC_SYNC_COMMIT_INTENT_H

#include "base/error.h"
#include "source/tracking.h"
#include "sync/pass/label_jobs.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>

/* Makes an intent for the task's batch under the task's next generation, records it, and then
 * raises the label of the target, unless a series goes on. On an error that comes after the record
 * the intent stays open. If what the plan rests on has changed, nothing is recorded and the task is
 * outdated; the same if the target is gone, and the record is withdrawn. */
MUST_CHECK bool intent_begin(
    struct worker *worker, struct task *task, struct intent *out_intent, struct error *err);

/* The id of the job that fills the intent's staging table. */
void intent_load_job(const struct intent *intent, char out[static LABEL_JOB_ID_SIZE]);

/* Raises the label of a table that has nothing to send, which ends its series: an intent without a
 * job, which is withdrawn. If the process is killed meanwhile, recovery ends it as any other. */
MUST_CHECK bool intent_raise_label(struct worker *worker, struct task *task, struct error *err);

/* The commit job succeeded: moves the watermark, ends the intent, and drops its staging table. If
 * the table was reset, invalidated or restored meanwhile, the watermark stays and the task is
 * outdated. */
MUST_CHECK bool intent_acknowledge(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err);

/* The commit job will never succeed: ends the intent and drops its staging table. */
MUST_CHECK bool intent_withdraw(
    struct worker *worker, const struct intent *intent, struct error *err);

/* Moves the watermark of a task that has nothing to send, without a job or a new generation. The
 * task is outdated instead if what its plan rests on has changed. */
MUST_CHECK bool intent_acknowledge_nothing(
    struct worker *worker, struct task *task, struct error *err);

#endif
