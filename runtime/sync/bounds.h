/* bounds: between which values the keys of a batch lie. The MERGE that sends the batch says so in
 * its ON clause, by constants, so that BigQuery reads only those partitions and blocks of the
 * target that can hold such keys ("Querying clustered tables", "Updating partitioned table data
 * using DML"). The result stays the same: a row of the target outside of the bounds has a key that
 * no row of the batch has, tombstones included, so nothing would have matched it. The values are
 * taken from the record that is sent, and compared as BigQuery compares them. One thread at a time.
 *
 * The values of an immutable column that partitions the target may bound a batch, too. Whether a
 * row of the target has had the same value before is not known here, so the statement for this
 * checks it (table.h: merge_within_sql). A tombstone has no such value, and ends it. */
#ifndef BQSYNC_SYNC_BOUNDS_H
#define BQSYNC_SYNC_BOUNDS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* BigQuery clusters by the first 1,024 characters of a text ("Creating clustered tables"), so
 * longer bounds would not help it. */
#define BOUNDS_TEXT_MAX 1024

/* The lowest and the highest value of one key column, as Avro encodes them. */
struct bound {
    struct buffer low;
    struct buffer high;
};

/* Zeros: nothing is known. */
struct bounds {
    const struct table *table; /* borrowed */
    size_t number;             /* among the statements of a script, 0: the statement is alone */
    /* One for each key column; owned. Those of columns without bounds stay empty. NULL: no row was
     * added, or one has a key that cannot be bounded. */
    struct bound *keys;
    bool given_up;
    /* Whether the immutable column bounds the rows, too, and its values; owned. */
    bool within;
    struct bound partition;
    int64_t known; /* the highest key that was sent before the batch */
};

/* No row yet. number: tells the parameters of a script's statements apart, 0 for a statement of its
 * own. */
void bounds_open(struct bounds *out, const struct table *table, size_t number);
void bounds_clear(struct bounds *bounds);

/* Lets the table's immutable column bound the rows as well, as long as none of them is a tombstone
 * or has NULL there. For a batch outside of scripts, whose rows up to the key `known` are those
 * that were sent before and have changed. Called before rows are added. */
void bounds_begin_within(struct bounds *bounds, int64_t known);
/* Ends that: the statement will be another one. */
void bounds_end_within(struct bounds *bounds);

/* Adds the key of a row or a tombstone. record: as Avro has encoded it, every field a union. */
MUST_CHECK bool bounds_add(struct bounds *bounds, struct slice record, struct error *err);

/* Appends what a generated MERGE says of the bounds (table.h: bounds_sql), with the names of this
 * statement's parameters; nothing if they are not known, which is correct and reads more. */
void bounds_append_condition(struct buffer *sql, const struct bounds *bounds);

/* Appends the parameters that the condition names, as JSON objects, a comma in front of each but
 * the first in out. */
void bounds_append_parameters(struct buffer *out, const struct bounds *bounds);

#endif
