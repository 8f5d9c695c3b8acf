/* job_check: what is refused before there is a job. Callers are inside of the monitor. */
#ifndef BQLOCAL_JOBS_JOB_CHECK_H
#define BQLOCAL_JOBS_JOB_CHECK_H

#include "bqlocal/jobs/job_store.h"

/* Checks a Job resource: kind, options that do not fit, datasets, location. Returns owned where the
 * job runs. */
MUST_CHECK bool job_check(
    const struct jobs *jobs, const cJSON *body, bool has_media, enum job_kind *out_kind,
    char **out_location, struct error *err);

#endif
