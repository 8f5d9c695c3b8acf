/* job_permission: what the caller of a job may not do (fault rule "deny"). Callers are inside of
 * the monitor. */
#ifndef BQLOCAL_JOBS_JOB_PERMISSION_H
#define BQLOCAL_JOBS_JOB_PERMISSION_H

#include "bqlocal/jobs/job_store.h"

/* 403 accessDenied if the job's part of the configuration, of that kind, needs a permission that is
 * denied. analysis: what a dry run of the query found; NULL for other jobs, and for a query that
 * cannot run. */
MUST_CHECK bool job_check_permissions(
    const struct jobs *jobs, enum job_kind kind, const cJSON *part,
    const struct sql_result *analysis, struct error *err);

#endif
