/* fault: scripted mishaps. A list of rules, replaced as a whole by PUT /bqlocal/faults or --faults;
 * every rule counts the requests (or jobs) that match it and acts on some of them. The format is in
 * docs/bqlocal.md. Callers are inside of the monitor. */
#ifndef BQLOCAL_FAULTS_FAULT_H
#define BQLOCAL_FAULTS_FAULT_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_STATUS,            /* this status instead of processing (processed: after it) */
    FAULT_DELAY,             /* waits, then processed */
    FAULT_RESET_BEFORE,      /* connection reset, nothing done */
    FAULT_RESET_AFTER,       /* done, then the connection reset instead of an answer */
    FAULT_HANG_BEFORE,       /* held until the rule or the client is gone, then processed */
    FAULT_HANG_AFTER,        /* done, then held likewise */
    FAULT_TRUNCATE,          /* done; half of the answer's body, then the connection ends */
    FAULT_NOT_JSON,          /* done; an HTML page instead of the answer's body */
    FAULT_ANSWER_OF_ANOTHER, /* an answer about another job or table (processed: after it) */
    FAULT_ANSWER_TWICE,      /* done; the next answer of the connection is this one once more */
    FAULT_TABLE_VANISH,      /* a table is dropped, then processed */
    FAULT_UPLOAD_VANISH,     /* the resumable session is forgotten, then processed */
    FAULT_CLOCK_SKEW,        /* the server's clock is shifted, then processed */
    FAULT_DENY,         /* a permission is not held: faults_denies; never an action of a request */
    FAULT_ROW_POLICIES, /* a table has row access policies: faults_guard_rows; never an action */
    FAULT_JOB_FAIL,     /* the job fails */
    FAULT_JOB_HANG,     /* the job stays as it is until the rule is gone */
    FAULT_JOB_DELAY,    /* the job takes this time */
};

/* What is done to a request or a job; a copy, valid after the rules have changed. */
struct fault_action {
    enum fault_kind kind;
    uint64_t rule; /* identifies the rule while it exists */
    int status;
    char reason[48];
    char message[512];
    int64_t ms;
    int64_t retry_after;
    int64_t after_bytes; /* RESET_BEFORE: once this much of the body is read; -1: all of it */
    bool processed;
    bool at_pending; /* JOB_FAIL, JOB_HANG: at PENDING, else at RUNNING */
    char dataset[256];
    char table[1100];
};

struct faults;

MUST_CHECK bool faults_new(struct faults **out_faults, struct error *err);
void faults_free(struct faults *faults);

/* Replaces the rules by {"faults": [...]}; on an error (invalid, naming the rule and the key) the
 * old ones stay. NULL: no rules. */
MUST_CHECK bool faults_replace(struct faults *faults, const cJSON *document, struct error *err);

/* The rules with "matched", "acted" and "held" counts, owned. */
cJSON *faults_describe(const struct faults *faults);

/* Whether a rule takes this permission ("bigquery.tables.get") from everybody. */
bool faults_denies(const struct faults *faults, const char *permission);

/* Whether a rule gives the table row access policies, which grant nobody all of its rows. */
bool faults_guard_rows(const struct faults *faults, const char *dataset, const char *table);
/* Whether a rule gives them to any table. */
bool faults_guard_any(const struct faults *faults);

/* Counts a request; what is to be done to it. */
struct fault_action faults_on_request(
    struct faults *faults, const char *method, const char *target);
/* The same for a job that is being created by a request; kind: "load", "query", "copy". */
struct fault_action faults_on_job(
    struct faults *faults, const char *method, const char *target, const char *kind,
    const char *job_id);

/* Whether the rule still exists; hold changes how many requests it holds. */
bool faults_exists(const struct faults *faults, uint64_t rule);
void faults_hold(struct faults *faults, uint64_t rule, int change);

#endif
