/* check_permissions: the part of check that finds out which permissions are held. Permissions are
 * probed, never used: metadata is read, statements run dry, and tables are asked what may be done
 * with them ("Control access to resources with IAM"). */
#ifndef BQSYNC_SYNC_REPORT_CHECK_PERMISSIONS_H
#define BQSYNC_SYNC_REPORT_CHECK_PERMISSIONS_H

#include "sync/report/checker.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

/* What the probes find out about the dataset on the way. */
struct check_rights {
    /* The dataset's location, "" if it could not be read. */
    char location[64];
    /* The tables could be listed, so exists is known. */
    bool listed;
    /* For each table to check, whether its target exists; owned by the caller. */
    bool *exists;
};

/* Probes every permission that a sync needs. The finding of a missing one names the role that
 * grants it and the command that grants the role. Returns false, after adding the finding, if
 * BigQuery could not be asked or the dataset does not exist: further checks would fail too. */
bool check_permissions(
    const struct checker *c, struct bigquery *bigquery, struct check_rights *out_rights);

#endif
