/* Rows as Avro records: the Avro project's own reader finds the values that were written, our own
 * reader, which makes query parameters of them, too, and the parameter is JSON. */
#include "fuzz/fuzz.h"

#include "base/table.h"
#include "encode/avro.h"
#include "encode/avro_value.h"
#include "encode/json.h"
#include "encode/parameter.h"
#include "encode/text.h"

#include <stdlib.h>
#include <string.h>

/* Functions of the library's older interface, which we do not use, have the names of our writers.
 */
#define avro_int64  avro_legacy_int64
#define avro_string avro_legacy_string
#define avro_bytes  avro_legacy_bytes
#include <avro.h>
#undef avro_int64
#undef avro_string
#undef avro_bytes

static const struct column columns[] = {
    {.name = "i", .type = COLUMN_INT64},      {.name = "f", .type = COLUMN_FLOAT64},
    {.name = "b", .type = COLUMN_BOOL},       {.name = "s", .type = COLUMN_STRING},
    {.name = "y", .type = COLUMN_BYTES},      {.name = "n", .type = COLUMN_NUMERIC},
    {.name = "g", .type = COLUMN_BIGNUMERIC}, {.name = "t", .type = COLUMN_TIMESTAMP},
    {.name = "j", .type = COLUMN_JSON},
};

#define COUNT (sizeof columns / sizeof columns[0])

static const struct table table = {.name = "t", .columns = columns, .column_count = COUNT};

/* A value of each kind; a column reads the one of its type. */
struct value {
    struct value_int64 integer;
    struct value_float64 real;
    struct value_bool flag;
    struct slice bytes;
    struct value_decimal decimal;
    bool null;
};

static void take_value(struct fuzz *in, enum column_type type, bool nullable, struct value *out)
{
    uint64_t bits = 0;

    *out = (struct value){.null = nullable && fuzz_choice(in, 4) == 0};
    if (type == COLUMN_INT64 || type == COLUMN_TIMESTAMP || type == COLUMN_FLOAT64)
        bits = fuzz_uint64(in);
    out->integer = (struct value_int64){(int64_t)bits >> (bits % 60), out->null};
    // In the range of times, which a parameter writes as a date.
    if (type == COLUMN_TIMESTAMP)
        out->integer.value = (int64_t)(bits % UINT64_C(315537897600000000)) - 62135596800000000;
    memcpy(&out->real.value, &bits, sizeof bits);
    out->real.null = out->flag.null = out->decimal.null = out->null;
    if (out->real.value != out->real.value)
        out->real.value = 0;
    if (type == COLUMN_BOOL)
        out->flag.value = fuzz_choice(in, 2) == 1;
    if (type == COLUMN_STRING || type == COLUMN_BYTES || type == COLUMN_JSON)
        out->bytes = fuzz_text(in, 200);
    if (type != COLUMN_BYTES && text_check(out->bytes) != NULL)
        out->bytes = slice_of("no text");
    if (out->null)
        out->bytes = (struct slice){NULL, 0};
    if (type == COLUMN_NUMERIC || type == COLUMN_BIGNUMERIC) {
        struct slice digits = fuzz_text(in, type == COLUMN_NUMERIC ? 16 : 32);
        out->decimal.length = (uint8_t)(digits.length == 0 ? 1 : digits.length);
        memcpy(out->decimal.bytes, digits.data, digits.length);
    }
}

static void write_value(struct avro_writer *out, enum column_type type, const struct value *value)
{
    switch (type) {
    case COLUMN_FLOAT64:
        avro_float64(out, value->real);
        break;
    case COLUMN_BOOL:
        avro_bool(out, value->flag);
        break;
    case COLUMN_STRING:
    case COLUMN_JSON:
        avro_string(out, value->bytes);
        break;
    case COLUMN_BYTES:
        avro_bytes(out, value->bytes);
        break;
    case COLUMN_NUMERIC:
    case COLUMN_BIGNUMERIC:
        avro_decimal(out, value->decimal);
        break;
    default:
        avro_int64(out, value->integer);
    }
}

