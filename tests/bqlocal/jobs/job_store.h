/* job_store: all jobs in order of creation, found by id, and the query results that they keep.
 * Callers are inside of the monitor. */
#ifndef BQLOCAL_JOBS_JOB_STORE_H
#define BQLOCAL_JOBS_JOB_STORE_H

#include "bqlocal/jobs/estimate.h"
#include "bqlocal/jobs/job_record.h"
#include "bqlocal/store/monitor.h"

#define JOB_BUCKETS 4096

/* The dataset of anonymous result tables; hidden. */
#define JOB_RESULT_DATASET "_bqlocal_results"

struct job_settings {
    const char *location; /* of jobs that name neither a dataset nor a location */
    int64_t latency_ms;
    bool kept;                 /* records outlive the program: --data */
    bool discards;             /* --discard */
    bool lenient_modes;        /* --load-modes lenient */
    bool refuses_json_numbers; /* --json-numbers refuse */
    unsigned avro_codecs;      /* that loads read, as a set (jobs/avro_file.h) */
};

/* The members below `settings` belong to this module and to job_runner. */
struct jobs {
    struct monitor *monitor;
    struct store *store;
    struct faults *faults;
    struct job_settings settings;

    struct job *buckets[JOB_BUCKETS];
    struct job **list; /* in order of creation */
    size_t count;
    size_t capacity;
    size_t active;    /* jobs that are not done */
    size_t computing; /* of these, jobs with a thread of their own */
    size_t queued;    /* of these, jobs whose turn has not come */
    bool has_unsaved;
    size_t result_count;
    uint64_t result_number;
    pthread_t worker;
    bool worker_started;
};

/* The parts and the texts of settings are borrowed for the jobs' life. Reads the records of an
 * earlier run. */
MUST_CHECK bool jobs_new(
    struct monitor *monitor, struct store *store, struct faults *faults,
    const struct job_settings *settings, struct jobs **out_jobs, struct error *err);
void jobs_free(struct jobs *jobs);

/* Takes the job on success. */
MUST_CHECK bool jobs_add(struct jobs *jobs, struct job *job, struct error *err);
/* A done job for one statement of its parent's script, and what that has read. */
MUST_CHECK bool jobs_add_child(
    struct jobs *jobs, struct job *parent, const struct sql_statement *statement,
    struct estimate price, struct error *err);
/* Writes the job's record, where records are kept; while the store's writer works, with the first
 * call after it. */
void jobs_save(struct jobs *jobs, struct job *job);
/* Forgets the job and its result; one that is computing, at its end. Not while the store's writer
 * works. */
void jobs_delete(struct jobs *jobs, struct job *job);

/* The job of an id, or NULL. */
struct job *jobs_get(const struct jobs *jobs, const char *id);
/* notFound unless the job exists at that location (NULL: not given, which suffices in US and EU).
 */
MUST_CHECK bool jobs_find(
    const struct jobs *jobs, const char *id, const char *location, struct job **out_job,
    struct error *err);
/* duplicate if a job of this Job resource's id exists. */
MUST_CHECK bool jobs_check_id_free(const struct jobs *jobs, const cJSON *body, struct error *err);
/* The job at an index in order of creation, NULL behind the last. */
struct job *jobs_at(const struct jobs *jobs, size_t index);

/* Counts the job's result, and drops the oldest results beyond the last 256. */
void jobs_keep_result(struct jobs *jobs);
/* The job whose anonymous result table that is, or NULL. */
struct job *jobs_find_result(const struct jobs *jobs, const char *dataset, const char *table);

#endif
