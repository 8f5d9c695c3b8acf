/* checksum_sql: the GoogleSQL statements with which verify reads a table in BigQuery. Writes text
 * only. */
#ifndef BQSYNC_SYNC_VERIFY_CHECKSUM_SQL_H
#define BQSYNC_SYNC_VERIFY_CHECKSUM_SQL_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/table.h"

/* The checksum of a bucket: the sums of the parts of its rows' hashes. A sum tells how often a row
 * occurs, where an XOR would cancel pairs of equal rows. BigQuery fails a SUM that leaves INT64, so
 * a part has 40 bits: 2^23 rows in each bucket, tens of billions in a table, add up exactly, and
 * SQLite's side needs no wide integers either. */
#define CHECKSUM_PARTS  3
#define CHECKSUM_DIGITS 10

/* In the place of a bucket: all rows that are marked as deleted (table.h: deletes). They are in no
 * bucket and in no other statement. */
#define CHECKSUM_KEPT "kept"

/* Appends a SELECT with one row a bucket: the bucket (the first bucket_digits hex digits of the
 * key's SHA-256), its number of rows, and CHECKSUM_PARTS sums of CHECKSUM_DIGITS hex digits of the
 * rows' SHA-256, from the first digit on. */
void checksum_sql_buckets(
    struct buffer *sql, const struct config *config, const struct table *table, int bucket_digits);

/* Appends a SELECT with one row a row: the key's text, the SHA-256 of all columns but JSON, each
 * key column as people read it, then the text of each JSON column. The statement ends with the
 * bucket as an expression, so that the caller can append a condition on it (" in ('00f')"). */
void checksum_sql_rows(
    struct buffer *sql, const struct config *config, const struct table *table, int bucket_digits);

#endif
