/* The column reader of _bqsync_unfit: the values of a row that do not fit their columns and are
 * sent all the same, as JSON: {"age":{"class":"text","value":"n/a"}}, in the order of the table's
 * columns.
 *
 * "class" is SQLite's storage class: integer, real, text or blob. "value" is a string: the digits
 * of an integer, the shortest text that reads back as the same real (Inf and -Inf for infinities),
 * a text as it is, a blob in base64. A text that JSON cannot hold (invalid UTF-8, U+0000) has
 * "base64" in the place of "value", and "encoding" beside it where these bytes are UTF-16. A value
 * whose column has a transform or a policy tag shows its class alone. */
#include "base/buffer.h"
#include "base/int_text.h"
#include "encode/cell.h"
#include "encode/column.h"
#include "encode/json_write.h"
#include "encode/number.h"
#include "encode/text.h"

#include <math.h>

/* The byte order in which SQLite hands out UTF-16 is the machine's. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define UTF16_NAME "UTF-16BE"
#else
#define UTF16_NAME "UTF-16LE"
#endif

static void append_real(struct buffer *out, double real)
{
    char text[NUMBER_TEXT_SIZE];

    if (isinf(real))
        buffer_append_text(out, real < 0 ? "\"-Inf\"" : "\"Inf\"");
    else
        json_write_string(out, (struct slice){text, number_json_text(real, text)});
}

static void append_text(struct buffer *out, const struct cell *cell)
{
    struct slice text;

    if (cell_has_lone_surrogate(cell)) {
        const void *units = sqlite3_value_text16(cell->value);
        text = (struct slice){units, (size_t)sqlite3_value_bytes16(cell->value)};
        buffer_append_text(out, ",\"base64\":");
        json_write_base64(out, text);
        buffer_append_text(out, ",\"encoding\":\"" UTF16_NAME "\"");
        return;
    }
    if (cell_text(cell, &text) != NULL) {
        out->failure = BUFFER_MEMORY;
    } else if (text_check(text) != NULL) {
        buffer_append_text(out, ",\"base64\":");
        json_write_base64(out, text);
    } else {
        buffer_append_text(out, ",\"value\":");
        json_write_string(out, text);
    }
}

static void append_value(struct buffer *out, const struct cell *cell)
{
    char digits[INT_TEXT_SIZE];

    if (cell->storage == SQLITE_TEXT) {
        append_text(out, cell);
        return;
    }
    buffer_append_text(out, ",\"value\":");
    if (cell->storage == SQLITE_INTEGER)
        json_write_string(out, int_text(sqlite3_value_int64(cell->value), digits));
    else if (cell->storage == SQLITE_FLOAT)
        append_real(out, sqlite3_value_double(cell->value));
    else
        json_write_base64(out, cell_blob(cell));
}

/* Names are identifiers by the rules of the table definitions, so there is nothing to escape. */
static void append_member(struct buffer *out, struct column_reader *in, size_t index, bool first)
{
    struct cell cell = cell_of(in, index);

    cell.storage = in->unfit[index];
    buffer_printf(
        out, "%s\"%s\":{\"class\":\"%s\"", first ? "" : ",", cell.column->name,
        cell_class(cell.storage));
    // What a transform hides, or a policy tag guards, does not come out in another column.
    if (cell.column->transform == TRANSFORM_NONE && !cell.column->tagged)
        append_value(out, &cell);
    buffer_append_byte(out, '}');
}

struct slice column_unfit(struct column_reader *in, size_t index)
{
    bool first = true;

    if (in->unfit_count == 0)
        return (struct slice){NULL, 0};
    struct buffer *out = &in->texts[index];
    buffer_reset(out);
    buffer_append_byte(out, '{');
    for (size_t i = 0; i < in->table->column_count; i++) {
        if (in->unfit[i] == 0)
            continue;
        append_member(out, in, i, first);
        first = false;
    }
    buffer_append_byte(out, '}');
    if (out->failure == BUFFER_OK)
        return buffer_slice(out);
    struct cell cell = cell_of(in, index);
    cell_failure(&cell, "cannot hold the values that do not fit: out of memory");
    return (struct slice){NULL, 0};
}
