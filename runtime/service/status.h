/* status: the progress of every table, read from the two databases without writing or locking, and
 * the document of `bqsync status --json` and GET /admin/bigquery/sync/status. Works before the
 * first sync, when control tables are missing, and while a pass runs.
 *
 * Values are kept until a file changes, for ten seconds at most, so frequent requests are cheap. If
 * reading is slow, the values may be up to a second old. Thread-safe. */
#ifndef BQSYNC_SERVICE_STATUS_H
#define BQSYNC_SERVICE_STATUS_H

#include "base/config.h"
#include "base/error.h"
#include "base/table.h"
#include "service/status_values.h"
#include "sync/spending.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct status;

/* Opens nothing yet. config and tables are borrowed. Returned owned. */
MUST_CHECK bool status_new(
    const struct config *config, const struct table *const *tables, size_t count,
    struct status **out_status, struct error *err);
void status_free(struct status *status);

/* Fills count entries. ERROR_SOURCE and ERROR_BUSY say why a database cannot be read. */
MUST_CHECK bool status_read(
    struct status *status, struct status_table *out_tables, struct error *err);

/* As above, what all tables have billed, and what the day's budget leaves. */
MUST_CHECK bool status_spending(
    struct status *status, struct spending *out_spending, struct error *err);

/* The newest run that is recorded, whichever process ran it, NULL if there is none or if it cannot
 * be read. Returned owned. */
cJSON *status_last_run(struct status *status);

/* Later calls return values that are at least as new as this call. */
void status_invalidate(struct status *status);

/* The document, returned owned. If a database cannot be read it has "error", and of the tables only
 * their names and modes. */
cJSON *status_json(struct status *status, struct status_live *live);

#endif
