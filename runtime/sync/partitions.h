/* partitions: the partitions of a target that the rows of one table lie in. BigQuery limits them
 * ("Quotas and limits", "Partitioned tables"): a job changes at most 4,000 partitions of a table
 * that is partitioned by a column, the table has at most 10,000, and 30,000 are changed in a day.
 * Rows without a value, and those outside of an integer range, lie in one more each. One thread at
 * a time. */
#ifndef BQSYNC_SYNC_PARTITIONS_H
#define BQSYNC_SYNC_PARTITIONS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "encode/column_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below BigQuery's 4,000: the target may hold what its definition does not explain. */
#define PARTITIONS_OF_A_JOB   3500
#define PARTITIONS_OF_A_TABLE 10000

enum partition_unit {
    PARTITION_NONE, /* the target is not partitioned */
    PARTITION_HOUR,
    PARTITION_DAY,
    PARTITION_MONTH,
    PARTITION_YEAR,
    PARTITION_RANGE,
};

struct partition {
    int64_t number;
    int64_t least; /* the smallest value of the column that was seen in it */
};

/* Zeros: not partitioned. */
struct partitions {
    const struct table *table; /* borrowed */
    enum partition_unit unit;
    size_t column; /* index into table->columns */
    int64_t start; /* of PARTITION_RANGE */
    int64_t end;
    int64_t interval;
    /* Those of the rows so far, in order of their numbers; owned. */
    struct partition *found;
    size_t count;
    size_t room;
    size_t latest; /* index of the partition of the latest row */
};

/* How the table's definition partitions its target; nothing is found yet. Owns nothing so far. */
void partitions_open(struct partitions *out, const struct table *table);
void partitions_clear(struct partitions *partitions);

/* Notes where the reader's row lies, which fits. ERROR_SCHEMA if no table can have so many: names
 * the table, its column and what to choose instead. */
MUST_CHECK bool partitions_add(
    struct partitions *partitions, struct column_reader *reader, struct error *err);

/* In how many statements rows have to be inserted that none of them touches too many; 1 as a rule.
 */
size_t partitions_parts(const struct partitions *partitions);

/* Appends the condition that picks the rows of one part; each row of the table, one that was not
 * added too, is in exactly one part. alias: with its dot. */
void partitions_append_condition(
    struct buffer *sql, const struct partitions *partitions, size_t part, const char *alias);

/* How many partitions a load of these rows changes: each in which one of them lies, at least 1; 0
 * if the target is not partitioned. What a replacement empties besides is documented nowhere. */
int64_t partitions_modified(const struct partitions *partitions);

/* Whether the daily quota of the table's target counts changed partitions instead of loads. */
bool partitions_are_counted(const struct table *table);
/* How much of that quota there is: loads, or changed partitions. */
int64_t partitions_daily_limit(const struct table *table);

#endif
