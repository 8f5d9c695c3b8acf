#include "sync/row_text.h"

#include "base/hex.h"
#include "base/int_text.h"
#include "base/json_normal.h"
#include "encode/decimal.h"
#include "warehouse/googlesql.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define JSON_CEILING (256u << 20)

static void append_length(struct buffer *out, size_t length)
{
    char room[INT_TEXT_SIZE];

    buffer_append_slice(out, int_text((int64_t)length, room));
    buffer_append_byte(out, ':');
}

static void append_text(struct buffer *out, struct slice text)
{
    if (text.data == NULL) {
        buffer_append_byte(out, 'n');
        return;
    }
    append_length(out, text.length);
    buffer_append_slice(out, text);
}

static void append_int64(struct buffer *out, struct value_int64 value)
{
    char room[INT_TEXT_SIZE];

    append_text(out, value.null ? slice_of(NULL) : int_text(value.value, room));
}

static void append_float64(struct buffer *out, struct value_float64 value)
{
    char text[48];

    // Zero has one text here and in the expression below; FORMAT writes infinities as inf and -inf.
    if (value.value == 0)
        value.value = 0;
    if (isinf(value.value))
        snprintf(text, sizeof text, "%s", value.value < 0 ? "-inf" : "inf");
    else
        snprintf(text, sizeof text, "%.16e", value.value);
    append_text(out, slice_of(value.null ? NULL : text));
}

static void append_bytes(struct buffer *out, struct slice bytes)
{
    if (bytes.data == NULL) {
        buffer_append_byte(out, 'n');
        return;
    }
    append_length(out, bytes.length * 2);
    hex_append(out, bytes.data, bytes.length);
}

static void append_decimal(struct buffer *out, struct value_decimal value, int scale)
{
    char room[DECIMAL_TEXT_SIZE];

    append_text(out, slice_of(value.null ? NULL : decimal_text(value, scale, room)));
}

static void append_json(struct buffer *out, struct slice json)
{
    struct buffer normal;

    if (json.data == NULL) {
        buffer_append_byte(out, 'n');
        return;
    }
    buffer_init(&normal, JSON_CEILING);
    if (json_normal(json, &normal, NULL))
        append_text(out, buffer_slice(&normal));
    buffer_clear(&normal);
}

static void append_value(
    struct buffer *out, struct column_reader *in, const struct table *table, size_t i)
{
    switch (table->columns[i].type) {
    case COLUMN_INT64:
        append_int64(out, column_int64(in, i));
        break;
    case COLUMN_FLOAT64:
        append_float64(out, column_float64(in, i));
        break;
    case COLUMN_BOOL: {
        struct value_bool value = column_bool(in, i);
        append_text(out, slice_of(value.null ? NULL : value.value ? "true" : "false"));
        break;
    }
    case COLUMN_STRING:
        append_text(out, column_string(in, i));
        break;
    case COLUMN_BYTES:
        append_bytes(out, column_bytes(in, i));
        break;
    case COLUMN_NUMERIC:
        append_decimal(out, column_numeric(in, i), DECIMAL_NUMERIC_SCALE);
        break;
    case COLUMN_BIGNUMERIC:
        append_decimal(out, column_bignumeric(in, i), DECIMAL_BIGNUMERIC_SCALE);
        break;
    case COLUMN_DATE:
        append_int64(out, column_date(in, i));
        break;
    case COLUMN_TIME:
        append_int64(out, column_time(in, i));
        break;
    case COLUMN_DATETIME:
        append_int64(out, column_datetime(in, i));
        break;
    case COLUMN_TIMESTAMP:
        append_int64(out, column_timestamp(in, i));
        break;
    case COLUMN_JSON:
        append_json(out, column_json(in, i));
        break;
    case COLUMN_GEOGRAPHY:
        append_text(out, slice_of(column_geography(in, i).data == NULL ? NULL : ""));
        break;
    }
}

void row_text_append(
    struct buffer *out, struct column_reader *in, const struct table *table,
    enum row_text_columns which)
{
    if (which == ROW_TEXT_KEY && table->key_count > 0) {
        for (size_t k = 0; k < table->key_count; k++)
            append_value(out, in, table, table->key[k]);
        return;
    }
    for (size_t i = 0; i < table->column_count; i++)
        if (which == ROW_TEXT_ALL || table->columns[i].type != COLUMN_JSON)
            append_value(out, in, table, i);
}

/* The exact content of a column as STRING; %s stands for the column. A GEOGRAPHY is NULL or not:
 * BigQuery stores a geometry on the sphere, with its vertices snapped and put in another order, so
 * no text of it can be computed from the WKT that was sent. Without 'UTC' the text of a DATETIME
 * would follow the project's option default_time_zone. */
static const char *const expressions[] = {
    [COLUMN_INT64] = "cast(%s as string)",
    [COLUMN_FLOAT64] = "format('%%.16e', if(%s = 0, 0.0, %s))",
    [COLUMN_BOOL] = "cast(%s as string)",
    [COLUMN_STRING] = "%s",
    [COLUMN_BYTES] = "to_hex(%s)",
    [COLUMN_NUMERIC] = "cast(%s as string)",
    [COLUMN_BIGNUMERIC] = "cast(%s as string)",
    [COLUMN_DATE] = "cast(unix_date(%s) as string)",
    [COLUMN_TIME] = "cast(time_diff(%s, time '00:00:00', microsecond) as string)",
    [COLUMN_DATETIME] = "cast(unix_micros(timestamp(%s, 'UTC')) as string)",
    [COLUMN_TIMESTAMP] = "cast(unix_micros(%s) as string)",
    [COLUMN_JSON] = "if(%s is null, null, to_json_string(%s))",
    [COLUMN_GEOGRAPHY] = "if(%s is null, null, '')",
};
_Static_assert(
    sizeof expressions / sizeof expressions[0] == COLUMN_TYPE_COUNT, "an expression for each type");

/* The format of the column's type with the column in the place of each %s. */
static void append_column_text(struct buffer *out, const struct column *column)
{
    for (const char *at = expressions[column->type]; *at != '\0'; at++) {
        if (at[0] != '%') {
            buffer_append_byte(out, (uint8_t)*at);
        } else if (*++at == '%') {
            buffer_append_byte(out, '%');
        } else {
            buffer_append_text(out, "t.");
            googlesql_identifier(out, column->name);
        }
    }
}

static void append_expression(struct buffer *out, const struct column *column, bool first)
{
    buffer_append_text(out, first ? "" : ", ");
    buffer_append_text(out, "ifnull(concat(cast(byte_length(");
    append_column_text(out, column);
    buffer_append_text(out, ") as string), ':', ");
    append_column_text(out, column);
    buffer_append_text(out, "), 'n')");
}

void row_text_expression(struct buffer *out, const struct table *table, enum row_text_columns which)
{
    bool first = true;

    buffer_append_text(out, "concat(");
    if (which == ROW_TEXT_KEY && table->key_count > 0) {
        for (size_t k = 0; k < table->key_count; k++) {
            append_expression(out, &table->columns[table->key[k]], first);
            first = false;
        }
    } else {
        for (size_t i = 0; i < table->column_count; i++) {
            if (which != ROW_TEXT_ALL && table->columns[i].type == COLUMN_JSON)
                continue;
            append_expression(out, &table->columns[i], first);
            first = false;
        }
    }
    // Without a key the texts of a table of JSON columns alone are all the same.
    buffer_append_text(out, first ? "'')" : ")");
}
