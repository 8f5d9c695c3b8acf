/* check: is everything in place for a sync? Checks the configuration, the source, the control
 * tables, each table's definition against SQLite and a sample of its rows, the credentials, the
 * dataset and the permissions. Writes nothing to BigQuery and nothing to SQLite. */
#ifndef BQSYNC_SYNC_REPORT_CHECK_H
#define BQSYNC_SYNC_REPORT_CHECK_H

#include "base/error.h"
#include "sync/deployment.h"
#include "sync/report/check_findings.h"

#include <stddef.h>

/* Runs every check in order, whatever the earlier ones found, and adds the findings.
 * credentials_error: why there are no credentials, NULL if there are. */
void check_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct error *credentials_error, struct check_findings *findings);

#endif
