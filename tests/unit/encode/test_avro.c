/* Tests of avro: the schema's text, and every type's values read back by the Avro project's own
 * library. */
#include "support/prelude.h"

#include "encode/avro.h"
#include "encode/container.h"
#include "support/avro_read.h"
#include "support/memory_sink.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIELDS 13

static const struct column columns[] = {
    {.name = "i", .type = COLUMN_INT64},      {.name = "f", .type = COLUMN_FLOAT64},
    {.name = "b", .type = COLUMN_BOOL},       {.name = "s", .type = COLUMN_STRING},
    {.name = "y", .type = COLUMN_BYTES},      {.name = "n", .type = COLUMN_NUMERIC},
    {.name = "g", .type = COLUMN_BIGNUMERIC}, {.name = "d", .type = COLUMN_DATE},
    {.name = "t", .type = COLUMN_TIME},       {.name = "l", .type = COLUMN_DATETIME},
    {.name = "z", .type = COLUMN_TIMESTAMP},  {.name = "j", .type = COLUMN_JSON},
};

static const struct table table = {.name = "all", .columns = columns, .column_count = FIELDS - 1};

static const bool plain[FIELDS] = {false};
static const bool unions[FIELDS] = {true, true, true, true, true, true, true,
                                    true, true, true, true, true, true};

static void test_the_schema_names_every_type(void **state)
{
    (void)state;
    char *text = avro_schema_text(&table, &(struct avro_schema){.nullable = plain});
    assert_string_equal(
        text,
        "{\"type\":\"record\",\"name\":\"row\",\"fields\":["
        "{\"name\":\"i\",\"type\":\"long\"},"
        "{\"name\":\"f\",\"type\":\"double\"},"
        "{\"name\":\"b\",\"type\":\"boolean\"},"
        "{\"name\":\"s\",\"type\":\"string\"},"
        "{\"name\":\"y\",\"type\":\"bytes\"},"
        "{\"name\":\"n\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\","
        "\"precision\":38,\"scale\":9}},"
        "{\"name\":\"g\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\","
        "\"precision\":77,\"scale\":38}},"
        "{\"name\":\"d\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}},"
        "{\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":\"time-micros\"}},"
        "{\"name\":\"l\",\"type\":{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}},"
        "{\"name\":\"z\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
        "{\"name\":\"j\",\"type\":{\"type\":\"string\",\"sqlType\":\"JSON\"}}]}");
    free(text);
}

static void test_the_schema_wraps_nullable_fields_and_adds_the_deletion_mark(void **state)
{
    static const struct column two[] = {
        {.name = "id", .type = COLUMN_INT64}, {.name = "on", .type = COLUMN_DATE}};
    static const struct table small = {.name = "small", .columns = two, .column_count = 2};
    static const bool nullable[] = {false, true, true};
    (void)state;

    char *text =
        avro_schema_text(&small, &(struct avro_schema){.nullable = nullable, .with_deleted = true});
    assert_string_equal(
        text, "{\"type\":\"record\",\"name\":\"row\",\"fields\":["
              "{\"name\":\"id\",\"type\":\"long\"},"
              "{\"name\":\"on\",\"type\":[\"null\",{\"type\":\"int\",\"logicalType\":\"date\"}]},"
              "{\"name\":\"_bqsync_deleted\",\"type\":[\"null\",\"boolean\"]}]}");
    free(text);
}

/* A row of all types. */
struct row {
    struct value_int64 integer;
    struct value_float64 real;
    struct value_bool flag;
    struct slice text;
    struct slice bytes;
    struct value_decimal numeric;
    struct value_decimal bignumeric;
    struct value_int64 date;
    struct value_int64 time;
    struct value_int64 datetime;
    struct value_int64 timestamp;
    struct slice json;
    struct value_bool deleted;
};

static void encode(struct avro_writer *out, const struct row *row)
{
    avro_int64(out, row->integer);
    avro_float64(out, row->real);
    avro_bool(out, row->flag);
    avro_string(out, row->text);
    avro_bytes(out, row->bytes);
    avro_decimal(out, row->numeric);
    avro_decimal(out, row->bignumeric);
    avro_int64(out, row->date);
    avro_int64(out, row->time);
    avro_int64(out, row->datetime);
    avro_int64(out, row->timestamp);
    avro_string(out, row->json);
    avro_bool(out, row->deleted);
}

static void check_int64(struct avro_read *in, size_t field, struct value_int64 expected)
{
    avro_value_t value;
    int64_t got = 0;

    assert_int_equal(avro_read_field(in, field, &value), !expected.null);
    if (expected.null)
        return;
    if (avro_value_get_type(&value) == AVRO_INT32) {
        int32_t narrow;
        assert_int_equal(avro_value_get_int(&value, &narrow), 0);
        got = narrow;
    } else {
        assert_int_equal(avro_value_get_long(&value, &got), 0);
    }
    assert_int_equal(got, expected.value);
}

static void check_float64(struct avro_read *in, size_t field, struct value_float64 expected)
{
    avro_value_t value;
    double got;

    assert_int_equal(avro_read_field(in, field, &value), !expected.null);
    if (expected.null)
        return;
    assert_int_equal(avro_value_get_double(&value, &got), 0);
    assert_memory_equal(&got, &expected.value, sizeof got);
}

