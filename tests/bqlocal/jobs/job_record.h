/* job_record: one load, query or copy job, and its Job resource: what jobs.get tells and what
 * --data keeps. It knows nothing of other jobs. Callers are inside of the monitor. */
#ifndef BQLOCAL_JOBS_JOB_RECORD_H
#define BQLOCAL_JOBS_JOB_RECORD_H

#include "base/error.h"
#include "bqlocal/faults/fault.h"
#include "bqlocal/jobs/media.h"
#include "bqlocal/sql/run/sql.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum job_kind { JOB_LOAD, JOB_QUERY, JOB_COPY };
enum job_state { JOB_PENDING, JOB_RUNNING, JOB_DONE };

struct job {
    char *id;
    char *location;
    enum job_kind kind;
    enum job_state state;
    cJSON *configuration; /* as it was given, with jobType */
    char *request_id;     /* of jobs.query, NULL for others */
    char *parent_id;      /* of a script's statement, NULL for others */
    char *transaction_id; /* of a statement in a transaction, NULL for others */
    int child_count;
    int64_t created_ms;
    int64_t started_ms;
    int64_t ended_ms;
    int64_t run_at; /* CLOCK_MONOTONIC, milliseconds: RUNNING from here on */
    int64_t done_at;
    int64_t stops_at; /* by jobTimeoutMs; INT64_MAX: never */
    struct fault_action fault;
    struct media media;
    bool computing;        /* by a thread of its own, which alone may end it */
    bool has_reader;       /* sql_reader_take */
    bool queued;           /* until those that came first and change tables have ended */
    bool late;             /* others were first when it came */
    bool unsaved;          /* jobs_save could not write its record yet */
    atomic_bool cancelled; /* meanwhile */
    bool deleted;          /* meanwhile */
    bool timed_out;        /* that is why it was cancelled */
    bool failed;
    struct error failure;
    cJSON *script_statistics; /* of a script's statement, NULL for others */
    cJSON *statistics;        /* the part of its kind; NULL before the end */
    int64_t bytes_processed;
    bool has_result;
    struct sql_result result;
    char result_name[64]; /* the anonymous table's id */
    struct job *next;     /* in its bucket */
};

/* A PENDING job with this id (NULL: makes one) and location, both copied, and with a copy of the
 * configuration. */
MUST_CHECK bool job_new(
    enum job_kind kind, const char *id, const char *location, const cJSON *configuration,
    struct job **out_job, struct error *err);
/* Drops its result from the store too. NULL is fine. */
void job_free(struct store *store, struct job *job);

/* The Job resource without its selfLink, owned. */
cJSON *job_resource(const struct store *store, const struct job *job);
/* The job of such a resource; one that was not done has failed. */
MUST_CHECK bool job_restore(const cJSON *resource, struct job **out_job, struct error *err);

/* "load", "query", "copy" */
const char *job_kind_name(enum job_kind kind);
const char *job_state_name(enum job_state state);
/* The part of the configuration that is named after the kind. */
const cJSON *job_part(const struct job *job);

/* {"projectId", "datasetId", "tableId"}, owned. */
cJSON *job_table_reference(const struct store *store, const char *dataset, const char *table);
/* {"insertedRowCount": ...} of a statement, owned. */
cJSON *job_dml_statistics(const struct sql_statement *statement);

#endif
