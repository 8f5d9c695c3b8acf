/* sqlite_sql: builds SQLite statements into a buffer. Every name and text that goes into a
 * statement at run time is quoted here and nowhere else; values of rows are bound instead. Internal
 * to source.
 *
 * bqsync's own tables for a table T are bq_sync_dirty_T (its dirty set), bq_sync_shadow_T and
 * bq_sync_pending_T (source/shadow_store.h); each has one column bq_sync_key_N for each column of
 * T's key, numbered from 1. Any thread. */
#ifndef BQSYNC_SOURCE_SQLITE_SQL_H
#define BQSYNC_SOURCE_SQLITE_SQL_H

#include "base/buffer.h"
#include "base/table.h"

#include <stdbool.h>
#include <stddef.h>

/* In bytes. The longest statement names 2,000 columns of 60 bytes a few times over, which is well
 * below it. */
#define SQLITE_SQL_CEILING (1 << 20)

#define SQLITE_SQL_DIRTY_PREFIX   "bq_sync_dirty_"
#define SQLITE_SQL_SHADOW_PREFIX  "bq_sync_shadow_"
#define SQLITE_SQL_PENDING_PREFIX "bq_sync_pending_"

/* Appends format with each letter after a $ replaced by the next argument, a C string: $n as an
 * identifier, $t as a text literal, $r raw, $d as the quoted name of the dirty set of the table of
 * that name, $g as the quoted name of a trigger of ours (two arguments: its kind of at most 30
 * bytes, and the table). $$ is a dollar sign. */
void sqlite_sql_append(struct buffer *out, const char *format, ...);

/* Appends a statement about one table: $n its name as an identifier, $t its name as a text literal,
 * $d its dirty set, $s its shadow, $p its pending changes, all quoted; $k the list of the key
 * columns "bq_sync_key_1, ...", $v as many parameters "?1, ...", $w the comparison "bq_sync_key_1 =
 * ?1 and ...". */
void sqlite_sql_expand(struct buffer *out, const struct table *table, const char *format);

/* Appends " and (filter)", nothing if the table has no filter. */
void sqlite_sql_append_filter(struct buffer *out, const struct table *table);

/* Appends item once for each key column, with "between" between two of them. item is a format of
 * sqlite_sql_append with one $r, which becomes the column's number from 1. */
void sqlite_sql_numbers(
    struct buffer *out, const struct table *table, const char *item, const char *between);

/* Whether a column of this name in SQLite is one of the key; case does not count. */
bool sqlite_sql_is_key_name(const struct table *table, const char *name);

/* The SQLite name of the table's i-th key column, from 0; borrowed from the definition. */
const char *sqlite_sql_key_name(const struct table *table, size_t i);

#endif
