/* call: the inside of struct bigquery, and one call of its API from request to parsed answer:
 * authorization, common headers, retries within the budget, and errors in one form. For the files
 * of warehouse that know single methods (bigquery_*, job, upload); other groups use bigquery.h. */
#ifndef BQSYNC_WAREHOUSE_CALL_H
#define BQSYNC_WAREHOUSE_CALL_H

#include "warehouse/bigquery.h"
#include "warehouse/http.h"
#include "warehouse/retry.h"
#include "warehouse/traffic.h"

#define BIGQUERY_ROOT "https://bigquery.googleapis.com"

/* Of a path with its query. */
#define CALL_PATH_CEILING 8192

struct bigquery {
    /* without a final slash */
    char *root;
    char *project;
    char *dataset;
    /* "" if not known yet */
    char location[DATASET_LOCATION_SIZE];
    /* NULL if none */
    char *run_id;
    struct credentials *credentials;
    struct quota *quota;
    struct link *link;
    const struct clock *clock;
    int64_t retry_budget_ms;
    int64_t job_timeout_ms;
    int64_t max_bytes_billed;
    int64_t cap; /* of bigquery_set_cap */
    uint64_t upload_chunk_bytes;
    uint64_t upload_multipart_bytes;
    const struct http_ops *http;
    /* NULL when the caller gave http */
    struct http_client *client;
    struct bigquery_counters counters;
    /* state of the jitter (retry_random) */
    uint64_t random;

    /* The job whose start was answered with its end; bigquery_job_wait takes it from here. */
    char *finished_id;
    struct job finished;
    bool finished_script; /* its rows are still to be counted by its statements */
    /* The query started last, whose end the server tells as soon as it is there; NULL: none. */
    char *query_id;
    char *query_target; /* the table that it changes */
    /* The job of the SELECT answered last; NULL: none. */
    char *selected_id;
    /* An answer was about something else: what its connection says next is not believed. */
    bool distrusts;
    /* The DML job that holds a slot of the quota until it is seen done. */
    char *dml_id;
    char *dml_table;
};

/* One call. Strings are borrowed. */
struct call {
    enum traffic_call what;
    /* table or job, "" if none */
    const char *subject;
    /* The permission it needs, for the message of a 403; NULL if it depends. */
    const char *permission;
    const char *method;
    /* after the root: "/bigquery/v2/projects/..." */
    const char *path;
    /* one more header line, NULL if none */
    const char *header;
    /* NULL: none */
    const cJSON *body;
    /* Sent instead of body, unless NULL; content_type is the source's. */
    const struct http_source *source;
    const char *content_type;
    /* success may have no body */
    bool empty_answer;

    /* How long the server may hold the request on purpose. It is not cut before that, however
     * little of the retry budget is left. */
    int64_t held_ms;
    /* While this table or dataset is fresh (quota_is_fresh), "not found" is retried; NULL: never.
     */
    const char *fresh;
    /* 0: RETRY_CALL */
    enum retry_place place;
};

/* How long a server is asked to hold a request while a query runs. */
int64_t call_hold_ms(const struct bigquery *bigquery);

/* What a query may bill, 0: as much as it wants. */
int64_t call_cap(const struct bigquery *bigquery);

/* Makes the call, with retries. *out_answer: parsed body, owned, NULL if it was empty and may be;
 * out_answer itself may be NULL. */
MUST_CHECK bool call_json(
    struct bigquery *bigquery, const struct call *call, cJSON **out_answer, struct error *err);

/* The same, and *answer is kept for its headers; initialised and cleared by the caller. The body
 * is not parsed. */
MUST_CHECK bool call_answer(
    struct bigquery *bigquery, const struct call *call, struct http_answer *answer,
    struct error *err);

/* One try of a call. */
struct call_try {
    /* whole; path is not looked at */
    const char *url;
    /* of the budget; bounds the timeouts */
    int64_t left_ms;
    /* initialised and cleared by the caller */
    struct http_answer *answer;
    /* result on failure: what the policy says to do */
    enum retry_action action;
};

/* Makes one try. A refusal is counted as an answer of BigQuery's; whether a good one is, the caller
 * decides by what it holds (call_went_well). */
MUST_CHECK bool call_once(
    struct bigquery *bigquery, const struct call *call, struct call_try *try, struct error *err);
/* Tells the quota that BigQuery has answered somebody. */
void call_went_well(struct bigquery *bigquery);

/* Whether a good answer is a JSON object about what was asked. *out_json: owned, NULL if it is
 * empty and may be. Otherwise it was cut or replaced on its way, or is about something else, which
 * is as good as no answer (ERROR_TRANSIENT), or memory is missing. Then the next request goes over
 * a new connection: what is still to come over this one may be about something else as well. */
MUST_CHECK bool call_believes(
    struct bigquery *bigquery, const struct call *call, const struct http_answer *answer,
    cJSON **out_json, struct error *err);

/* After a failed try: sleeps if there is another one to make. False: give up, err says why. */
MUST_CHECK bool call_pause(
    struct bigquery *bigquery, const struct call *call, struct retry *retry, bool answered,
    struct error *err);

/* Adds the setting to change to a refusal that BigQuery words in numbers alone: a query above
 * BQ_MAX_BYTES_BILLED, which fails at once and bills nothing. Other errors stay as they are. */
void call_explain(struct error *err);

/* Reads of JSON that accept NULL. */

/* The member at the end of a NULL-terminated path of names; NULL if there is none. */
const cJSON *call_member(const cJSON *object, const char *const *path);
/* An int64, which comes as a string and, from some servers, as a number; 0 for anything else. */
int64_t call_int64(const cJSON *value);
/* The text of a member, "" if it is not one. */
const char *call_text(const cJSON *object, const char *name);

#endif
