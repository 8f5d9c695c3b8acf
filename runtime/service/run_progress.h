/* run_progress: a queued or running pass as JSON, made from its progress. Any thread may call. */
#ifndef BQSYNC_SERVICE_RUN_PROGRESS_H
#define BQSYNC_SERVICE_RUN_PROGRESS_H

#include "sync/pass/progress.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* The run's document as of now: that of `sync --json` with ok, finished_at and duration_ms null,
 * and with "state", and for each table "phase", "rows_read", "rows_expected" (null: not known) and
 * a status "waiting" or "running" until it is final. If the progress still shows an earlier run,
 * the document has no tables. Returned owned, NULL out of memory. */
cJSON *run_progress_json(
    struct pass_progress *progress, const char *run_id, enum run_kind kind, bool running);

#endif
