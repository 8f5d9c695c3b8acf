/* job_check: what is refused before there is a job. Callers are inside of the monitor. */
#ifndef BQLOCAL_JOBS_JOB_CHECK_H
#define BQLOCAL_JOBS_JOB_CHECK_H

#include "bqlocal/jobs/job_store.h"

/* Checks what a Job resource says by itself: its id, its kind, options that do not fit. */
MUST_CHECK bool job_check_configuration(
    const cJSON *body, bool has_media, enum job_kind *out_kind, struct error *err);

/* The same, and the datasets that it names: whether they are at its location. Returns owned where
 * the job runs. */
MUST_CHECK bool job_check(
    const struct jobs *jobs, const cJSON *body, bool has_media, enum job_kind *out_kind,
    char **out_location, struct error *err);

#endif
