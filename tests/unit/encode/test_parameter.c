/* Tests of parameter: every type's values at their edges, as the JSON of a query parameter. */
#include "support/prelude.h"

#include "encode/avro.h"
#include "encode/civil.h"
#include "encode/parameter.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* One column `v` of the type and the mark of a tombstone. */
struct one {
    struct column column;
    struct table table;
    struct buffer record;
    struct avro_writer writer;
};

static const bool unions[] = {true, true};

static struct avro_writer *begin(struct one *one, enum column_type type)
{
    one->column = (struct column){.name = "v", .type = type};
    one->table = (struct table){.name = "t", .columns = &one->column, .column_count = 1};
    buffer_init(&one->record, 1 << 20);
    one->writer = (struct avro_writer){.out = &one->record, .nullable = unions};
    return &one->writer;
}

static void expect(struct one *one, bool deleted, const char *value)
{
    char wanted[2000];
    struct buffer out;

    avro_bool(&one->writer, (struct value_bool){.value = deleted});
    buffer_init(&out, 1 << 20);
    parameter_append_row(&out, &one->table, buffer_slice(&one->record));
    snprintf(
        wanted, sizeof wanted,
        "{\"structValues\":{\"v\":{\"value\":%s},\"_bqsync_deleted\":{\"value\":\"%s\"}}}", value,
        deleted ? "true" : "false");
    assert_string_equal(buffer_text(&out), wanted);
    buffer_clear(&out);
    buffer_clear(&one->record);
}

static void expect_int64(enum column_type type, int64_t number, const char *value)
{
    struct one one;

    avro_int64(begin(&one, type), (struct value_int64){.value = number});
    expect(&one, false, value);
}

static void expect_float64(double number, const char *value)
{
    struct one one;

    avro_float64(begin(&one, COLUMN_FLOAT64), (struct value_float64){.value = number});
    expect(&one, false, value);
}

static void expect_bytes(enum column_type type, const char *bytes, size_t length, const char *value)
{
    struct one one;

    avro_bytes(begin(&one, type), (struct slice){bytes, length});
    expect(&one, false, value);
}

static void test_integers_keep_all_64_bits(void **state)
{
    (void)state;
    expect_int64(COLUMN_INT64, 0, "\"0\"");
    expect_int64(COLUMN_INT64, INT64_MAX, "\"9223372036854775807\"");
    expect_int64(COLUMN_INT64, INT64_MIN, "\"-9223372036854775808\"");
}

static void test_floats_read_back_as_they_were(void **state)
{
    (void)state;
    expect_float64(0.1, "\"0.10000000000000001\"");
    expect_float64(-0.0, "\"-0\"");
    expect_float64(DBL_MAX, "\"1.7976931348623157e+308\"");
    expect_float64(DBL_TRUE_MIN, "\"4.9406564584124654e-324\"");
    expect_float64((double)NAN, "\"NaN\"");
    expect_float64((double)INFINITY, "\"Infinity\"");
    expect_float64(-(double)INFINITY, "\"-Infinity\"");
}

static void test_booleans_are_words(void **state)
{
    struct one one;

    (void)state;
    for (int value = 0; value < 2; value++) {
        avro_bool(begin(&one, COLUMN_BOOL), (struct value_bool){.value = value});
        expect(&one, false, value ? "\"true\"" : "\"false\"");
    }
}

static void test_texts_are_escaped_where_json_wants_it(void **state)
{
    static const char text[] = "a\"b\\c\n\x01\x7f \xc3\xa9 \xf0\x9f\x98\x80";

    (void)state;
    expect_bytes(COLUMN_STRING, "", 0, "\"\"");
    expect_bytes(
        COLUMN_STRING, text, sizeof text - 1,
        "\"a\\\"b\\\\c\\u000a\\u0001\x7f \xc3\xa9 \xf0\x9f\x98\x80\"");
    expect_bytes(COLUMN_JSON, "{\"a\": 1.50}", 11, "\"{\\\"a\\\": 1.50}\"");
}

static void test_bytes_are_base64(void **state)
{
    (void)state;
    expect_bytes(COLUMN_BYTES, "", 0, "\"\"");
    expect_bytes(COLUMN_BYTES, "\0", 1, "\"AA==\"");
    expect_bytes(COLUMN_BYTES, "\xff\xfe", 2, "\"//4=\"");
    expect_bytes(COLUMN_BYTES, "\xfb\xef\xbe\x00", 4, "\"++++AA==\"");
}

