/* check: is everything in place for a sync? Configuration, source, control tables, each table's
 * definition against SQLite and a sample of its rows, credentials, dataset, permissions. Writes
 * nothing to BigQuery and nothing to SQLite. */
#ifndef BQSYNC_SYNC_REPORT_CHECK_H
#define BQSYNC_SYNC_REPORT_CHECK_H

#include "base/error.h"
#include "sync/deployment.h"

#include <stdbool.h>
#include <stddef.h>

enum check_status { CHECK_OK, CHECK_WARN, CHECK_FAIL };

/* One finding; the texts live for the call. name: "configuration", "source", "table users" ... */
typedef void check_visit(
    void *context, const char *name, enum check_status status, const char *message);

/* Runs every check, in order, whatever the earlier ones found. credentials_error: why there are
 * none, NULL if all is well with them. Returns whether none failed. */
bool check_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct error *credentials_error, check_visit *visit, void *context);

const char *check_status_name(enum check_status status);

#endif
