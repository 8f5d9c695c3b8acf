#include "encode/column.h"

#include "encode/cell.h"
#include "encode/decimal.h"
#include "encode/digest.h"
#include "encode/number.h"

#include <math.h>

/* What one column can ask of scratch for a row: a digest, or a number as JSON. */
#define SCRATCH_PER_COLUMN DIGEST_TEXT_SIZE

_Static_assert(SCRATCH_PER_COLUMN >= NUMBER_TEXT_SIZE, "scratch holds either");

/* Whether the statement's database stores text as UTF-16. */
static bool read_encoding(sqlite3_stmt *row, bool *out_utf16, struct error *err)
{
    sqlite3 *db = sqlite3_db_handle(row);
    sqlite3_stmt *pragma = NULL;

    bool ok = sqlite3_prepare_v2(db, "PRAGMA encoding", -1, &pragma, NULL) == SQLITE_OK &&
              sqlite3_step(pragma) == SQLITE_ROW;
    if (ok)
        *out_utf16 =
            sqlite3_strnicmp((const char *)sqlite3_column_text(pragma, 0), "UTF-16", 6) == 0;
    else
        error_set(err, ERROR_SOURCE, "cannot read the text encoding: %s", sqlite3_errmsg(db));
    sqlite3_finalize(pragma);
    return ok;
}

bool column_reader_init(
    struct column_reader *in, const struct table *table, sqlite3_stmt *row, struct error *err)
{
    struct column_reader made = {.table = table, .row = row};
    struct digest *digest = NULL;

    if (!read_encoding(row, &made.utf16, err))
        return error_wrap(err, "table %s", table->name);
    // All of scratch at once: slices into it must stay where they are until the next row.
    buffer_init(&made.scratch, table->column_count * SCRATCH_PER_COLUMN);
    if (buffer_reserve(&made.scratch, made.scratch.ceiling) == NULL)
        return error_set(err, ERROR_MEMORY, "table %s: out of memory for a reader", table->name);
    if (!digest_new(table, &digest, err)) {
        buffer_clear(&made.scratch);
        return false;
    }
    made.digest = digest;
    *in = made;
    return true;
}

void column_reader_clear(struct column_reader *in)
{
    digest_free(in->digest);
    buffer_clear(&in->scratch);
    *in = (struct column_reader){.table = NULL};
}

void column_reader_next(struct column_reader *in, bool tombstone)
{
    in->tombstone = tombstone;
    in->problem_count = 0;
    buffer_reset(&in->scratch);
}

bool column_reader_row_fits(const struct column_reader *in)
{
    return in->problem_count == 0;
}

struct value_int64 column_int64(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    int64_t value = 0;
    const char *reason = "is not an integer";

    if (cell_is_null(&cell))
        return (struct value_int64){.null = true};
    switch (cell.storage) {
    case SQLITE_INTEGER:
        return (struct value_int64){.value = sqlite3_value_int64(cell.value)};
    case SQLITE_FLOAT:
        reason = number_int64_of_real(sqlite3_value_double(cell.value), &value);
        break;
    case SQLITE_TEXT:
        reason = number_int64_of_text(cell_ascii(&cell), &value);
        break;
    default:
        break;
    }
    if (reason != NULL)
        cell_problem(&cell, reason);
    return (struct value_int64){.value = value, .null = reason != NULL};
}

struct value_float64 column_float64(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    double value = 0;
    const char *reason = "is not a number";

    if (cell_is_null(&cell))
        return (struct value_float64){.null = true};
    switch (cell.storage) {
    case SQLITE_FLOAT:
        return (struct value_float64){.value = sqlite3_value_double(cell.value)};
    case SQLITE_INTEGER:
        reason = number_real_of_int64(sqlite3_value_int64(cell.value), &value);
        break;
    case SQLITE_TEXT:
        reason = number_real_of_text(cell_ascii(&cell), &value);
        break;
    default:
        break;
    }
    if (reason != NULL)
        cell_problem(&cell, reason);
    return (struct value_float64){.value = value, .null = reason != NULL};
}

static bool equals_word(struct slice text, const char *word)
{
    return text.length == strlen(word) && sqlite3_strnicmp(text.data, word, (int)text.length) == 0;
}

static bool read_bool(const struct cell *cell, bool *out_value)
{
    switch (cell->storage) {
    case SQLITE_INTEGER: {
        int64_t integer = sqlite3_value_int64(cell->value);
        *out_value = integer == 1;
        return integer == 0 || integer == 1;
    }
    case SQLITE_FLOAT: {
        double real = sqlite3_value_double(cell->value);
        *out_value = real == 1;
        return real == 0 || real == 1;
    }
    case SQLITE_TEXT: {
        struct slice text = cell_ascii(cell);
        *out_value = equals_word(text, "true") || equals_word(text, "1");
        return *out_value || equals_word(text, "false") || equals_word(text, "0");
    }
    default:
        return false;
    }
}

struct value_bool column_bool(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    bool value = false;

    if (cell_is_null(&cell))
        return (struct value_bool){.null = true};
    if (read_bool(&cell, &value))
        return (struct value_bool){.value = value};
    cell_problem(&cell, "is not 0, 1, true or false");
    return (struct value_bool){.null = true};
}

static const char *read_decimal(const struct cell *cell, struct number *out_number)
{
    switch (cell->storage) {
    case SQLITE_FLOAT: {
        double real = sqlite3_value_double(cell->value);
        if (!isfinite(real))
            return "is infinite";
        number_of_real(real, out_number);
        return NULL;
    }
    case SQLITE_INTEGER: // its text is sign and digits
    case SQLITE_TEXT:
        if (number_parse(cell_ascii(cell), out_number))
            return NULL;
        break;
    default:
        break;
    }
    return "is not a number";
}

static struct value_decimal column_decimal(
    struct column_reader *in, size_t index, enum decimal_kind kind)
{
    struct cell cell = cell_of(in, index);
    struct value_decimal value = {.null = true};
    struct number number;

    if (cell_is_null(&cell))
        return value;
    const char *reason = read_decimal(&cell, &number);
    if (reason == NULL)
        reason = decimal_of_number(&number, kind, &value);
    if (reason != NULL)
        cell_problem(&cell, reason);
    return value;
}

struct value_decimal column_numeric(struct column_reader *in, size_t index)
{
    return column_decimal(in, index, DECIMAL_NUMERIC);
}

struct value_decimal column_bignumeric(struct column_reader *in, size_t index)
{
    return column_decimal(in, index, DECIMAL_BIGNUMERIC);
}
