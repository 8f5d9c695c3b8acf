/* cell: one stored value on its way through a column reader: its class, its column's rules, its
 * text. What the column_* functions share; nothing else uses it. */
#ifndef BQSYNC_ENCODE_CELL_H
#define BQSYNC_ENCODE_CELL_H

#include "encode/column.h"

struct cell {
    struct column_reader *in;
    size_t index;
    const struct column *column;
    sqlite3_value *value;
    int storage; /* SQLITE_INTEGER and so on: before any conversion of the value */
};

/* The value of a column of the reader's row. It is looked up once for all that is asked of it,
 * which each sqlite3_column_* call would do again. Such a value may be used by one thread only
 * (SQLite documentation, "Result Values From A Query"), as is the connection. */
static inline struct cell cell_of(struct column_reader *in, size_t index)
{
    sqlite3_value *value = sqlite3_column_value(in->row, (int)index);

    return (struct cell){in, index, &in->table->columns[index], value, sqlite3_value_type(value)};
}

/* Notes that the value does not fit. reason: short, for people, static. */
void cell_problem(const struct cell *cell, const char *reason);

/* Slow path of cell_is_null: a stored NULL, or a redacted value. */
bool cell_check_null(const struct cell *cell);

/* Whether the column reads as NULL without a look at the value: NULL is stored, or the column is
 * redacted and not a STRING. If the column, or the row's being there, does not allow that, the
 * problem is noted. */
static inline bool cell_is_null(const struct cell *cell)
{
    if (cell->storage != SQLITE_NULL && cell->column->transform != TRANSFORM_REDACT)
        return false;
    return cell_check_null(cell);
}

/* The value as SQLite's own UTF-8 text of it; NULL or why there is none. */
const char *cell_text(const struct cell *cell, struct slice *out_text);

/* The same for types whose grammar is ASCII, where a wrong encoding needs no reason of its own. */
struct slice cell_ascii(const struct cell *cell);

#endif
