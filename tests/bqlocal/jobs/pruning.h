/* pruning: how much of a table a scan reads, where conditions by constants leave partitions or
 * blocks of it out. The model, stated in docs/bqlocal.md: a partition has its rows in the order of
 * the first clustering column, in blocks of 1 MB. A condition on the partitioning column reads the
 * partitions that have a row for which it is true. A condition on the first clustering column reads
 * the blocks that its rows fill, and one more in each partition, since they seldom begin where a
 * block begins. Callers are inside of the monitor. */
#ifndef BQLOCAL_JOBS_PRUNING_H
#define BQLOCAL_JOBS_PRUNING_H

#include "bqlocal/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* The bytes that the scan reads of its table, which has this number. scan: of a sql_result. blocks
 * false: as BigQuery estimates it before a query runs, when only partitions are known. */
int64_t pruning_bytes(struct store *store, const cJSON *scan, bool blocks, int64_t table_bytes);

#endif