/* What the Avro project's reader has found in a field. */
static bool same_field(avro_value_t *field, enum column_type type, const struct value *value)
{
    const void *bytes = NULL;
    const char *text = NULL;
    size_t size = 0;
    int64_t integer = 0;
    double real = 0;
    int flag = 0;

    switch (type) {
    case COLUMN_FLOAT64:
        return avro_value_get_double(field, &real) == 0 && real == value->real.value;
    case COLUMN_BOOL:
        return avro_value_get_boolean(field, &flag) == 0 && (flag != 0) == value->flag.value;
    case COLUMN_STRING:
    case COLUMN_JSON:
        return avro_value_get_string(field, &text, &size) == 0 &&
               slice_equals((struct slice){text, size - 1}, value->bytes);
    case COLUMN_BYTES:
        return avro_value_get_bytes(field, &bytes, &size) == 0 &&
               slice_equals((struct slice){bytes, size}, value->bytes);
    case COLUMN_NUMERIC:
    case COLUMN_BIGNUMERIC:
        return avro_value_get_bytes(field, &bytes, &size) == 0 && size == value->decimal.length &&
               memcmp(bytes, value->decimal.bytes, size) == 0;
    default:
        return avro_value_get_long(field, &integer) == 0 && integer == value->integer.value;
    }
}

static void check_foreign(struct slice record, const bool *nullable, const struct value *values)
{
    char *text =
        avro_schema_text(&table, &(struct avro_schema){.nullable = nullable, .with_deleted = true});
    avro_schema_t schema;
    avro_value_t row;

    FUZZ_REQUIRE(
        text != NULL && avro_schema_from_json_length(text, strlen(text), &schema) == 0,
        "Avro refuses the schema %s", text);
    avro_value_iface_t *interface = avro_generic_class_from_schema(schema);
    avro_reader_t reader = avro_reader_memory(record.data, (int64_t)record.length);
    avro_generic_value_new(interface, &row);
    FUZZ_REQUIRE(avro_value_read(reader, &row) == 0, "Avro: %s", avro_strerror());
    for (size_t i = 0; i < COUNT; i++) {
        avro_value_t field;
        int branch = 1;
        avro_value_get_by_index(&row, i, &field, NULL);
        if (nullable[i]) {
            avro_value_get_discriminant(&field, &branch);
            avro_value_get_current_branch(&field, &field);
        }
        FUZZ_REQUIRE(
            (branch == 0) == values[i].null &&
                (branch == 0 || same_field(&field, columns[i].type, &values[i])),
            "column %s is read otherwise", columns[i].name);
    }
    // Nothing is left.
    char more;
    FUZZ_REQUIRE(avro_read(reader, &more, 1) != 0, "bytes behind the record");
    avro_reader_free(reader);
    avro_value_decref(&row);
    avro_value_iface_decref(interface);
    avro_schema_decref(schema);
    free(text);
}

static void check_parameter(struct slice record, const struct value *values)
{
    struct buffer out;
    struct slice rest = record;

    for (size_t i = 0; i < COUNT; i++) {
        FUZZ_REQUIRE(avro_value_present(&rest) != values[i].null, "column %zu", i);
        if (!values[i].null)
            avro_value_take(&rest, columns[i].type);
    }
    FUZZ_REQUIRE(
        avro_value_present(&rest) && !avro_value_bool(&rest) && rest.length == 0,
        "bytes behind the record");
    buffer_init(&out, 1 << 20);
    parameter_append_row(&out, &table, record);
    const char *reason = json_check(buffer_slice(&out));
    FUZZ_REQUIRE(reason == NULL, "the parameter %s %s", buffer_text(&out), reason);
    buffer_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);
    struct value values[COUNT];
    bool nullable[COUNT + 1];
    struct buffer out;
    bool staged = fuzz_choice(&in, 2) == 0;
    uint64_t choices = staged ? UINT64_MAX : fuzz_byte(&in);

    buffer_init(&out, 1 << 20);
    struct avro_writer writer = {&out, nullable, 0};
    for (size_t i = 0; i <= COUNT; i++)
        nullable[i] = (choices >> (i % 8) & 1) != 0;
    for (size_t i = 0; i < COUNT; i++) {
        take_value(&in, columns[i].type, nullable[i], &values[i]);
        write_value(&writer, columns[i].type, &values[i]);
    }
    avro_bool(&writer, (struct value_bool){.value = false});
    check_foreign(buffer_slice(&out), nullable, values);
    if (staged)
        check_parameter(buffer_slice(&out), values);
    buffer_clear(&out);
    return 0;
}
