/* verify_sql: what verify asks BigQuery about a table, as GoogleSQL. Only writes text. */
#ifndef BQSYNC_SYNC_VERIFY_CHECKSUM_SQL_H
#define BQSYNC_SYNC_VERIFY_CHECKSUM_SQL_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/table.h"

/* For each bucket (the first hex digits of the key's hash): the bucket, its rows, and the two
 * halves of the sum of their hashes. */
void verify_sql_buckets(
    struct buffer *sql, const struct config *config, const struct table *table, int bucket_digits);

/* For each row: key text, hash of all but JSON, the key's columns for people, then the text of each
 * JSON column. Ends with the bucket as an expression, for a condition on it to follow. */
void verify_sql_rows(
    struct buffer *sql, const struct config *config, const struct table *table, int bucket_digits);

#endif
