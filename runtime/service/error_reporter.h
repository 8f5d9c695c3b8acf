/* error_reporter: reports failed passes and tables to Bugsnag and Sentry. Sends on a thread of its
 * own behind a bounded queue, so a slow or unreachable service never delays a sync. The same
 * failure is reported at most once an hour. A report carries names, codes and messages, never the
 * value of a row or a secret. */
#ifndef BQSYNC_SERVICE_ERROR_REPORTER_H
#define BQSYNC_SERVICE_ERROR_REPORTER_H

#include "base/config.h"
#include "base/error.h"
#include "sync/pass/result.h"

struct error_reporter;

/* Starts the thread. Nothing is sent unless the configuration names a service. Returned owned. */
MUST_CHECK bool error_reporter_new(
    const struct config *config, struct error_reporter **out_reporter, struct error *err);
/* Waits a moment for queued reports to be sent. NULL is fine. */
void error_reporter_free(struct error_reporter *reporter);

/* Uses the keys of this configuration from now on. */
void error_reporter_configure(struct error_reporter *reporter, const struct config *config);

/* Queues one report for each table that failed, and one for a pass that ended early. NULL is fine.
 */
void error_reporter_run(struct error_reporter *reporter, const struct run_result *run);

#endif
