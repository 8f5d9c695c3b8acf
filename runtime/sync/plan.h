/* plan: what has to be done for a table, and the cheapest correct way: nothing, its changes, or all
 * of it again. Reads the source and the state; contacts nobody and writes nothing. */
#ifndef BQSYNC_SYNC_PLAN_H
#define BQSYNC_SYNC_PLAN_H

#include "base/config.h"
#include "base/error.h"
#include "source/database.h"
#include "source/tracking.h"
#include "sync/task.h"

#include <stdbool.h>

/* Fills shape, progress, capture and work of a task whose listing has been read. full: the whole
 * content is wanted. ERROR_SCHEMA names what the source lacks and the mend. */
MUST_CHECK bool plan_table(
    const struct config *config, struct database *source, struct tracking *tracking,
    struct task *task, bool full, struct error *err);

#endif
