/* past_runs: past runs as JSON documents, from the state database and from this process's memory.
 * Reads only; needs no lock and no control tables. Call it on the thread that owns the struct
 * tracking. */
#ifndef BQSYNC_SERVICE_PAST_RUNS_H
#define BQSYNC_SERVICE_PAST_RUNS_H

#include "base/error.h"
#include "source/tracking.h"

#include <cjson/cJSON.h>

/* Up to `limit` runs that have ended, newest first, each as `sync --json` and with "state".
 * recent: runs that ended in this process, newest first, may be NULL; those that the database lacks
 * are inserted by time. *out_runs is returned owned, an array. */
MUST_CHECK bool past_runs_list(
    struct tracking *tracking, const cJSON *recent, int limit, cJSON **out_runs, struct error *err);

/* One run, NULL if it is not known. tracking may be NULL: there is no database yet. */
MUST_CHECK bool past_runs_find(
    struct tracking *tracking, const cJSON *recent, const char *run_id, cJSON **out_run,
    struct error *err);

/* Passes that changed nothing and are not recorded in the database (lock.h), as far as they say
 * more about some table than later passes do. An array, newest first, with "state"; returned owned.
 */
cJSON *past_runs_idle(const char *state_path);

#endif
