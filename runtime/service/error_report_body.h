/* error_report_body: the request that sends one report to Bugsnag or Sentry. Pure. Bugsnag's
 * "Error Reporting API" with payload version 4; Sentry's envelopes ("Envelopes", "Event Payloads"
 * of its developer documentation). */
#ifndef BQSYNC_SERVICE_ERROR_REPORT_BODY_H
#define BQSYNC_SERVICE_ERROR_REPORT_BODY_H

#include "base/error.h"
#include "service/error_report.h"

#include <stdbool.h>
#include <stddef.h>

#define ERROR_REPORT_HEADERS_MAX 5

/* One request; owned, freed by error_report_body_clear. */
struct error_report_body {
    char url[1024];
    char headers[ERROR_REPORT_HEADERS_MAX][512];
    size_t header_count;
    char *text;
    size_t length;
};

/* endpoint NULL: Bugsnag's own. */
MUST_CHECK bool bugsnag_body(
    const struct error_report *report, const char *api_key, const char *endpoint,
    struct error_report_body *out_body, struct error *err);

/* ERROR_CONFIG if the DSN is not scheme://KEY@host/PROJECT; the message does not show it. */
MUST_CHECK bool sentry_body(
    const struct error_report *report, const char *dsn, struct error_report_body *out_body,
    struct error *err);

void error_report_body_clear(struct error_report_body *body);

#endif
