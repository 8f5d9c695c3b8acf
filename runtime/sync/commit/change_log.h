/* change_log: what a commit adds to the log of a table that keeps its history: one version for each
 * row that the batch inserts, updates or deletes. It is added by the transaction that changes the
 * target, so that neither is ever ahead of the other, and a commit job that is run once adds each
 * version once. Pure. */
#ifndef BQSYNC_SYNC_COMMIT_CHANGE_LOG_H
#define BQSYNC_SYNC_COMMIT_CHANGE_LOG_H

#include "base/buffer.h"
#include "source/tracking.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

/* Appends the statements that log what the intent sends, each with a semicolon behind it; nothing
 * if the table keeps no history. They read the target as it was before, so they come before the
 * statements that change it, in one transaction with them.
 *
 * Changes are inserts, updates or deletes as the batch says, or where it does not, by what the
 * target holds. A replacement is compared with the current versions of the log, and only
 * differences are added; first it marks the versions that a restore of the source undid
 * (intent->abandons_above) as abandoned. */
void change_log_append(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent);

#endif
