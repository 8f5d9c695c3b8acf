#include "encode/parameter.h"

#include "encode/avro_value.h"
#include "encode/civil.h"
#include "encode/column_type.h"
#include "encode/decimal.h"
#include "encode/json_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* --- writing values ---------------------------------------------------------------------- */

static void append_double(struct buffer *out, double value)
{
    if (isnan(value))
        buffer_append_text(out, "\"NaN\"");
    else if (isinf(value))
        buffer_append_text(out, value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    else
        buffer_printf(out, "\"%.17g\"", value);
}

/* The texts of times are canonical, with all six digits of the fraction. */
static void append_value(struct buffer *out, enum column_type type, struct slice *in)
{
    char civil[CIVIL_TEXT_SIZE];
    char decimal[DECIMAL_TEXT_SIZE];

    switch (type) {
    case COLUMN_INT64:
        buffer_printf(out, "\"%" PRId64 "\"", avro_value_int64(in));
        break;
    case COLUMN_FLOAT64:
        append_double(out, avro_value_float64(in));
        break;
    case COLUMN_BOOL:
        buffer_append_text(out, avro_value_bool(in) ? "\"true\"" : "\"false\"");
        break;
    case COLUMN_BYTES:
        json_write_base64(out, avro_value_bytes(in));
        break;
    case COLUMN_NUMERIC:
        buffer_printf(
            out, "\"%s\"", decimal_text(avro_value_decimal(in), DECIMAL_NUMERIC_SCALE, decimal));
        break;
    case COLUMN_BIGNUMERIC:
        buffer_printf(
            out, "\"%s\"", decimal_text(avro_value_decimal(in), DECIMAL_BIGNUMERIC_SCALE, decimal));
        break;
    case COLUMN_DATE:
        buffer_printf(out, "\"%s\"", civil_date_text(avro_value_int64(in), civil));
        break;
    case COLUMN_TIME:
        buffer_printf(out, "\"%s\"", civil_time_text(avro_value_int64(in), civil));
        break;
    case COLUMN_DATETIME:
        buffer_printf(out, "\"%s\"", civil_datetime_text(avro_value_int64(in), 'T', civil));
        break;
    case COLUMN_TIMESTAMP:
        buffer_printf(out, "\"%s+00:00\"", civil_datetime_text(avro_value_int64(in), ' ', civil));
        break;
    case COLUMN_STRING:
    case COLUMN_JSON:
    case COLUMN_GEOGRAPHY:
        json_write_string(out, avro_value_bytes(in));
        break;
    }
}

static void append_member(
    struct buffer *out, const char *name, enum column_type type, struct slice *in)
{
    buffer_printf(out, "\"%s\":{\"value\":", name);
    if (avro_value_present(in))
        append_value(out, type, in);
    else
        buffer_append_text(out, "null");
    buffer_append_byte(out, '}');
}

/* --- public ------------------------------------------------------------------------------ */

bool parameter_carries(const struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type == COLUMN_GEOGRAPHY)
            return false;
    return true;
}

/* Names are identifiers by the rules of the table definitions, so there is nothing to escape. */
static void append_type(struct buffer *out, const char *name, enum column_type type)
{
    buffer_printf(
        out, "{\"name\":\"%s\",\"type\":{\"type\":\"%s\"}}", name,
        column_type_info(type == COLUMN_JSON ? COLUMN_STRING : type)->name);
}

void parameter_append_type(struct buffer *out, const struct table *table)
{
    buffer_append_text(out, "{\"type\":\"STRUCT\",\"structTypes\":[");
    for (size_t i = 0; i < table->column_count; i++) {
        append_type(out, table->columns[i].name, table->columns[i].type);
        buffer_append_byte(out, ',');
    }
    append_type(out, "_bqsync_deleted", COLUMN_BOOL);
    if (table->history != NULL) {
        buffer_append_byte(out, ',');
        append_type(out, "_bqsync_operation", COLUMN_STRING);
    }
    buffer_append_text(out, "]}");
}

void parameter_append_row(struct buffer *out, const struct table *table, struct slice record)
{
    buffer_append_text(out, "{\"structValues\":{");
    for (size_t i = 0; i < table->column_count; i++) {
        append_member(out, table->columns[i].name, table->columns[i].type, &record);
        buffer_append_byte(out, ',');
    }
    append_member(out, "_bqsync_deleted", COLUMN_BOOL, &record);
    if (table->history != NULL) {
        buffer_append_byte(out, ',');
        append_member(out, "_bqsync_operation", COLUMN_STRING, &record);
    }
    buffer_append_text(out, "}}");
    assert(record.length == 0);
}

void parameter_append_scalar(
    struct buffer *out, const char *name, enum column_type type, struct slice value)
{
    buffer_printf(
        out,
        "%s{\"name\":\"%s\",\"parameterType\":{\"type\":\"%s\"},\"parameterValue\":{\"value\":",
        out->length > 0 ? "," : "", name, column_type_info(type)->name);
    append_value(out, type, &value);
    buffer_append_text(out, "}}");
}

void parameter_append_timestamp(struct buffer *out, const char *name, int64_t us)
{
    char civil[CIVIL_TEXT_SIZE];

    buffer_printf(
        out,
        "%s{\"name\":\"%s\",\"parameterType\":{\"type\":\"TIMESTAMP\"},"
        "\"parameterValue\":{\"value\":\"%s+00:00\"}}",
        out->length > 0 ? "," : "", name, civil_datetime_text(us, ' ', civil));
}
