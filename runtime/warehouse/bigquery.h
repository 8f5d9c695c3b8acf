/* bigquery: the calls of the BigQuery v2 REST API that a sync makes, as typed functions ("BigQuery
 * API reference", one page a method). Knows paths, bodies, job ids and how answers are read; leaves
 * one request to http, another try to retry, and bytes of an upload to upload. A struct bigquery
 * belongs to one thread (it owns a connection); several share one struct credentials and one struct
 * quota.
 *
 * Besides what a call says, each may fail with ERROR_AUTH (no token, or a permission is missing),
 * ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_QUOTA, ERROR_WAREHOUSE (refused for good), ERROR_TRANSIENT
 * and ERROR_UNREACHABLE (after all tries within the budget), ERROR_STOPPED, or ERROR_MEMORY. Who
 * asked for a change and got ERROR_TRANSIENT or ERROR_UNREACHABLE does not know whether it was
 * made. */
#ifndef BQSYNC_WAREHOUSE_BIGQUERY_H
#define BQSYNC_WAREHOUSE_BIGQUERY_H

#include "base/clock.h"
#include "base/error.h"
#include "base/spool.h"
#include "warehouse/traffic.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bigquery;
struct credentials;
struct quota;
struct link;
struct http_ops;

struct bigquery_options {
    const char *project;
    const char *dataset;
    const char *location;            /* of the dataset; NULL or "": not known yet */
    const char *endpoint;            /* root URL without a final slash; NULL: Google's */
    struct credentials *credentials; /* borrowed, thread-safe; NULL: no Authorization is sent */
    struct quota *quota;             /* borrowed, thread-safe; NULL: requests are not paced */
    struct link *link;               /* borrowed, thread-safe; NULL: nobody measures it */
    const struct clock *clock;
    int64_t retry_budget_ms;         /* how long one call may go on trying */
    int64_t job_timeout_ms;          /* how long a job is waited for; 0: until it ends */
    int64_t max_bytes_billed;        /* per query, 0: no cap */
    const char *run_id;              /* goes into job labels; may be NULL */
    const struct http_ops *http;     /* borrowed; NULL: libcurl */
    uint64_t upload_chunk_bytes;     /* a multiple of 256 KiB; 0: 8 MiB */
    uint64_t upload_multipart_bytes; /* files up to here go in one request; 0: 8 MiB */
};

/* Returns owned; strings are copied. */
MUST_CHECK bool bigquery_open(
    const struct bigquery_options *options, struct bigquery **out_bigquery, struct error *err);
void bigquery_close(struct bigquery *bigquery);
/* Used in every later job reference; copied. "": not known. */
void bigquery_set_location(struct bigquery *bigquery, const char *location);

/* Later queries may bill at most so much, beside max_bytes_billed; 0: no such cap. */
void bigquery_set_cap(struct bigquery *bigquery, int64_t bytes);

/* Requests made and bytes sent and received so far, retries included. */
struct bigquery_counters {
    struct traffic traffic;
    uint64_t bytes_sent;
    uint64_t bytes_received;
};
struct bigquery_counters bigquery_counters(const struct bigquery *bigquery);
/* Counts that a new job is started in the place of one that failed with this error. */
void bigquery_count_retry(struct bigquery *bigquery, const struct error *why);

/* --- datasets and tables ----------------------------------------------------------------- */

#define DATASET_LOCATION_SIZE 64

struct dataset {
    char location[DATASET_LOCATION_SIZE];
    bool ignores_case; /* of table names (isCaseInsensitive) */
};
/* A missing dataset is ERROR_CONFIG that says how to create it. */
MUST_CHECK bool bigquery_dataset_get(
    struct bigquery *bigquery, struct dataset *out_dataset, struct error *err);
/* location may be NULL; one that exists already is fine. A missing project is ERROR_CONFIG. */
MUST_CHECK bool bigquery_dataset_insert(
    struct bigquery *bigquery, const char *location, struct error *err);

