/* cell: one stored value of a row: its storage class, the rules of its column, its text. What the
 * column_* functions share; nothing else uses it. */
#ifndef BQSYNC_ENCODE_CELL_H
#define BQSYNC_ENCODE_CELL_H

#include "base/slice.h"
#include "encode/column_reader.h"

#include <sqlite3.h>

struct cell {
    struct column_reader *in;
    size_t index;
    const struct column *column;
    sqlite3_value *value;
    int storage; /* SQLITE_INTEGER and so on: before any conversion of the value */
};

/* The value of a column of the reader's row, looked up once: each sqlite3_column_* call would look
 * it up again. Only the thread that steps the statement may use such a value (SQLite documentation,
 * "Result Values From A Query"). */
static inline struct cell cell_of(struct column_reader *in, size_t index)
{
    sqlite3_value *value = sqlite3_column_value(in->row, (int)index);
    const struct column *column = &in->table->columns[index];
    bool hidden = in->tombstone && !column->key;

    return (struct cell){
        in, index, column, value, hidden ? SQLITE_NULL : sqlite3_value_type(value)};
}

/* The cell's own COLUMN_SCRATCH_SIZE bytes, which a second read of the same value overwrites with
 * the same text. */
static inline char *cell_scratch(const struct cell *cell)
{
    return cell->in->scratch + cell->index * COLUMN_SCRATCH_SIZE;
}

/* The name of a storage class: "integer", "real", "text", "blob" or "null". Static. */
const char *cell_class(int storage);

/* Notes that the value cannot be read, for which the row is rejected. reason: short, for people,
 * static. */
void cell_failure(const struct cell *cell, const char *reason);

/* Notes that the value does not fit. The row is rejected for it, unless the table has a column that
 * takes such values. reason: as above. */
void cell_problem(const struct cell *cell, const char *reason);

/* Slow path of cell_is_null: a stored NULL, a redacted value, perhaps an empty one. */
bool cell_check_null(const struct cell *cell);

/* Whether the value is of that class and reads as itself: what most values are. The functions that
 * ask this first pass the cell on by value, so that compilers keep it in registers until then. */
static inline bool cell_is_plain(const struct cell *cell, int storage)
{
    return cell->storage == storage && cell->column->transform != TRANSFORM_REDACT &&
           !cell->column->empty_is_null;
}

/* Whether the value reads as NULL: NULL is stored, or nothing is where empty means that, or the
 * column is redacted and not a STRING. Notes a problem where the column does not allow NULL. */
static inline bool cell_is_null(const struct cell *cell)
{
    if (cell->storage != SQLITE_NULL && cell_is_plain(cell, cell->storage))
        return false;
    return cell_check_null(cell);
}

/* Slow path of cell_has_lone_surrogate, of a database that stores UTF-16. */
bool cell_utf16_has_lone_surrogate(const struct cell *cell);

/* Whether the value is a text in UTF-16 that no text in UTF-8 equals. */
static inline bool cell_has_lone_surrogate(const struct cell *cell)
{
    return cell->in->utf16 && cell_utf16_has_lone_surrogate(cell);
}

/* A REAL as SQLite writes it with 15 digits, in the cell's scratch. */
struct slice cell_real_text(const struct cell *cell);

/* The value as UTF-8 text, as SQLite converts it; a real always with 15 digits, in the cell's
 * scratch. Returns NULL, or the reason why it has none. */
static inline const char *cell_text(const struct cell *cell, struct slice *out_text)
{
    if (cell->storage == SQLITE_FLOAT) {
        *out_text = cell_real_text(cell);
        return NULL;
    }
    if (cell_has_lone_surrogate(cell))
        return "contains a lone surrogate";
    out_text->data = (const char *)sqlite3_value_text(cell->value);
    out_text->length = (size_t)sqlite3_value_bytes(cell->value);
    return out_text->data != NULL ? NULL : "cannot be read: out of memory";
}

/* The same for types whose grammar is ASCII, which refuse a wrong encoding as they refuse any other
 * text that is not a value of theirs: U+FFFD stands for a text with a lone surrogate, and for one
 * that there is no memory to read. */
static inline struct slice cell_ascii(const struct cell *cell)
{
    // The value itself stays as it is, for the column that takes what does not fit.
    if (cell_has_lone_surrogate(cell))
        return slice_of("\xef\xbf\xbd");
    const char *data = (const char *)sqlite3_value_text(cell->value);

    if (data == NULL)
        return slice_of("\xef\xbf\xbd");
    return (struct slice){data, (size_t)sqlite3_value_bytes(cell->value)};
}

/* The bytes of a blob; data is never NULL. */
struct slice cell_blob(const struct cell *cell);

#endif
