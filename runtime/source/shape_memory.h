/* shape_memory: what capture_inspect has said of tables with nothing wrong about them, kept in the
 * state database, because asking SQLite again takes most of the time of a pass without changes.
 *
 * What capture_inspect says follows from its inputs: all texts of the schema (sqlite_master), the
 * table's definition, this build of bqsync and SQLite's own. An entry is found by a hash of 128
 * bits of all of them (SipHash) and by nothing else, so it cannot be out of date: after any change
 * of the schema, be it made by ALTER TABLE, by restoring a backup, by another file in the place of
 * the database or with writable_schema, the hash is another one. The one thing that is not in the
 * schema, the table's counter in bq_sync_capture, is looked at each time.
 *
 * Where the linker stamps no build id, nothing is remembered. Belongs to the thread of its
 * connections. */
#ifndef BQSYNC_SOURCE_SHAPE_MEMORY_H
#define BQSYNC_SOURCE_SHAPE_MEMORY_H

#include "base/error.h"
#include "base/table.h"
#include "source/capture.h"
#include "source/database.h"
#include "source/tracking.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shape_memory {
    struct database *source;   /* borrowed */
    struct tracking *tracking; /* borrowed */
    /* The source's schema cookie before the hash was made (capture.h). */
    int64_t schema_cookie;
    /* Of the schema's texts. */
    uint64_t schema_hash[2];
};

/* Reads the source's schema, so that shapes can be recalled as long as it stays. */
MUST_CHECK bool shape_memory_open(
    struct shape_memory *out_memory, struct database *source, struct tracking *tracking,
    struct error *err);

/* The shape of a table, if it is remembered: *out_found. Columns that the definition lacks
 * (`extra`) are not. Writes nothing. */
MUST_CHECK bool shape_memory_recall(
    const struct shape_memory *memory, const struct table *table, bool *out_found,
    struct source_shape *out_shape, struct error *err);

/* The same, or what capture_inspect says of the table now. */
MUST_CHECK bool shape_memory_inspect(
    const struct shape_memory *memory, const struct table *table, struct source_shape *out_shape,
    struct error *err);

/* Inspects those of the tables that are not remembered under the present schema, in one read
 * transaction of the source, and writes what can be remembered into the state, in one short
 * transaction; writes nothing if all of it is known. Neither connection may have a transaction. */
MUST_CHECK bool shape_memory_renew(
    struct database *source, struct tracking *tracking, const struct table *const *tables,
    size_t count, struct error *err);

#endif