/* One row of tables.list, borrowed for the call. */
struct listed_table {
    const char *name;
    bool is_table;       /* and not a view, say */
    const cJSON *labels; /* an object or NULL */
    bool expires;        /* the table is deleted at some time */
    bool forgets;        /* its partitions are */
};
/* Returns whether it wants to see more. */
typedef bool bigquery_table_visit(void *context, const struct listed_table *table);
/* All pages. A missing dataset is ERROR_CONFIG that says how to create it. */
MUST_CHECK bool bigquery_tables_list(
    struct bigquery *bigquery, bigquery_table_visit *visit, void *context, struct error *err);

/* *out_table: the Table resource, owned (cJSON_Delete), or NULL if there is none (a success). */
MUST_CHECK bool bigquery_table_get(
    struct bigquery *bigquery, const char *table, cJSON **out_table, struct error *err);
/* resource lacks tableReference, which is added, and a default collation, which is none: a dataset
 * whose default is und:ci would make 'a' and 'A' one key. *out_table: the resource as BigQuery has
 * completed it, owned; may be NULL. A table that exists already is ERROR_CONFLICT. */
MUST_CHECK bool bigquery_table_insert(
    struct bigquery *bigquery, const char *table, const cJSON *resource, cJSON **out_table,
    struct error *err);
/* With a member "etag" in patch the table must still be as it was read, else ERROR_CONFLICT. */
MUST_CHECK bool bigquery_table_patch(
    struct bigquery *bigquery, const char *table, const cJSON *patch, struct error *err);
/* One that is gone already is fine. */
MUST_CHECK bool bigquery_table_delete(
    struct bigquery *bigquery, const char *table, struct error *err);

/* --- what may be done -------------------------------------------------------------------- */

/* *out_dataset: the Dataset resource, owned. A missing one is ERROR_CONFIG that says how to create
 * it. */
MUST_CHECK bool bigquery_dataset_read(
    struct bigquery *bigquery, cJSON **out_dataset, struct error *err);
/* Has BigQuery check a statement without running it: no job, no cost, no change. Needs
 * bigquery.jobs.create, and what the statement itself would need. */
MUST_CHECK bool bigquery_dry_run(struct bigquery *bigquery, const char *sql, struct error *err);
/* Which of count permissions the caller holds on a table (tables:testIamPermissions, which itself
 * needs none). */
MUST_CHECK bool bigquery_table_permissions(
    struct bigquery *bigquery, const char *table, const char *const *permissions, size_t count,
    bool *out_held, struct error *err);
/* Whether a table has row access policies, of which no resource of the table tells. Needs
 * bigquery.rowAccessPolicies.list; 403 if the caller lacks it. */
MUST_CHECK bool bigquery_table_has_policies(
    struct bigquery *bigquery, const char *table, bool *out_has, struct error *err);

/* --- jobs -------------------------------------------------------------------------------- */

enum job_state { JOB_MISSING, JOB_PENDING, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED };

/* What jobs.get says of a job. */
struct job {
    enum job_state state;
    /* JOB_FAILED: reason, message, and a code that says whether a new job may help. */
    struct error failure;
    char kind[16]; /* "load", "query", "copy" */
    /* The query that does nothing, started by bigquery_job_claim: the id is used up, and the state
     * is JOB_FAILED with reason "claimed". */
    bool is_claim;
    int64_t output_rows; /* load */
    /* query: dmlStats, summed over the children of a script. */
    int64_t inserted;
    int64_t updated;
    int64_t deleted;
    int64_t bytes_billed;
};

enum load_disposition { LOAD_APPEND, LOAD_TRUNCATE_DATA };

/* One Avro object file into one table of the dataset that exists already. */
struct load_request {
    const char *job_id;
    const char *table; /* destination */
    enum load_disposition disposition;
    const struct spool *file;
    const cJSON *schema;     /* of the file, as the destination has it */
    int64_t partitions;      /* of the destination that it changes; 0: it is not partitioned */
    const char *label_table; /* for job labels: the table this is about */
    const char *label_phase; /* "load", "replace" ... */
};

/* Starts a load job (multipart upload when small, else resumable). An id that exists already (409)
 * is success: it is this very job, sent before. Returns without waiting for the job.
 * *out_sent_bytes: media bytes that went over the wire. */
MUST_CHECK bool bigquery_load(
    struct bigquery *bigquery, const struct load_request *request, uint64_t *out_sent_bytes,
    struct error *err);

