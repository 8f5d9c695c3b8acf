/* sqlite_sql: builds SQLite statements into a buffer; the one place in source where names and texts
 * are quoted. Internal to source. */
#ifndef BQSYNC_SOURCE_SQLITE_SQL_H
#define BQSYNC_SOURCE_SQLITE_SQL_H

#include "base/buffer.h"
#include "base/table.h"

#include <stddef.h>

/* No statement of ours comes near it: 2,000 columns with names of 60 bytes, some times over. */
#define SQLITE_SQL_CEILING (1 << 20)

/* Appends format with each letter after a $ replaced: $n identifier, $t text literal, $r raw text,
 * $d the quoted name of a table's dirty set (argument: the table), $g that of a trigger of ours
 * (arguments: the table and what follows its name), $$ a dollar sign. Arguments are C strings. */
void sqlite_sql_append(struct buffer *out, const char *format, ...);

/* Appends item once for each key column, an sqlite_sql format with one $r for its number from 1. */
void sqlite_sql_numbers(
    struct buffer *out, const struct table *table, const char *item, const char *between);

/* The SQLite name of the table's i-th key column. */
const char *sqlite_sql_key_name(const struct table *table, size_t i);

#endif
