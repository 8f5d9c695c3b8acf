/* job_patience: how long a job is waited for, and when the log says that it still is. BigQuery runs
 * a job for at most six hours ("Quotas and limits"), but may keep it pending for longer. For the
 * files of this group; one thread. */
#ifndef BQSYNC_WAREHOUSE_JOB_PATIENCE_H
#define BQSYNC_WAREHOUSE_JOB_PATIENCE_H

#include "warehouse/call.h"

struct job_patience {
    const struct clock *clock;
    int64_t started_ms;  /* monotonic */
    int64_t log_at_ms;   /* after the start: when it is logged next */
    int64_t limit_ms;    /* INT64_MAX: none */
    const char *setting; /* that sets the limit, for the message; static */
};

/* Starts now, with the limit of the settings (BQ_JOB_TIMEOUT). */
struct job_patience job_patience_of(const struct bigquery *bigquery);

/* Whether to go on waiting for a job that has not ended; logs when it is time. ERROR_TRANSIENT
 * beyond the limit. */
MUST_CHECK bool job_patience_holds(
    struct job_patience *patience, const char *job_id, const struct job *job, struct error *err);

#endif
