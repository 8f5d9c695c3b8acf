/* sqltext: builds SQLite statements into a buffer; the one place in source where names and texts
 * are quoted. Internal to source. */
#ifndef BQSYNC_SOURCE_SQLTEXT_H
#define BQSYNC_SOURCE_SQLTEXT_H

#include "base/buffer.h"
#include "base/table.h"

#include <stddef.h>

/* No statement of ours comes near it: 2,000 columns with names of 60 bytes, some times over. */
#define SQLTEXT_CEILING (1 << 20)

/* Appends format with each letter after a $ replaced: $n identifier, $t text literal, $r raw text,
 * $d the quoted name of a table's dirty set (argument: the table), $g that of a trigger of ours
 * (arguments: the table and what follows its name), $$ a dollar sign. Arguments are C strings. */
void sqltext_append(struct buffer *out, const char *format, ...);

/* Appends item once for each key column, an sqltext format with one $r for its number from 1. */
void sqltext_numbers(
    struct buffer *out, const struct table *table, const char *item, const char *between);

/* The SQLite name of the table's i-th key column. */
const char *sqltext_key_name(const struct table *table, size_t i);

#endif