static void check_bool(struct avro_read *in, size_t field, struct value_bool expected)
{
    avro_value_t value;
    int got;

    assert_int_equal(avro_read_field(in, field, &value), !expected.null);
    if (expected.null)
        return;
    assert_int_equal(avro_value_get_boolean(&value, &got), 0);
    assert_int_equal(got, expected.value);
}

static void check_slice(struct avro_read *in, size_t field, struct slice expected)
{
    avro_value_t value;
    const void *got;
    size_t length;

    assert_int_equal(avro_read_field(in, field, &value), expected.data != NULL);
    if (expected.data == NULL)
        return;
    if (avro_value_get_type(&value) == AVRO_STRING) {
        // The library counts the terminator that it adds.
        assert_int_equal(avro_value_get_string(&value, (const char **)&got, &length), 0);
        length--;
    } else {
        assert_int_equal(avro_value_get_bytes(&value, &got, &length), 0);
    }
    assert_true(slice_equals((struct slice){got, length}, expected));
}

static void check_decimal(struct avro_read *in, size_t field, struct value_decimal expected)
{
    struct slice bytes = {expected.null ? NULL : (const char *)expected.bytes, expected.length};

    check_slice(in, field, bytes);
}

static void check_row(struct avro_read *in, const struct row *row)
{
    check_int64(in, 0, row->integer);
    check_float64(in, 1, row->real);
    check_bool(in, 2, row->flag);
    check_slice(in, 3, row->text);
    check_slice(in, 4, row->bytes);
    check_decimal(in, 5, row->numeric);
    check_decimal(in, 6, row->bignumeric);
    check_int64(in, 7, row->date);
    check_int64(in, 8, row->time);
    check_int64(in, 9, row->datetime);
    check_int64(in, 10, row->timestamp);
    check_slice(in, 11, row->json);
    check_bool(in, 12, row->deleted);
}

/* Writes the rows to a file and reads them back. */
static void check_rows(const struct row *rows, size_t count, const bool *nullable, enum codec codec)
{
    struct memory_sink to;
    struct container *container;
    struct avro_read in;
    struct error err;

    char *schema =
        avro_schema_text(&table, &(struct avro_schema){.nullable = nullable, .with_deleted = true});
    const struct container_options options = {
        .schema_json = schema, .nullable = nullable, .codec = codec, .block_bytes = 4096};
    expect_ok(container_open(&options, memory_sink_init(&to, 0), &container, &err));
    free(schema);
    for (size_t i = 0; i < count; i++) {
        encode(container_begin_row(container), &rows[i]);
        expect_ok(container_end_row(container, &err));
    }
    expect_ok(container_close(container, NULL, &err));

    avro_read_open(&in, buffer_slice(&to.bytes));
    for (size_t i = 0; i < count; i++) {
        assert_true(avro_read_next(&in));
        check_row(&in, &rows[i]);
    }
    assert_false(avro_read_next(&in));
    avro_read_close(&in);
    buffer_clear(&to.bytes);
}

static void check_everywhere(const struct row *rows, size_t count, bool all_present)
{
    check_rows(rows, count, unions, CODEC_NULL);
    check_rows(rows, count, unions, CODEC_DEFLATE);
    check_rows(rows, count, unions, CODEC_ZSTD);
    if (all_present) {
        check_rows(rows, count, plain, CODEC_NULL);
        check_rows(rows, count, plain, CODEC_DEFLATE);
        check_rows(rows, count, plain, CODEC_ZSTD);
    }
}

static void test_extremes_come_back(void **state)
{
    static const struct row rows[] = {
        {.integer = {.value = INT64_MIN},
         .real = {.value = DBL_MAX},
         .flag = {.value = true},
         .text = {"", 0},
         .bytes = {"", 0},
         .numeric = {.bytes = {0x80}, .length = 1},
         .bignumeric = {.bytes = {0x80, [31] = 1}, .length = 32},
         .date = {.value = -719162},
         .time = {.value = 86399999999},
         .datetime = {.value = -62135596800000000},
         .timestamp = {.value = 253402300799999999},
         .json = {"null", 4},
         .deleted = {.value = true}},
        {.integer = {.value = INT64_MAX},
         .real = {.value = -0.0},
         .flag = {.value = false},
         .text = {"na\u00efve \U0001f600", 11},
         .bytes = {"\0\xff\0", 3},
         .numeric = {.bytes = {0}, .length = 1},
         .bignumeric = {.bytes = {0x7f, [31] = 1}, .length = 32},
         .date = {.value = 2932896},
         .time = {.value = 0},
         .datetime = {.value = 253402300799999999},
         .timestamp = {.value = -62135596800000000},
         .json = {"{\"a\":[1.50]}", 12},
         .deleted = {.value = false}},
        {.integer = {.value = 0},
         .real = {.value = -INFINITY},
         .flag = {.value = true},
         .text = {"x", 1},
         .bytes = {"y", 1},
         .numeric = {.bytes = {1, 2, 3}, .length = 3},
         .bignumeric = {.bytes = {0xff}, .length = 1},
         .date = {.value = 0},
         .time = {.value = 1},
         .datetime = {.value = -1},
         .timestamp = {.value = 64},
         .json = {"0", 1},
         .deleted = {.value = false}},
    };
    (void)state;
    check_everywhere(rows, sizeof rows / sizeof rows[0], true);
}

