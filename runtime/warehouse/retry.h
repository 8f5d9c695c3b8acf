/* retry: whether a failure deserves another try, of what kind, and after which pause. The policy is
 * one table (retry.c), read for requests and for jobs alike ("BigQuery error messages", "Upload
 * data with the API"). Pauses double from one second to 32 with full jitter, a Retry-After is
 * obeyed, and one call never goes on beyond its budget. No I/O; one thread at a time. */
#ifndef BQSYNC_WAREHOUSE_RETRY_H
#define BQSYNC_WAREHOUSE_RETRY_H

#include "base/clock.h"
#include "base/error.h"
#include "warehouse/http.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a failure was met; a bit each, since a row of the table may hold for several. */
enum retry_place {
    /* a call that may be repeated: get, list, patch, and starts under our id */
    RETRY_CALL = 1,
    /* a request to a resumable upload's session */
    RETRY_SESSION = 2,
    /* errorResult of a job, or a query's failure told by getQueryResults */
    RETRY_JOB = 4,
    /* a token endpoint, the metadata server, IAM credentials */
    RETRY_TOKEN = 8,
};

enum retry_action {
    RETRY_GIVE_UP,
    /* the same request with the same ids */
    RETRY_AGAIN,
    /* once, with a new token */
    RETRY_REFRESH_TOKEN,
    /* not now: a quota has to refill first; the caller decides when */
    RETRY_WAIT_QUOTA,
    /* the id is spent: a new job under a new id may do it */
    RETRY_NEW_JOB,
    /* the upload starts over in a new session */
    RETRY_NEW_SESSION,
    /* ask the session how much it has, then go on from there */
    RETRY_PROBE,
};

/* What happened. */
struct retry_event {
    enum retry_place place;
    /* HTTP_OK: an answer came, or a job spoke */
    enum http_failure failure;
    /* HTTP status, 0 for a job's own error */
    int status;
    /* BigQuery's or OAuth's word; "" if none */
    const char *reason;
    const char *message;
};

/* The first row that fits. *out_code is the error's code if no further try is made, or when the
 * last one has failed. */
enum retry_action retry_decide(const struct retry_event *event, enum error_code *out_code);

/* The table itself, for tests and documentation. status 0 fits any, reason NULL fits any, text NULL
 * fits any. */
struct retry_row {
    unsigned places;
    enum http_failure failure;
    int status;
    const char *reason;
    /* part of the message */
    const char *text;
    enum retry_action action;
    enum error_code code;
};
const struct retry_row *retry_table(size_t *out_count);

/* The pauses of one call. */
struct retry {
    const struct clock *clock;
    int64_t budget_ms;
    int64_t started_ms;
    /* monotonic: the first failure since there was progress; -1: none */
    int64_t failed_ms;
    /* monotonic: not beyond this moment even within the budget */
    int64_t until_ms;
    int64_t next_ms;
    /* state of the jitter, borrowed, never 0 */
    uint64_t *random;
    unsigned attempts;
};

/* How long to wait before a new job takes the place of one that failed, for the failed-th time in a
 * row (from 1). BigQuery counts updates of a table in windows of 10 s ("Quotas and limits"), so a
 * job refused for their rate waits for the next window; other failures wait a second, doubling up
 * to 32, of which half is jitter. */
int64_t retry_job_pause_ms(const struct error *failure, int failed, uint64_t *random);

void retry_begin(
    struct retry *retry, const struct clock *clock, int64_t budget_ms, uint64_t *random);
/* Something was achieved: the budget and the pauses start over. */
void retry_progress(struct retry *retry);
/* A try failed, and others have been failing as well: go on for left_ms from now at most, until
 * there is progress. */
void retry_limit(struct retry *retry, int64_t left_ms);
int64_t retry_left_ms(const struct retry *retry);
/* How long to sleep before the next try; -1 when the budget leaves no room for one. refused:
 * nothing listened, so a first pause may be short. */
int64_t retry_next(struct retry *retry, bool refused, int64_t retry_after_ms);
/* Sleeps for pause_ms; ERROR_STOPPED when cut short. */
MUST_CHECK bool retry_sleep(const struct retry *retry, int64_t pause_ms, struct error *err);

/* A state for jitter from the system's randomness. */
uint64_t retry_seed(void);
/* Uniform in [0, below). */
int64_t retry_random(uint64_t *state, int64_t below);

#endif
