/* capture_declared: how the columns are declared on which the rows that bqsync reads depend. No
 * trigger fires when ALTER TABLE drops a column and adds it again with other values, when columns
 * swap their names, or when a generated column gets another expression, but SQLite keeps the text
 * of the CREATE TABLE statement, and ALTER TABLE changes it in place. So the text of these columns
 * says whether they are still the ones of the last sync.
 *
 * Reads texts only and asks SQLite nothing. Internal to source. */
#ifndef BQSYNC_SOURCE_CAPTURE_DECLARED_H
#define BQSYNC_SOURCE_CAPTURE_DECLARED_H

#include "base/error.h"
#include "base/table.h"

#include <stdbool.h>
#include <stdint.h>

/* Hashes, of each column that the definition lists, that its filter names, or from which one of
 * those is generated: place, name, and the text of its declaration with the white space and the
 * comments in it, because ALTER TABLE leaves a column that it adds on the line of the one before.
 * What does not count: other columns (one more at the end changes nothing), the case of the
 * column's own name, quotes around names, and to which table and columns a foreign key refers
 * (ALTER TABLE ... RENAME of that table changes them here).
 *
 * create_sql: the CREATE TABLE statement as sqlite_master has it; of a text without a list of
 * columns, all of it is hashed. Fails only for want of memory. */
MUST_CHECK bool capture_declared_hash(
    const struct table *table, const char *create_sql, uint64_t *out_hash, struct error *err);

#endif
