/* check_findings: the report of check, a list of findings in the order in which they were made, and
 * the document of `check --json`. */
#ifndef BQSYNC_SYNC_REPORT_CHECK_FINDINGS_H
#define BQSYNC_SYNC_REPORT_CHECK_FINDINGS_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define CHECK_MESSAGE_SIZE 1400

/* CHECK_WARN: a sync works but something should be looked at. CHECK_FAIL: a sync would fail. */
enum check_status { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct check_finding {
    /* "configuration", "source", "table users", ... */
    char name[300];
    enum check_status status;
    char message[CHECK_MESSAGE_SIZE];
};

/* Starts as {0}, or with a watch only. The texts are copied in, so callers keep nothing. A finding
 * that can't be added for lack of memory counts as failed. */
struct check_findings {
    struct check_finding *items;
    size_t count;
    /* Some finding is CHECK_FAIL, or memory ran out. */
    bool failed;
    /* Called for each finding when it is added, for a caller that shows them as they come; may be
     * NULL. */
    void (*watch)(const struct check_finding *finding);
};

/* Adds one finding with a printf format. Longer texts are cut. */
void check_findings_add(
    struct check_findings *findings, const char *name, enum check_status status, const char *format,
    ...) PRINTF_LIKE(4, 5);
/* Frees the findings; the struct can be used again. */
void check_findings_clear(struct check_findings *findings);

/* "ok", "warn" or "fail". */
const char *check_status_name(enum check_status status);

/* {"ok","checks":[{"name","status","message"}]}, returned owned. */
cJSON *check_findings_json(const struct check_findings *findings);

#endif
