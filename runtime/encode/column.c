/* The column readers of INT64, FLOAT64, BOOL and the decimals. */
#include "encode/column.h"

#include "encode/cell.h"
#include "encode/decimal.h"
#include "encode/number.h"

#include <math.h>
#include <string.h>

static struct value_int64 convert_int64(struct cell cell)
{
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

struct value_int64 column_int64(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);

    if (cell_is_plain(&cell, SQLITE_INTEGER))
        return (struct value_int64){.value = sqlite3_value_int64(cell.value)};
    return convert_int64(cell);
}

static struct value_float64 convert_float64(struct cell cell)
{
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

struct value_float64 column_float64(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);

    if (cell_is_plain(&cell, SQLITE_FLOAT))
        return (struct value_float64){.value = sqlite3_value_double(cell.value)};
    return convert_float64(cell);
}

static bool equals_word(struct slice text, const char *word)
{
    return text.length == strlen(word) && sqlite3_strnicmp(text.data, word, (int)text.length) == 0;
}

/* Words for true and false; the first two pairs always count, the others with "bool": "words". */
static const char *const words[][2] = {
    {"true", "false"}, {"1", "0"}, {"t", "f"}, {"yes", "no"}, {"y", "n"}, {"on", "off"},
};

static bool read_bool_word(const struct cell *cell, bool *out_value)
{
    struct slice text = cell_ascii(cell);
    size_t count = cell->column->bool_words ? sizeof words / sizeof words[0] : 2;

    for (size_t i = 0; i < count; i++) {
        *out_value = equals_word(text, words[i][0]);
        if (*out_value || equals_word(text, words[i][1]))
            return true;
    }
    return false;
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
    case SQLITE_TEXT:
        return read_bool_word(cell, out_value);
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
    cell_problem(
        &cell, cell.column->bool_words ? "is not 0, 1, true, false, t, f, yes, no, y, n, on or off"
                                       : "is not 0, 1, true or false");
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
