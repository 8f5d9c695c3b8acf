/* job_retry: whether a job that failed deserves another one, and when. Each new job gets an intent
 * and an id of its own, so this never repeats a request whose answer was lost. */
#ifndef BQSYNC_SYNC_COMMIT_JOB_RETRY_H
#define BQSYNC_SYNC_COMMIT_JOB_RETRY_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>
#include <stdint.h>

/* The jobs of one commit. Starts as zeros. */
struct job_retry {
    int failed;
    int64_t waited_ms;
};

/* A job of `subject` failed with *err. Waits and returns true if another one may help. False: *err
 * stays the last word, or is ERROR_STOPPED. The pauses of one commit add up to at most the retry
 * budget, however long its jobs run: a job that fails after minutes is tried again as well. */
bool job_retry_again(
    struct worker *worker, struct job_retry *retry, const char *subject, struct error *err);

/* BigQuery has refused a job on the task's target for good: *why. If this pass has not compared
 * that target with its definition, somebody may have altered it by hand: then the task is outdated,
 * and its next plan compares the target. Returns whether that is so. */
bool job_retry_after_comparison(struct task *task, const struct error *why);

#endif
