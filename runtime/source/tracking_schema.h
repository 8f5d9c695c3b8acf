/* tracking_schema: the layout of the control tables bq_sync_* of a state database, and its
 * upgrades. Knows their columns, not what they mean. (bq_sync_capture and the dirty sets belong to
 * capture.) Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_TRACKING_SCHEMA_H
#define BQSYNC_SOURCE_TRACKING_SCHEMA_H

#include "base/error.h"
#include "source/database.h"

#include <stdbool.h>

/* The version that this build writes into bq_sync_meta as "schema_version". */
#define TRACKING_SCHEMA_VERSION 1

/* Makes the control tables what this build expects: creates those that are missing, adds columns
 * that an older version lacked, draws the instance's name. Writes only if something has to change.
 * ERROR_SOURCE if a newer version has written them. */
MUST_CHECK bool tracking_schema_prepare(struct database *database, struct error *err);

/* ERROR_SOURCE if the database has control tables that a newer version has written. */
MUST_CHECK bool tracking_schema_refuse_newer(struct database *database, struct error *err);

/* Makes the table's watermark say that not all changes were captured: it loses the hash that makes
 * it count, and the nonce with which an open intent could give the hash back. The epoch rises, so
 * that no plan made before can record an intent. */
MUST_CHECK bool tracking_schema_distrust(
    struct database *database, const char *table, struct error *err);

#endif
