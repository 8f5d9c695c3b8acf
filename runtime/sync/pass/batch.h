/* batch: the rows of one table as they were read in the snapshot, encoded into one Avro file, with
 * the way in which that file has to be sent. The two are made together and thrown away together:
 * what sends the file looks here and never at the plan, so a plan that changes after the file was
 * read cannot send it in a way that it was not made for. Plain data; one thread at a time. */
#ifndef BQSYNC_SYNC_PASS_BATCH_H
#define BQSYNC_SYNC_PASS_BATCH_H

#include "base/send_mode.h"
#include "base/spool.h"
#include "encode/packer.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "sync/bounds.h"
#include "sync/partitions.h"

#include <stdbool.h>
#include <stdint.h>

struct batch {
    /* The table has been read to its end; nothing below means anything before. */
    bool complete;

    /* What the file holds: new rows alone (append), rows and tombstones of changed keys (merge), or
     * all rows (replace); nothing if a scan only compared. Set when the file is opened. */
    enum send_mode mode;
    /* The file is for a staging table: every field is a union, and _bqsync_deleted is the last. */
    bool staged;
    /* JSON is plain text in the file and in the staging table. */
    bool json_as_text;
    /* Where the rows of the file lie in the target, tombstones aside: nobody knows where the rows
     * were that they delete. Owned. */
    struct partitions partitions;
    /* Of a merge: where its keys lie, tombstones included. Owned. */
    struct bounds bounds;
    /* The file is for a target that was not looked at: its unions are those of the definition. */
    bool guessed;

    /* The file, owned. NULL: there are no rows, or they are inlined. */
    struct spool *spool;
    /* Of the file: how its blocks are packed, of zstd the last level, and how many bytes its rows
     * had before. */
    enum codec codec;
    int codec_level;
    int64_t raw_bytes;
    /* Few rows: the values of a query parameter, as encode/parameter writes them with commas in
     * between, which travel in the statement instead of the file. Owned, else NULL. */
    struct spool *inlined;
    /* Rows in the file, tombstones included. */
    int64_t rows;
    /* Of these, keys of rejected rows in a staged replacement: what the target holds of them stays.
     */
    int64_t kept_keys;
    /* Of these, rows with values that do not fit and stand in _bqsync_unfit. */
    int64_t unfit_rows;
    /* Of these, rows above the watermark or unknown to the shadow. */
    int64_t new_rows;
    /* Of these, rows and tombstones of keys that were sent before. */
    int64_t changed_rows;
    /* Tombstones that are not among the rows, because the target keeps deleted rows as they were.
     */
    int64_t left_out;
    /* When the snapshot was opened, in microseconds of wall time. */
    int64_t taken_us;
    /* Of a merge of a table with history: of these, rows and tombstones of which only the target
     * tells what they are to its log. */
    int64_t unknown_rows;
    /* What watermark.fingerprint becomes once the file has been sent. */
    char fingerprint[FINGERPRINT_SIZE];

    /* What a scan found out, to be made durable before the file is sent. Owned, may be NULL. */
    struct shadow *shadow;
    /* A connection that holds the collected rejects until they are published. Open if has_rejects.
     */
    bool has_rejects;
    struct tracking rejects;
};

/* Frees the file, the shadow and the connection, but keeps the counts, partitions and bounds. */
void batch_release(struct batch *batch);

/* Whether all rows are new to the target, so that a statement which only adds rows can send them.
 */
bool batch_only_adds(const struct batch *batch, const struct table *table);

/* Bytes to send. */
uint64_t batch_bytes(const struct batch *batch);

/* Frees everything and forgets the counts: the table has to be read again. */
void batch_clear(struct batch *batch);

#endif
