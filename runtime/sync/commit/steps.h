/* steps: what both ways of applying batches consist of: table by table (apply), or all tables in
 * one transaction (atomic). Runs on a worker thread with the worker's connections. */
#ifndef BQSYNC_SYNC_COMMIT_STEPS_H
#define BQSYNC_SYNC_COMMIT_STEPS_H

#include "base/buffer.h"
#include "base/error.h"
#include "source/tracking.h"
#include "sync/commit/table_commit.h"
#include "sync/pass/task.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

/* Longer than any statement that is made here. */
#define STEP_STATEMENT_CEILING (64 << 20)

/* Publishes the task's rejects and makes what a scan found durable. *out_done: there is nothing to
 * send (all that was read was rejected, or rows came and went, or the table was just created and is
 * empty), and the watermark has been moved all the same. */
MUST_CHECK bool step_begin(
    struct worker *worker, struct task *task, bool *out_done, struct error *err);

/* A fresh intent under the task's next generation, on disk, and then the label on the target. */
MUST_CHECK bool step_intend(
    struct worker *worker, struct task *task, struct intent *out_intent, struct error *err);

/* The id of a job that the intent leads to. */
void step_job_id(const struct intent *intent, const char *step, char out[320]);

/* Whether a new job may succeed now where this one failed. A quota that is used up refills by the
 * hour or the day: that is for a later pass. */
bool step_may_help(const struct error *failure);

/* Tries one generation after another while `once` fails with *out_again: its job failed for a
 * passing reason, and its intent has been withdrawn. */
typedef bool step_try(struct worker *worker, struct task *task, bool *out_again, struct error *err);
MUST_CHECK bool step_tries(
    struct worker *worker, struct task *task, step_try *once, struct error *err);

/* Sends the task's file into a table under a job id. */
MUST_CHECK bool step_send(
    struct worker *worker, struct task *task, const char *job, const char *destination,
    enum load_disposition disposition, const char *phase, struct error *err);

/* Makes the intent's staging table and fills it. A load job that failed is a success of this call,
 * told in *out_job. */
MUST_CHECK bool step_stage(
    struct worker *worker, struct task *task, const struct intent *intent, struct job *out_job,
    struct error *err);

/* Appends the MERGE of the staging table into the target. */
void step_append_merge(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent);

/* The commit job succeeded. */
MUST_CHECK bool step_acknowledge(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err);

/* The staging table is of no use any more. It expires by itself, so a failure is only logged. */
void step_drop_staging(struct worker *worker, const struct intent *intent);

#endif
