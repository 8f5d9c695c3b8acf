/* job_check: what is refused before there is a job, and how jobs outlive the program. Callers hold
 * the server's big lock. */
#ifndef BQLOCAL_JOBS_JOB_CHECK_H
#define BQLOCAL_JOBS_JOB_CHECK_H

#include "bqlocal/jobs/job_record.h"

/* Checks a Job resource: kind, options that do not fit, datasets, location. Returns owned where the
 * job runs. */
MUST_CHECK bool job_check(
    struct server *server, const cJSON *body, bool has_media, enum job_kind *out_kind,
    char **out_location, struct error *err);

/* Writes the job's record to the store (--data keeps it), or takes it away. */
void job_save(struct server *server, const struct job *job);
void job_unsave(struct server *server, const struct job *job);
/* Reads the records of an earlier run; jobs that were not done have failed. */
MUST_CHECK bool jobs_restore(struct server *server, struct jobs *jobs, struct error *err);
/* Adds a restored job, which it takes. */
MUST_CHECK bool jobs_add_done(
    struct server *server, struct jobs *jobs, struct job *job, struct error *err);

#endif
