/* report: tells Bugsnag and Sentry of passes and tables that failed. Runs on a thread of its own
 * behind a bounded queue: a service that is slow or gone never holds up a sync. Equal failures are
 * reported once an hour. A report carries names, codes and messages, never a row's value or a
 * secret. */
#ifndef BQSYNC_SERVICE_REPORT_H
#define BQSYNC_SERVICE_REPORT_H

#include "base/config.h"
#include "base/error.h"
#include "sync/pass/result.h"
#include "warehouse/http.h"

#include <stdbool.h>
#include <stdint.h>

/* One failure, as texts ready to be sent. */
struct report {
    char event_id[33]; /* 32 hex digits */
    int64_t at_us;
    char table[256]; /* "": the pass as a whole */
    char run_id[RUN_ID_SIZE];
    char kind[16];
    char mode[16];
    char code[32];
    char reason[48]; /* BigQuery's word, "" if none */
    char message[1024];
    int http_status;
    bool retryable;
    int attempts;
    char environment[64];
    char host[128];
};

struct reporter;

/* Starts the thread if a reporter is configured. Returned owned. */
MUST_CHECK bool reporter_new(
    const struct config *config, struct reporter **out_reporter, struct error *err);
/* Sends what is queued if that takes no longer than a moment. NULL is fine. */
void reporter_free(struct reporter *reporter);

/* Other keys from now on. */
void reporter_configure(struct reporter *reporter, const struct config *config);

/* Queues one report for each table that failed, or one for a pass that ended early. */
void reporter_run(struct reporter *reporter, const struct run_result *run);

#endif
