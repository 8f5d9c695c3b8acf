/* job_runner: the states of jobs over time. A small load happens in one piece when its time is up:
 * at once without --job-latency, else in the worker's thread. Statements, copies and larger loads
 * run in threads of their own, beside everything else. What changes tables, by whatever job, does
 * so in order of arrival, one after the other. But for start and stop, callers are inside of the
 * monitor. */
#ifndef BQLOCAL_JOBS_JOB_RUNNER_H
#define BQLOCAL_JOBS_JOB_RUNNER_H

#include "bqlocal/jobs/job_store.h"

/* The request that inserts a job, as fault rules see it. */
struct job_origin {
    const char *method;
    const char *target;
};

/* Starts the worker's thread, and ends it once the monitor is stopping. jobs may be NULL. */
MUST_CHECK bool jobs_start(struct jobs *jobs, struct error *err);
void jobs_stop(struct jobs *jobs);

/* Makes a job of a Job resource and, where there is no latency, runs it. Takes the media (NULL:
 * none) on success. A job that fails is a success here; false: there is no job, the id stays free.
 * duplicate if the id is used. */
MUST_CHECK bool jobs_insert(
    struct jobs *jobs, const struct job_origin *origin, const cJSON *body, struct media *media,
    struct job **out_job, struct error *err);

/* Ends it as cancelled unless it is done or a copy; one that is computing, soon. */
void jobs_cancel(struct jobs *jobs, struct job *job);
/* Waits for the end of a job, at most until the deadline. The job may be gone afterwards: false
 * then. */
bool jobs_wait(struct jobs *jobs, const char *id, int64_t deadline_ms);

#endif
