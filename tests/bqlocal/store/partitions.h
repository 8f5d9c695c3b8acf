/* partitions: the limits of tables that are partitioned by a column ("Quotas and limits",
 * "Partitioned tables"): a job changes at most 4,000 partitions of one, and it has at most 10,000.
 * Rows without a value, and those outside of an integer range, are a partition each. Which
 * partitions a TRUNCATE changes is documented nowhere; it counts none here. */
#ifndef BQLOCAL_STORE_PARTITIONS_H
#define BQLOCAL_STORE_PARTITIONS_H

#include "bqlocal/store/store.h"

/* One table while a job changes it; the strings are borrowed. */
struct partition_watch {
    struct store *store;
    const char *dataset;
    const char *table;
    char *number; /* owned: SQL for a row's partition, where %s is the row's name. NULL: no limit */
};

/* Notes from here on the partitions whose rows are inserted, updated and deleted. To be followed by
 * partitions_judge, and always by partitions_forget. */
MUST_CHECK bool partitions_watch(
    struct store *store, const char *dataset, const char *table, struct partition_watch *out_watch,
    struct error *err);
/* invalid if a limit was passed, in BigQuery's words (GitHub, cortex-dag-generator issue 5; the
 * words of a table that is full are ours); what the job did is then to be undone. */
MUST_CHECK bool partitions_judge(const struct partition_watch *watch, struct error *err);
void partitions_forget(struct partition_watch *watch);

/* SQL for the partition of a row that has this name, which the caller gives to sqlite3_free. NULL:
 * the table is not partitioned by a column. */
char *partitions_of_row(
    struct store *store, const char *dataset, const char *table, const char *row);

#endif