static void test_null_comes_back_in_every_field(void **state)
{
    static const struct row row = {
        .integer.null = true,
        .real.null = true,
        .flag.null = true,
        .numeric.null = true,
        .bignumeric.null = true,
        .date.null = true,
        .time.null = true,
        .datetime.null = true,
        .timestamp.null = true,
        .deleted.null = true,
    };
    (void)state;
    check_everywhere(&row, 1, false);
}

static uint64_t seed;

static uint64_t next_random(void)
{
    // xorshift64*
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

static struct value_int64 random_int64(bool nulls)
{
    struct value_int64 value = {.null = nulls && next_random() % 4 == 0};

    // Of every length in bits, both signs.
    if (!value.null)
        value.value = (int64_t)next_random() >> (next_random() % 64);
    return value;
}

static struct value_decimal random_decimal(bool nulls)
{
    struct value_decimal value = {.null = nulls && next_random() % 4 == 0};

    value.length = (uint8_t)(1 + next_random() % 32);
    for (size_t i = 0; i < value.length; i++)
        value.bytes[i] = (uint8_t)next_random();
    return value;
}

static struct slice random_slice(const char *pool, size_t size, bool nulls)
{
    if (nulls && next_random() % 4 == 0)
        return (struct slice){NULL, 0};
    size_t length = (size_t)(next_random() % (next_random() % 16 == 0 ? size : 40));
    return (struct slice){pool + next_random() % (size - length), length};
}

static struct row random_row(const char *pool, size_t size, bool nulls)
{
    struct value_int64 bits = random_int64(nulls);
    struct row row = {
        .integer = random_int64(nulls),
        .real = {.null = bits.null},
        .flag = {.value = next_random() % 2 == 0, .null = nulls && next_random() % 4 == 0},
        .text = random_slice(pool, size, nulls),
        .bytes = random_slice(pool, size, nulls),
        .numeric = random_decimal(nulls),
        .bignumeric = random_decimal(nulls),
        .date = {.value = (int32_t)next_random(), .null = nulls && next_random() % 4 == 0},
        .time = random_int64(nulls),
        .datetime = random_int64(nulls),
        .timestamp = random_int64(nulls),
        .json = random_slice(pool, size, nulls),
        .deleted = {.value = next_random() % 2 == 0},
    };
    memcpy(&row.real.value, &bits.value, sizeof row.real.value);
    return row;
}

/* The specification's own words, step by step: seven bits a byte, the lowest first; the high bit
 * says that another byte follows; an odd number is a negative one. */
static int64_t decode_long(struct slice bytes)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        bits |= (uint64_t)(byte & 0x7f) << (7 * i);
        assert_int_equal(byte >> 7, i + 1 < bytes.length);
    }
    return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
}

static void test_a_long_has_as_many_bytes_as_it_needs(void **state)
{
    (void)state;

    for (unsigned bit = 0; bit < 64; bit++) {
        for (int64_t add = -2; add <= 2; add++) {
            struct buffer out;
            int64_t value = (int64_t)((UINT64_C(1) << bit) + (uint64_t)add);
            uint64_t zigzag = value < 0 ? ~(uint64_t)value * 2 + 1 : (uint64_t)value * 2;
            size_t needed = 1;
            while (needed < 10 && zigzag >> (7 * needed) != 0)
                needed++;
            buffer_init(&out, 64);
            struct avro_writer writer = {.out = &out, .nullable = plain};
            avro_int64(&writer, (struct value_int64){.value = value});
            assert_int_equal(buffer_slice(&out).length, needed);
            assert_true(decode_long(buffer_slice(&out)) == value);
            buffer_clear(&out);
        }
    }
}

static void test_random_rows_come_back(void **state)
{
    enum { COUNT = 500, POOL = 20000 };
    const char *given = getenv("TEST_SEED");
    struct row *rows = calloc(COUNT, sizeof *rows);
    char *pool = malloc(POOL);
    (void)state;

    assert_true(rows != NULL && pool != NULL);
    seed = (given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL)) | 1;
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < POOL; i++)
        pool[i] = (char)next_random();
    for (int nulls = 0; nulls < 2; nulls++) {
        for (size_t i = 0; i < COUNT; i++)
            rows[i] = random_row(pool, POOL, nulls != 0);
        check_everywhere(rows, COUNT, nulls == 0);
    }
    free(rows);
    free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_schema_names_every_type),
        cmocka_unit_test(test_the_schema_wraps_nullable_fields_and_adds_the_deletion_mark),
        cmocka_unit_test(test_extremes_come_back),
        cmocka_unit_test(test_null_comes_back_in_every_field),
        cmocka_unit_test(test_a_long_has_as_many_bytes_as_it_needs),
        cmocka_unit_test(test_random_rows_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
