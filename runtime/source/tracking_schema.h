/* control: the layout of the control tables bq_sync_* of a state database, and its upgrades. Knows
 * their columns, not what they mean. (bq_sync_capture and the dirty sets belong to capture.) */
#ifndef BQSYNC_SOURCE_TRACKING_SCHEMA_H
#define BQSYNC_SOURCE_TRACKING_SCHEMA_H

#include "base/error.h"
#include "source/database.h"

#include <stdbool.h>

/* The version that this build writes into bq_sync_meta as "schema_version". */
#define CONTROL_VERSION 1

/* Makes the control tables what this build expects: creates those that are missing, adds columns
 * that an older version lacked, draws the instance's name. Writes only if something has to change.
 * ERROR_SOURCE if a newer version has written them. */
MUST_CHECK bool control_prepare(struct database *database, struct error *err);

/* Whether a table of that name exists in the main database. */
MUST_CHECK bool control_has_table(
    struct database *database, const char *name, bool *out_exists, struct error *err);

/* Whether the table's dirty set is in this database. */
MUST_CHECK bool control_has_dirty_set(
    struct database *database, const char *table, bool *out_exists, struct error *err);

/* Makes the table's watermark say that not all changes were captured: it loses the hash that makes
 * it count, and the nonce with which an open intent could give the hash back. */
MUST_CHECK bool control_distrust_progress(
    struct database *database, const char *table, struct error *err);

#endif
