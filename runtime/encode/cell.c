#include "encode/cell.h"

#include "encode/civil.h"
#include "encode/text.h"

const char *cell_class(int storage)
{
    static const char *const classes[] = {
        [SQLITE_INTEGER] = "integer", [SQLITE_FLOAT] = "real", [SQLITE_TEXT] = "text",
        [SQLITE_BLOB] = "blob",       [SQLITE_NULL] = "null",
    };
    _Static_assert(
        sizeof classes / sizeof classes[0] == SQLITE_NULL + 1, "a name for each storage class");

    return classes[storage];
}

void cell_failure(const struct cell *cell, const char *reason)
{
    struct column_reader *in = cell->in;

    // The first problem already rejects the row. Of those beyond the maximum, only one of the key
    // says more: column_reader_key_fits has to find it.
    if (in->problem_count == COLUMN_PROBLEMS_MAX && !cell->column->key)
        return;
    size_t place =
        in->problem_count < COLUMN_PROBLEMS_MAX ? in->problem_count++ : COLUMN_PROBLEMS_MAX - 1;
    in->problems[place] = (struct column_problem){
        .column = cell->index, .storage_class = cell_class(cell->storage), .reason = reason};
}

/* Whether the row is sent without the value. */
static bool is_set_aside(const struct cell *cell)
{
    return cell->in->unfit != NULL && !cell->column->required && !cell->column->key;
}

void cell_problem(const struct cell *cell, const char *reason)
{
    struct column_reader *in = cell->in;

    if (!is_set_aside(cell)) {
        cell_failure(cell, reason);
        return;
    }
    // A second read finds the class of a value that the first has perhaps converted.
    if (in->unfit[cell->index] != 0)
        return;
    in->unfit[cell->index] = (unsigned char)cell->storage;
    in->unfit_count++;
}

/* In mode replace no statement looks a row up by its key, so a NULL in it is sent. */
static bool takes_part_in_key(const struct cell *cell)
{
    return cell->column->key && cell->in->table->mode != SEND_REPLACE;
}

/* An empty text, or a date of zeros, where the definition says that it stands for none. */
static bool is_empty(const struct cell *cell)
{
    if (!cell->column->empty_is_null || cell->storage != SQLITE_TEXT)
        return false;
    struct slice text = cell_ascii(cell);
    return text.length == 0 ||
           (cell->column->type >= COLUMN_DATE && cell->column->type <= COLUMN_TIMESTAMP &&
            civil_is_date_of_zeros(text));
}

bool cell_check_null(const struct cell *cell)
{
    const struct column *column = cell->column;
    bool refused = column->required || takes_part_in_key(cell);

    if (cell->storage == SQLITE_NULL) {
        if (takes_part_in_key(cell))
            cell_problem(cell, "is NULL in a key column");
        else if (column->required && !cell->in->tombstone)
            cell_problem(cell, "is NULL in a REQUIRED column");
        return true;
    }
    if (is_empty(cell)) {
        if (refused)
            cell_problem(cell, "is empty, so it is read as NULL, which the column does not allow");
        return true;
    }
    if (column->transform != TRANSFORM_REDACT || column->type == COLUMN_STRING)
        return false;
    if (refused)
        cell_problem(cell, "is redacted to NULL, which the column does not allow");
    return true;
}

/* Invalid UTF-16 has to be found before SQLite converts it: the result is always valid UTF-8, but
 * may be another text. */
bool cell_utf16_has_lone_surrogate(const struct cell *cell)
{
    const void *units = sqlite3_value_text16(cell->value);
    size_t bytes = (size_t)sqlite3_value_bytes16(cell->value);
    return units != NULL && !text_utf16_is_valid(units, bytes);
}

struct slice cell_real_text(const struct cell *cell)
{
    // How many digits sqlite3_value_text() gives depends on the version of SQLite, 15 or 17, and on
    // SQLITE_DBCONFIG_FP_DIGITS.
    char *text = cell_scratch(cell);

    sqlite3_snprintf(COLUMN_SCRATCH_SIZE, text, "%!.15g", sqlite3_value_double(cell->value));
    return slice_of(text);
}

struct slice cell_blob(const struct cell *cell)
{
    struct slice blob = {sqlite3_value_blob(cell->value), (size_t)sqlite3_value_bytes(cell->value)};

    // SQLite returns NULL for an empty blob.
    if (blob.length == 0)
        blob.data = "";
    return blob;
}
