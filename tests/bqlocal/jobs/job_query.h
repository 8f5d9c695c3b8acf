/* job_query: the effect of a query job, and its result as a table. Callers are inside of the
 * monitor. */
#ifndef BQLOCAL_JOBS_JOB_QUERY_H
#define BQLOCAL_JOBS_JOB_QUERY_H

#include "bqlocal/jobs/job_store.h"
#include "bqlocal/store/rows.h"

/* Runs the statements and writes job->statistics and job->result; on failure nothing of the
 * failing statement stays. */
MUST_CHECK bool job_run_query(struct jobs *jobs, struct job *job, struct error *err);

/* The Job resource of a query that is only analysed, owned. */
MUST_CHECK bool job_dry_run(
    const struct jobs *jobs, const cJSON *body, cJSON **out_resource, struct error *err);

/* The result of a job that has one as a source of pages; valid as long as the result. */
struct rows_source job_result_source(const struct job *job);
/* The anonymous table as tables.get answers it, owned. */
cJSON *job_result_table(const struct jobs *jobs, const struct job *job);

#endif
