/* row_name: how an error names a row, in err->row: "the row with team = a, person = b". Keys are
 * data, so a row's name never goes to a log or a report. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_ROW_NAME_H
#define BQSYNC_SOURCE_ROW_NAME_H

#include "base/table.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/* By its key, of at least one column. columns: those of the statement that hold the columns of the
 * key; NULL: its first ones. Reading the key converts it in place, so the key of the statement's
 * row is not to be used any more. */
void row_name(
    const struct table *table, sqlite3_stmt *row, const size_t *columns, char *out, size_t size);

/* "the row number 7", for a table in which no key tells rows apart. */
void row_name_by_number(int64_t number, char *out, size_t size);

#endif
