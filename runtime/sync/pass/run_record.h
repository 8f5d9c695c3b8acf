/* run_record: what is kept and logged of a pass when it has ended. Runs on the thread of the pass,
 * with the lock held. */
#ifndef BQSYNC_SYNC_PASS_RUN_RECORD_H
#define BQSYNC_SYNC_PASS_RUN_RECORD_H

#include "base/error.h"
#include "source/lock.h"
#include "source/tracking.h"
#include "sync/pass/progress.h"
#include "sync/pass/result.h"

/* Records a finished run in the state database, or only in the lock file if it changed nothing. */
MUST_CHECK bool run_record_save(
    const struct run_result *result, struct tracking *tracking, struct lock *lock,
    struct error *err);

/* Logs what became of each table and of the pass, and marks every table of the progress as done.
 * progress may be NULL. tracking is where the reasons of rejects are; NULL: they are not known. */
void run_record_log(
    const struct run_result *result, struct pass_progress *progress, struct tracking *tracking);

#endif