/* What a statement does, which decides the quota that it is paced by ("Quotas and limits"). */
enum query_kind {
    QUERY_DML, /* MERGE, TRUNCATE, a script of such: few at once on one table */
    QUERY_DDL, /* ALTER TABLE: an update of the table's metadata */
};

/* One statement or script that changes a table. Strings are borrowed for the call. */
struct query_request {
    const char *job_id;
    const char *sql;
    /* Query parameters of the REST API, JSON objects with commas in between; NULL or "": none. */
    const char *parameters;
    /* Values of the parameter @rows, an array, with commas in between: JSON that is read while it
     * is sent. row_type: the type of its elements, JSON as well. Bytes that went over the wire are
     * added to *sent. NULL: there is no such parameter, and the others are not looked at. */
    const struct spool *rows;
    const char *row_type;
    uint64_t *sent;
    enum query_kind kind;
    /* The table of the dataset that it changes, by which it is paced. */
    const char *target;
    /* For job labels: the table as SQLite calls it, and "merge", "truncate" ... */
    const char *label_table;
    const char *label_phase;
};

/* Starts a query job under our id, and waits first where a quota says so. An id that exists already
 * (409) is success, as above. Returns without waiting for the job. */
MUST_CHECK bool bigquery_query(
    struct bigquery *bigquery, const struct query_request *request, struct error *err);

/* One statement of a script, which is a job of its own. */
struct job_child {
    const char *statement; /* "MERGE", "INSERT", "TRUNCATE_TABLE" ...; "" if not told */
    const char *dataset;   /* of the table it changed, "" if none */
    const char *table;
    int64_t inserted;
    int64_t updated;
    int64_t deleted;
    int64_t bytes_billed;
};
/* Borrowed for the call. */
typedef void bigquery_child_visit(void *context, const struct job_child *child);
/* The statements of a script that is done, the newest first (jobs.list). */
MUST_CHECK bool bigquery_job_children(
    struct bigquery *bigquery, const char *job_id, bigquery_child_visit *visit, void *context,
    struct error *err);

/* Reads a job; one that does not exist is a success with JOB_MISSING. */
MUST_CHECK bool bigquery_job_get(
    struct bigquery *bigquery, const char *job_id, struct job *out_job, struct error *err);
/* Polls until the job is done, with growing pauses; ERROR_STOPPED when asked to stop. A job that
 * takes longer than 30 s is logged, and then every 5 minutes. One that has not ended after
 * job_timeout_ms is ERROR_TRANSIENT: it may still do its work, so the caller keeps what it needs to
 * ask again later. A 404 is retried within the retry budget, because the caller knows that the job
 * exists. JOB_FAILED is a success of this call. */
MUST_CHECK bool bigquery_job_wait(
    struct bigquery *bigquery, const char *job_id, struct job *out_job, struct error *err);
/* The same for a job of an earlier run, which holds up everything that comes after it: for no
 * longer than the retry budget. */
MUST_CHECK bool bigquery_job_wait_briefly(
    struct bigquery *bigquery, const char *job_id, struct job *out_job, struct error *err);
/* Makes sure that a job id which may or may not have been used can never start anything any more:
 * claims it with a query that does nothing. *out_claimed false: the job exists after all. A claimed
 * id reads as JOB_FAILED with reason "claimed" and ERROR_TRANSIENT from then on: a claimed job id
 * did no work, and a new job may do it. */
MUST_CHECK bool bigquery_job_claim(
    struct bigquery *bigquery, const char *job_id, bool *out_claimed, struct error *err);

/* One row: count cells as text, NULL for null; borrowed for the call. Returns whether it wants to
 * see more. */
typedef bool bigquery_row_visit(void *context, size_t count, const char *const *cells);
/* Runs a SELECT (jobs.query, then pages), waiting for it as bigquery_job_wait does. A result that
 * lacks rows, or cells of one, is ERROR_WAREHOUSE; rows that came before it was found out have been
 * visited. out_bytes_billed may be NULL. */
MUST_CHECK bool bigquery_select(
    struct bigquery *bigquery, const char *sql, bigquery_row_visit *visit, void *context,
    int64_t *out_bytes_billed, struct error *err);

#endif
