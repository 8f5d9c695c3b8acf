/* extract_row: what becomes of one row that extract reads: it is written to the file, rejected, or,
 * where keys are kept, refused for the row that has its key. Internal to extract. */
#ifndef BQSYNC_SYNC_PASS_EXTRACT_ROW_H
#define BQSYNC_SYNC_PASS_EXTRACT_ROW_H

#include "base/buffer.h"
#include "base/error.h"
#include "encode/column_reader.h"
#include "encode/container.h"
#include "source/database.h"
#include "source/fingerprint.h"
#include "source/shadow.h"
#include "sync/pass/batch.h"
#include "sync/pass/extract_options.h"
#include "sync/pass/inline_rows.h"
#include "sync/pass/task.h"

#include <stdbool.h>
#include <stdint.h>

/* One table being read. The batch becomes the task's when it is complete. */
struct extraction {
    struct database *source;
    const struct extract_options *options;
    struct task *task;
    struct batch batch;
    struct container *container;
    /* What the next row is to the log of a table with history: "insert" ...; NULL: not known. */
    const char *operation;
    struct inline_rows inlined; /* the same rows, while they are few */
    void *row;                  /* the generated row struct */
    bool *nullable;             /* which of the file's fields are unions */
    /* Where keys are kept: the shadow, borrowed, and the text of a row's key in BigQuery. */
    struct shadow *keys;
    struct buffer key_text;
    enum shadow_claim claim; /* of the last row that was written */
    bool key_fits;           /* of the last row */
    size_t record_bytes;     /* the same; SIZE_MAX: more than a block can hold */
    int64_t rows_read;
    /* Of the rows whose changes nothing lists (sync/pass/content.h). */
    struct fingerprint fingerprint;
    /* Rows so far that no key tells from others: without a key, with a NULL in it, or of a table
     * where it need not be unique. */
    int64_t unnamed_rows;
    /* The last row's number among these; 0: it is none of them. */
    int64_t row_number;
    /* What the scan found has revised the plan: this file is the wrong one. */
    bool is_wrong;
};

/* Reads the row that the reader stands on and writes it to the file, or rejects it. deleted: it is
 * a tombstone, of which only the key counts. ERROR_REJECTED where the table says on_reject: fail.
 */
MUST_CHECK bool extract_row(
    struct extraction *e, struct column_reader *reader, bool deleted, struct error *err);

/* The row that the reader stands on was rejected, and all rows are being sent. The version of it
 * that was sent before stays in the target: a file for a staging table says so; one that goes
 * straight into the target cannot, and is_wrong is set. Does nothing if the key does not fit. */
MUST_CHECK bool extract_kept_row(
    struct extraction *e, struct column_reader *reader, struct error *err);

/* The same as extract_row for a row of changes_sql where keys are kept: tombstones wait until all
 * rows have their keys. */
MUST_CHECK bool extract_listed_row(
    struct extraction *e, struct column_reader *reader, bool deleted, struct error *err);

/* The key of the last row as BigQuery compares it; empty if keys are not kept, or it did not fit.
 */
struct slice extract_row_key(const struct extraction *e);

#endif
