/* call: the inside of struct bigquery, and one call of its API from request to parsed answer:
 * authorization, common headers, retries within the budget, and errors in one form. For the files
 * of this group that know single methods; nobody else includes it. */
#ifndef BQSYNC_WAREHOUSE_CALL_H
#define BQSYNC_WAREHOUSE_CALL_H

#include "warehouse/bigquery.h"
#include "warehouse/http.h"
#include "warehouse/retry.h"
#include "warehouse/traffic.h"

#define BIGQUERY_ROOT "https://bigquery.googleapis.com"

struct bigquery {
    char *root; /* without a final slash */
    char *project;
    char *dataset;
    char *location; /* NULL if not known yet */
    char *run_id;   /* NULL if none */
    struct credentials *credentials;
    struct governor *governor;
    const struct clock *clock;
    int64_t retry_budget_ms;
    int64_t max_bytes_billed;
    uint64_t upload_chunk_bytes;
    uint64_t upload_multipart_bytes;
    const struct http_ops *http;
    struct http_client *client; /* NULL when the caller gave http */
    struct bigquery_counters counters;
    uint64_t random;

    /* The job whose start was answered with its end: job_wait need not ask. */
    char *finished_id;
    struct job finished;
    /* The DML job that holds a slot of the governor, until it is seen done. */
    char *dml_id;
    char *dml_table;
};

/* One call. Strings are borrowed. */
struct call {
    enum traffic_call what;
    const char *subject;    /* table or job, "" if none */
    const char *permission; /* what it needs, for the message of a 403; NULL if it depends */
    const char *method;
    const char *path;   /* behind the root: "/bigquery/v2/projects/..." */
    const char *header; /* one more header line, NULL if none */
    const cJSON *body;  /* NULL: none */
    /* Instead of body: */
    const struct http_source *source;
    const char *content_type; /* of source or raw */
    bool empty_answer;        /* success need not carry JSON */
    const char *new_table; /* "not found" is met with patience while this table is fresh; or NULL */
    enum retry_place place; /* 0: RETRY_CALL */
};

/* Makes the call, with retries. *out_answer: parsed body, owned, NULL if it was empty and may be;
 * out_answer itself may be NULL. */
bool call_json(
    struct bigquery *bigquery, const struct call *call, cJSON **out_answer, struct error *err);

/* The same, and *answer is kept for its headers; initialised and cleared by the caller. */
bool call_answer(
    struct bigquery *bigquery, const struct call *call, struct http_answer *answer,
    struct error *err);

/* One try. On failure err is set and *out_action says what the policy holds of it. */
bool call_once(
    struct bigquery *bigquery, const struct call *call, const char *url, int64_t left_ms,
    struct http_answer *answer, enum retry_action *out_action, struct error *err);

/* After a failed try: sleeps if there is another one to make. False: give up, err says why. */
bool call_pause(
    struct bigquery *bigquery, const struct call *call, struct retry *retry, bool answered,
    struct error *err);

/* Adds what is to be done about it to a refusal that BigQuery words in numbers alone: a query above
 * BQ_MAX_BYTES_BILLED, which fails at once and bills nothing. */
void call_explain(struct error *err);

/* "/bigquery/v2/projects/P" or with "/upload" in front, escaped. */
void call_path_project(const struct bigquery *bigquery, struct buffer *out);
void call_path_dataset(const struct bigquery *bigquery, struct buffer *out);
void call_path_table(const struct bigquery *bigquery, const char *table, struct buffer *out);
/* "?location=..." if the location is known: the query string begins with it or with
 * "?prettyPrint=false". */
void call_path_query(const struct bigquery *bigquery, bool with_location, struct buffer *out);

/* JSON helpers: NULL-safe reads. Int64 come as strings and, from some servers, as numbers. */
const cJSON *call_member(const cJSON *object, const char *const *path);
int64_t call_int64(const cJSON *value);
const char *call_text(const cJSON *object, const char *name);

#endif
