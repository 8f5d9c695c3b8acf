/* partition_filter: tables with requirePartitionFilter are read and changed only by statements that
 * filter by their partition column ("Querying partitioned tables", Google Cloud documentation).
 * BigQuery asks whether the filter can leave partitions out; here the column's name behind a WHERE
 * or an ON is enough. Callers are inside of the monitor. */
#ifndef BQLOCAL_JOBS_PARTITION_FILTER_H
#define BQLOCAL_JOBS_PARTITION_FILTER_H

#include "bqlocal/sql/run/sql.h"

/* Whether any table requires a filter, so that requests have to be analysed. */
bool partition_filter_is_used(struct store *store);

/* invalidQuery where the analysed request lacks a filter that one of its tables requires. */
MUST_CHECK bool partition_filter_check(
    struct store *store, const char *text, const struct sql_result *analysis, struct error *err);

#endif
