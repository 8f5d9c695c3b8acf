/* traffic: how many requests went to BigQuery, by call and outcome, and how much work had to be
 * done again, by reason. Plain data that is added up; the sets are closed, so that what is counted
 * can become labels of metrics. No I/O; one thread at a time. */
#ifndef BQSYNC_WAREHOUSE_TRAFFIC_H
#define BQSYNC_WAREHOUSE_TRAFFIC_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What is asked of BigQuery: methods of its API, and the two ways of sending a load job's file. */
enum traffic_call {
    TRAFFIC_DATASETS_GET,
    TRAFFIC_DATASETS_INSERT,
    TRAFFIC_TABLES_LIST,
    TRAFFIC_TABLES_GET,
    TRAFFIC_TABLES_INSERT,
    TRAFFIC_TABLES_PATCH,
    TRAFFIC_TABLES_DELETE,
    TRAFFIC_TABLES_TEST_IAM,
    TRAFFIC_POLICIES_LIST,
    /* a job and its file in one request */
    TRAFFIC_LOAD,
    /* a session is started, gets a part of the file, or is asked what it has */
    TRAFFIC_UPLOAD,
    TRAFFIC_JOBS_INSERT,
    TRAFFIC_JOBS_GET,
    TRAFFIC_JOBS_LIST,
    TRAFFIC_JOBS_QUERY,
    TRAFFIC_JOBS_RESULTS,
    TRAFFIC_CALLS
};

/* How a request ended, as far as the network and the HTTP status say. */
enum traffic_outcome {
    TRAFFIC_OK,
    /* an answer that refuses, also one that is as good as a yes (409) */
    TRAFFIC_ERROR,
    /* no connection, a broken one, or silence */
    TRAFFIC_NO_ANSWER,
    TRAFFIC_OUTCOMES
};

/* Why something had to be done again. */
enum traffic_reason {
    /* BigQuery's own words. */
    TRAFFIC_BACKEND_ERROR,
    TRAFFIC_INTERNAL_ERROR,
    TRAFFIC_RATE_LIMIT,
    TRAFFIC_JOB_BACKEND_ERROR,
    TRAFFIC_JOB_INTERNAL_ERROR,
    TRAFFIC_JOB_RATE_LIMIT,
    TRAFFIC_QUOTA,
    TRAFFIC_TABLE_UNAVAILABLE,
    TRAFFIC_RESOURCE_IN_USE,
    TRAFFIC_ABORTED,
    TRAFFIC_TIMEOUT,
    /* A status without one of these words. */
    TRAFFIC_HTTP_408,
    TRAFFIC_HTTP_429,
    TRAFFIC_HTTP_500,
    TRAFFIC_HTTP_502,
    TRAFFIC_HTTP_503,
    TRAFFIC_HTTP_504,
    /* What bqsync calls it. */
    /* another statement changed the table meanwhile */
    TRAFFIC_CONCURRENT,
    /* too many statements wait to change the table */
    TRAFFIC_DML_QUEUE,
    /* the job's id had been given up */
    TRAFFIC_CLAIMED,
    /* a table just made was not known everywhere yet */
    TRAFFIC_TOO_EARLY,
    /* of an upload, which starts over */
    TRAFFIC_SESSION_LOST,
    /* an upload's session took nothing of what it was sent */
    TRAFFIC_NO_PROGRESS,
    /* an answer cut or replaced on its way */
    TRAFFIC_NOT_JSON,
    /* no connection was made */
    TRAFFIC_REFUSED,
    /* the connection broke, or nothing came for too long */
    TRAFFIC_BROKEN,
    /* the access token was refused, or the endpoint that gives them failed */
    TRAFFIC_TOKEN,
    TRAFFIC_OTHER,
    TRAFFIC_REASONS
};

/* The counts; zero is a fresh start. */
struct traffic {
    /* Each try of a call is one request. */
    uint64_t requests[TRAFFIC_CALLS][TRAFFIC_OUTCOMES];
    /* Each repeated request and each new job is one retry. */
    uint64_t retries[TRAFFIC_REASONS];
};

/* Adds the counts of more to those of traffic. */
void traffic_add(struct traffic *traffic, const struct traffic *more);
/* The sum over all calls and outcomes. */
uint64_t traffic_requests(const struct traffic *traffic);

/* The reason for doing again what failed with this error, of a request or of a job. */
enum traffic_reason traffic_reason_of(const struct error *why);

/* As logs and metrics show them; static strings. */
const char *traffic_call_name(enum traffic_call call);
const char *traffic_outcome_name(enum traffic_outcome outcome);
const char *traffic_reason_name(enum traffic_reason reason);

#endif