static void test_decimals_keep_every_digit(void **state)
{
    char least[32] = {(char)0x80};
    char most[32];

    (void)state;
    memset(most, 0xff, sizeof most);
    most[0] = 0x7f;
    expect_bytes(COLUMN_NUMERIC, "\0", 1, "\"0\"");
    expect_bytes(COLUMN_NUMERIC, "\xff", 1, "\"-0.000000001\"");
    expect_bytes(
        COLUMN_NUMERIC, "\x4b\x3b\x4c\xa8\x5a\x86\xc4\x7a\x09\x8a\x22\x3f\xff\xff\xff\xff", 16,
        "\"99999999999999999999999999999.999999999\"");
    expect_bytes(COLUMN_BIGNUMERIC, "\1", 1, "\"0.00000000000000000000000000000000000001\"");
    expect_bytes(
        COLUMN_BIGNUMERIC, most, sizeof most,
        "\"578960446186580977117854925043439539266."
        "34992332820282019728792003956564819967\"");
    expect_bytes(
        COLUMN_BIGNUMERIC, least, sizeof least,
        "\"-578960446186580977117854925043439539266."
        "34992332820282019728792003956564819968\"");
}

static void test_times_reach_from_year_1_to_9999(void **state)
{
    (void)state;
    expect_int64(COLUMN_DATE, -719162, "\"0001-01-01\"");
    expect_int64(COLUMN_DATE, -1, "\"1969-12-31\"");
    expect_int64(COLUMN_DATE, 11016, "\"2000-02-29\"");
    expect_int64(COLUMN_DATE, 2932896, "\"9999-12-31\"");
    expect_int64(COLUMN_TIME, 0, "\"00:00:00.000000\"");
    expect_int64(COLUMN_TIME, CIVIL_US_PER_DAY - 1, "\"23:59:59.999999\"");
    expect_int64(COLUMN_DATETIME, INT64_C(-62135596799999999), "\"0001-01-01T00:00:00.000001\"");
    expect_int64(COLUMN_DATETIME, -1, "\"1969-12-31T23:59:59.999999\"");
    expect_int64(
        COLUMN_TIMESTAMP, INT64_C(253402300799999999), "\"9999-12-31 23:59:59.999999+00:00\"");
}

static void test_null_is_null_in_every_type(void **state)
{
    struct one one;

    (void)state;
    for (int type = 0; type < COLUMN_TYPE_COUNT; type++) {
        avro_bytes(begin(&one, (enum column_type)type), slice_of(NULL));
        expect(&one, true, "null");
    }
}

static void test_the_type_names_every_column(void **state)
{
    static const struct column columns[] = {
        {.name = "id", .type = COLUMN_INT64},
        {.name = "j", .type = COLUMN_JSON},
        {.name = "big", .type = COLUMN_BIGNUMERIC}};
    static const struct table table = {.columns = columns, .column_count = 3};
    struct buffer out;

    (void)state;
    buffer_init(&out, 4096);
    parameter_append_type(&out, &table);
    assert_string_equal(
        buffer_text(&out), "{\"type\":\"STRUCT\",\"structTypes\":["
                           "{\"name\":\"id\",\"type\":{\"type\":\"INT64\"}},"
                           "{\"name\":\"j\",\"type\":{\"type\":\"STRING\"}},"
                           "{\"name\":\"big\",\"type\":{\"type\":\"BIGNUMERIC\"}},"
                           "{\"name\":\"_bqsync_deleted\",\"type\":{\"type\":\"BOOL\"}}]}");
    buffer_clear(&out);
}

static void test_a_timestamp_follows_other_parameters_with_a_comma(void **state)
{
    struct buffer out;

    (void)state;
    buffer_init(&out, 4096);
    parameter_append_timestamp(&out, "a", 1);
    parameter_append_timestamp(&out, "b", 1767225599999999);
    assert_string_equal(
        buffer_text(&out), "{\"name\":\"a\",\"parameterType\":{\"type\":\"TIMESTAMP\"},"
                           "\"parameterValue\":{\"value\":\"1970-01-01 00:00:00.000001+00:00\"}},"
                           "{\"name\":\"b\",\"parameterType\":{\"type\":\"TIMESTAMP\"},"
                           "\"parameterValue\":{\"value\":\"2025-12-31 23:59:59.999999+00:00\"}}");
    buffer_clear(&out);
}

static void test_all_types_but_geography_are_carried(void **state)
{
    (void)state;
    for (int type = 0; type < COLUMN_TYPE_COUNT; type++) {
        const struct column column = {.name = "v", .type = (enum column_type)type};
        const struct table table = {.columns = &column, .column_count = 1};
        assert_int_equal(parameter_carries(&table), type != COLUMN_GEOGRAPHY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_keep_all_64_bits),
        cmocka_unit_test(test_floats_read_back_as_they_were),
        cmocka_unit_test(test_booleans_are_words),
        cmocka_unit_test(test_texts_are_escaped_where_json_wants_it),
        cmocka_unit_test(test_bytes_are_base64),
        cmocka_unit_test(test_decimals_keep_every_digit),
        cmocka_unit_test(test_times_reach_from_year_1_to_9999),
        cmocka_unit_test(test_null_is_null_in_every_type),
        cmocka_unit_test(test_the_type_names_every_column),
        cmocka_unit_test(test_a_timestamp_follows_other_parameters_with_a_comma),
        cmocka_unit_test(test_all_types_but_geography_are_carried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
