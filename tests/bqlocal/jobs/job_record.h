/* job: load, query and copy jobs: their ids, their states over time, their effects, and what
 * jobs.get tells of them. A job's effect happens in one piece when its time is up: at once without
 * --job-latency, else in the worker thread. Callers hold the server's big lock. */
#ifndef BQLOCAL_JOBS_JOB_RECORD_H
#define BQLOCAL_JOBS_JOB_RECORD_H

#include "base/error.h"
#include "base/spool.h"
#include "bqlocal/faults/fault.h"
#include "bqlocal/sql/run/sql.h"
#include "bqlocal/store/rows.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct request;
struct server;
struct jobs;

enum job_kind { JOB_LOAD, JOB_QUERY, JOB_COPY };
enum job_state { JOB_PENDING, JOB_RUNNING, JOB_DONE };

/* Uploaded bytes: a part of a spool. */
struct media {
    struct spool *spool;
    uint64_t offset;
    uint64_t length;
    int64_t forgotten_rows; /* --discard: rows counted instead of kept; -1 otherwise */
};

void media_clear(struct media *media);

struct job {
    char *id;
    char *location;
    enum job_kind kind;
    enum job_state state;
    cJSON *configuration; /* as it was given, with jobType */
    char *request_id;     /* of jobs.query, NULL for others */
    char *parent_id;      /* of a script's statement, NULL for others */
    int child_count;
    int64_t created_ms;
    int64_t started_ms;
    int64_t ended_ms;
    int64_t run_at; /* CLOCK_MONOTONIC, milliseconds: RUNNING from here on */
    int64_t done_at;
    struct fault_action fault;
    struct media media;
    bool failed;
    struct error failure;
    cJSON *statistics; /* the part of its kind; NULL before the end */
    int64_t bytes_processed;
    bool has_result;
    struct sql_result result;
    char result_name[64]; /* the anonymous table's id */
    struct job *next;     /* in its bucket */
};

MUST_CHECK bool jobs_start(struct server *server, struct jobs **out_jobs, struct error *err);
void jobs_stop(struct jobs *jobs);

/* Makes a job of a Job resource and, where there is no latency, runs it. Takes the media (NULL:
 * none) on success. A job that fails is a success here; false: there is no job, the id stays free.
 * duplicate if the id is used. */
MUST_CHECK bool job_insert(
    struct server *server, const struct request *request, const cJSON *body, struct media *media,
    struct job **out_job, struct error *err);
/* duplicate if a job of this Job resource's id exists, which an upload wants to know early. */
MUST_CHECK bool job_check_free(struct server *server, const cJSON *body, struct error *err);

/* notFound unless the job exists at that location (NULL: not said, which suffices in US and EU). */
MUST_CHECK bool jobs_find(
    struct server *server, const char *id, const char *location, struct job **out_job,
    struct error *err);
/* The job at an index in order of creation, NULL behind the last. */
struct job *jobs_at(const struct jobs *jobs, size_t index);
/* Gives the job's result the name of its anonymous table. */
void jobs_name_result(struct jobs *jobs, struct job *job);
/* The job whose anonymous result table that is, or NULL. */
struct job *jobs_find_result(const struct jobs *jobs, const char *dataset, const char *table);
/* Forgets it and its result. */
void jobs_delete(struct server *server, struct job *job);
/* Ends it as cancelled unless it is done or a copy. */
void job_cancel(struct server *server, struct job *job);
/* Waits for the end of a job, at most until the deadline (server_wait's clock). The job may be gone
 * afterwards: false then. */
bool job_wait(struct server *server, const char *id, int64_t deadline_ms);

/* The Job resource, owned. */
cJSON *job_resource(const struct server *server, const struct job *job);
const char *job_kind_name(enum job_kind kind);
const char *job_state_name(enum job_state state);
/* Where the configuration says the result goes: "load", "query" and so on of it. */
const cJSON *job_part(const struct job *job);

/* The effects. They write job->statistics; on failure nothing is changed. */
MUST_CHECK bool job_run_load(struct server *server, struct job *job, struct error *err);
MUST_CHECK bool job_run_copy(struct server *server, struct job *job, struct error *err);
MUST_CHECK bool job_run_query(struct server *server, struct job *job, struct error *err);
/* The Job resource of a query that is only analysed. */
MUST_CHECK bool job_dry_run(
    struct server *server, const cJSON *body, cJSON **out_resource, struct error *err);
/* A done job for one statement of a script. */
MUST_CHECK bool job_add_child(
    struct server *server, struct job *parent, const struct sql_statement *statement,
    struct error *err);

/* A query's result as a source of pages; the columns live until they are cleared. */
struct job_result_columns {
    char **names;
    size_t count;
    char *quoted;
};
MUST_CHECK bool job_result_source(
    const struct job *job, struct job_result_columns *out_columns, struct rows_source *out_source,
    struct error *err);
void job_result_columns_clear(struct job_result_columns *columns);
/* The anonymous table as tables.get answers it, owned. */
cJSON *job_result_table(const struct server *server, const struct job *job);

/* {"insertedRowCount": ...} of a statement, owned. */
cJSON *job_dml_statistics(const struct sql_statement *statement);

/* The dataset of anonymous result tables; hidden. */
#define JOB_RESULT_DATASET "_bqlocal_results"

#endif
