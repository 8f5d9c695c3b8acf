/* history_diff: what separates the history of a table in BigQuery (its log, view and function) from
 * its definition, as a part of the target's target_diff. Pure: compares documents and contacts
 * nobody. */
#ifndef BQSYNC_SYNC_PASS_HISTORY_DIFF_H
#define BQSYNC_SYNC_PASS_HISTORY_DIFF_H

#include "base/error.h"
#include "sync/pass/target_diff.h"
#include "sync/pass/task.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Adds to *diff, which is the target's, what the next pass does about the history: statements, what
 * is set without one, and why the log cannot be brought in line, if the target can. live: the Table
 * resource of the log, NULL if there is none. ERROR_MEMORY only. */
MUST_CHECK bool history_compare(
    const struct task *task, const char *project, const char *dataset, const cJSON *live,
    struct target_diff *diff, struct error *err);

#endif
