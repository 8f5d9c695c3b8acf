/* check_warehouse: the part of check that asks BigQuery. */
#ifndef BQSYNC_SYNC_REPORT_CHECK_WAREHOUSE_H
#define BQSYNC_SYNC_REPORT_CHECK_WAREHOUSE_H

#include "sync/report/checker.h"

/* Checks the dataset, the permissions there (check_permissions), and each target against its
 * definition. Writes nothing. */
void check_warehouse(const struct checker *c);

#endif
