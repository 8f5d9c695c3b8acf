#include "warehouse/traffic.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const calls[] = {
    [TRAFFIC_DATASETS_GET] = "datasets.get",
    [TRAFFIC_DATASETS_INSERT] = "datasets.insert",
    [TRAFFIC_TABLES_LIST] = "tables.list",
    [TRAFFIC_TABLES_GET] = "tables.get",
    [TRAFFIC_TABLES_INSERT] = "tables.insert",
    [TRAFFIC_TABLES_PATCH] = "tables.patch",
    [TRAFFIC_TABLES_DELETE] = "tables.delete",
    [TRAFFIC_TABLES_TEST_IAM] = "tables.testIamPermissions",
    [TRAFFIC_POLICIES_LIST] = "rowAccessPolicies.list",
    [TRAFFIC_LOAD] = "load",
    [TRAFFIC_UPLOAD] = "upload",
    [TRAFFIC_JOBS_INSERT] = "jobs.insert",
    [TRAFFIC_JOBS_GET] = "jobs.get",
    [TRAFFIC_JOBS_LIST] = "jobs.list",
    [TRAFFIC_JOBS_QUERY] = "jobs.query",
    [TRAFFIC_JOBS_RESULTS] = "jobs.getQueryResults",
};
_Static_assert(sizeof calls / sizeof calls[0] == TRAFFIC_CALLS, "a name for each call");

static const char *const outcomes[] = {
    [TRAFFIC_OK] = "ok",
    [TRAFFIC_ERROR] = "error",
    [TRAFFIC_NO_ANSWER] = "no_answer",
};
_Static_assert(sizeof outcomes / sizeof outcomes[0] == TRAFFIC_OUTCOMES, "a name for each outcome");

/* Words of BigQuery as it spells them, and statuses as find_status makes them. */
static const char *const reasons[] = {
    [TRAFFIC_BACKEND_ERROR] = "backendError",
    [TRAFFIC_INTERNAL_ERROR] = "internalError",
    [TRAFFIC_RATE_LIMIT] = "rateLimitExceeded",
    [TRAFFIC_JOB_BACKEND_ERROR] = "jobBackendError",
    [TRAFFIC_JOB_INTERNAL_ERROR] = "jobInternalError",
    [TRAFFIC_JOB_RATE_LIMIT] = "jobRateLimitExceeded",
    [TRAFFIC_QUOTA] = "quotaExceeded",
    [TRAFFIC_TABLE_UNAVAILABLE] = "tableUnavailable",
    [TRAFFIC_RESOURCE_IN_USE] = "resourceInUse",
    [TRAFFIC_ABORTED] = "aborted",
    [TRAFFIC_TIMEOUT] = "timeout",
    [TRAFFIC_HTTP_408] = "http_408",
    [TRAFFIC_HTTP_429] = "http_429",
    [TRAFFIC_HTTP_500] = "http_500",
    [TRAFFIC_HTTP_502] = "http_502",
    [TRAFFIC_HTTP_503] = "http_503",
    [TRAFFIC_HTTP_504] = "http_504",
    [TRAFFIC_CONCURRENT] = "concurrent_update",
    [TRAFFIC_DML_QUEUE] = "dml_queue",
    [TRAFFIC_CLAIMED] = "claimed",
    [TRAFFIC_TOO_EARLY] = "too_early",
    [TRAFFIC_SESSION_LOST] = "session_lost",
    [TRAFFIC_NO_PROGRESS] = "no_progress",
    [TRAFFIC_NOT_JSON] = "not_json",
    [TRAFFIC_REFUSED] = "refused",
    [TRAFFIC_BROKEN] = "broken",
    [TRAFFIC_TOKEN] = "token",
    [TRAFFIC_OTHER] = "other",
};
_Static_assert(sizeof reasons / sizeof reasons[0] == TRAFFIC_REASONS, "a name for each reason");

/* What BigQuery tells by its message alone, under one reason or another. foreign_value.c keeps
 * these words of the message. */
static const struct {
    const char *text;
    enum traffic_reason reason;
} messages[] = {
    {"Could not serialize access", TRAFFIC_CONCURRENT},
    {"Transaction is aborted", TRAFFIC_CONCURRENT},
    {"Too many DML statements", TRAFFIC_DML_QUEUE},
};

void traffic_add(struct traffic *traffic, const struct traffic *more)
{
    for (size_t call = 0; call < TRAFFIC_CALLS; call++)
        for (size_t outcome = 0; outcome < TRAFFIC_OUTCOMES; outcome++)
            traffic->requests[call][outcome] += more->requests[call][outcome];
    for (size_t reason = 0; reason < TRAFFIC_REASONS; reason++)
        traffic->retries[reason] += more->retries[reason];
}

uint64_t traffic_requests(const struct traffic *traffic)
{
    uint64_t sum = 0;

    for (size_t call = 0; call < TRAFFIC_CALLS; call++)
        for (size_t outcome = 0; outcome < TRAFFIC_OUTCOMES; outcome++)
            sum += traffic->requests[call][outcome];
    return sum;
}

static enum traffic_reason find(const char *name)
{
    size_t reason = 0;

    while (reason < TRAFFIC_OTHER && strcmp(reasons[reason], name) != 0)
        reason++;
    return (enum traffic_reason)reason;
}

static enum traffic_reason find_status(int status, enum error_code code)
{
    char name[24];

    // Both are said of a table or a job that is not known yet, which keeps its code, and of an
    // upload's session.
    if (status == 404 || status == 410)
        return code == ERROR_NOT_FOUND ? TRAFFIC_TOO_EARLY : TRAFFIC_SESSION_LOST;
    if (status == 401)
        return TRAFFIC_TOKEN;
    if (status == 308)
        return TRAFFIC_NO_PROGRESS;
    if (status >= 200 && status < 300)
        return TRAFFIC_NOT_JSON;
    snprintf(name, sizeof name, "http_%d", status);
    return find(name);
}

enum traffic_reason traffic_reason_of(const struct error *why)
{
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        if (strstr(why->message, messages[i].text) != NULL)
            return messages[i].reason;
    enum traffic_reason reason = find(why->reason);
    if (reason != TRAFFIC_OTHER)
        return reason;
    if (why->http_status != 0)
        return find_status(why->http_status, why->code);
    // A job's failure, which has no status, but always a word.
    if (why->reason[0] != '\0')
        return strcmp(why->reason, "notFound") == 0 ? TRAFFIC_TOO_EARLY : TRAFFIC_OTHER;
    return why->code == ERROR_UNREACHABLE ? TRAFFIC_REFUSED : TRAFFIC_BROKEN;
}

const char *traffic_call_name(enum traffic_call call)
{
    assert(call < TRAFFIC_CALLS);
    return calls[call];
}

const char *traffic_outcome_name(enum traffic_outcome outcome)
{
    assert(outcome < TRAFFIC_OUTCOMES);
    return outcomes[outcome];
}

const char *traffic_reason_name(enum traffic_reason reason)
{
    assert(reason < TRAFFIC_REASONS);
    return reasons[reason];
}
