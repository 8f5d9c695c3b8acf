/* preview: what the next sync would do, table by table, without doing it: rows to insert, update
 * and delete, the statements that would bring the target in line, or why that cannot be done. Reads
 * only; takes no lock. */
#ifndef BQSYNC_SYNC_REPORT_PLAN_REPORT_H
#define BQSYNC_SYNC_REPORT_PLAN_REPORT_H

#include "base/error.h"
#include "sync/deployment.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* The document of `plan --json`, owned. *out_blocked: some table cannot be synced. Fails when
 * nothing can be planned at all. */
MUST_CHECK bool preview_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count, bool full,
    cJSON **out_json, bool *out_blocked, struct error *err);

#endif
