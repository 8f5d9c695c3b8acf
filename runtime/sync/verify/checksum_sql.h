/* checksum_sql: the GoogleSQL statements with which verify reads a table in BigQuery. Writes text
 * only. */
#ifndef BQSYNC_SYNC_VERIFY_CHECKSUM_SQL_H
#define BQSYNC_SYNC_VERIFY_CHECKSUM_SQL_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/table.h"

/* Appends a SELECT with one row a bucket: the bucket (the first bucket_digits hex digits of the
 * key's SHA-256), its number of rows, and the XOR of the rows' SHA-256 as two integers, made of hex
 * digits 1 to 15 and 16 to 30. */
void checksum_sql_buckets(
    struct buffer *sql, const struct config *config, const struct table *table, int bucket_digits);

/* Appends a SELECT with one row a row: the key's text, the SHA-256 of all columns but JSON, each
 * key column as people read it, then the text of each JSON column. The statement ends with the
 * bucket as an expression, so that the caller can append a condition on it (" in ('00f')"). */
void checksum_sql_rows(
    struct buffer *sql, const struct config *config, const struct table *table, int bucket_digits);

#endif
