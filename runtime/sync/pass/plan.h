/* plan: what has to be done for a table, and the cheapest correct way: nothing, its changes, or all
 * of it again. Reads the source and the state; contacts nobody and writes nothing. */
#ifndef BQSYNC_SYNC_PASS_PLAN_H
#define BQSYNC_SYNC_PASS_PLAN_H

#include "base/config.h"
#include "base/error.h"
#include "source/database.h"
#include "source/tracking.h"
#include "sync/pass/task.h"

#include <stdbool.h>

/* Fills shape, watermark, capture and work of a task whose listing has been read. full: the whole
 * content is wanted. ERROR_SCHEMA names what the source lacks and the mend. */
MUST_CHECK bool plan_table(
    const struct config *config, struct database *source, struct tracking *tracking,
    struct task *task, bool full, struct error *err);

/* How changes of a table are found. *out_broken: triggers have to be (re)installed first.
 * ERROR_SCHEMA when the definition asks for what the configuration forbids. */
MUST_CHECK bool plan_capture(
    const struct config *config, struct database *source, const struct table *table,
    const struct source_shape *shape, enum task_capture *out_capture, bool *out_broken,
    struct error *err);

/* Whether so many changed rows make sending all of them the cheaper way. */
bool plan_prefers_replace(const struct task *task, int64_t changed);

#endif
