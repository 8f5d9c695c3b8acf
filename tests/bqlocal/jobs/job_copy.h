/* job_copy: the effect of a copy job ("Manage tables", Google Cloud documentation). Callers are
 * inside of the monitor. */
#ifndef BQLOCAL_JOBS_JOB_COPY_H
#define BQLOCAL_JOBS_JOB_COPY_H

#include "bqlocal/jobs/job_store.h"

/* Copies all source tables into the destination and writes job->statistics; on failure nothing is
 * changed. The store as for job_run_load. */
MUST_CHECK bool job_run_copy(
    struct jobs *jobs, struct job *job, struct store *store, struct error *err);

#endif
