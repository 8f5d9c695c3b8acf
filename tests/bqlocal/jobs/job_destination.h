/* job_destination: the table that a query's configuration names for its result. Callers are inside
 * of the monitor. */
#ifndef BQLOCAL_JOBS_JOB_DESTINATION_H
#define BQLOCAL_JOBS_JOB_DESTINATION_H

#include "bqlocal/jobs/job_store.h"

/* {"fields": [...]} of a result, owned. */
cJSON *job_result_schema(const struct sql_result *result);

/* invalid unless partitioning and clustering, where a job's options name them, are those of the
 * table that it writes into. */
MUST_CHECK bool job_check_layout(const cJSON *options, const cJSON *existing, struct error *err);

/* Writes the rows of a SELECT by the dispositions of configuration.query, inside of the caller's
 * transaction. Where the table keeps its schema, columns go by name and have to fit it. */
MUST_CHECK bool job_destination_write(
    struct jobs *jobs, const struct sql_result *result, const cJSON *query, struct error *err);

#endif
