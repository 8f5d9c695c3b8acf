/* Tests of column: which stored values fit which type, what they become, and what is said of the
 * others. */
#include "support/prelude.h"

#include "conversion.h"

#define INT_RANGE "is out of the range of INT64"

static void test_int64_takes_what_is_exactly_an_integer(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"0", "0", NULL},
        {"9223372036854775807", "9223372036854775807", NULL},
        {"-9223372036854775808", "-9223372036854775808", NULL},
        {"42.0", "42", NULL},
        {"-0.0", "0", NULL},
        {"9007199254740993.0", "9007199254740992", NULL},
        {"9223372036854774784.0", "9223372036854774784", NULL},
        {"9223372036854775808.0", NULL, INT_RANGE},
        {"-9223372036854775808.0", "-9223372036854775808", NULL},
        {"-9223372036854777856.0", NULL, INT_RANGE},
        {"9e999", NULL, INT_RANGE},
        {"0.5", NULL, "has a fraction"},
        {"'42'", "42", NULL},
        {"'+42'", "42", NULL},
        {"'-0042'", "-42", NULL},
        {"'9223372036854775807'", "9223372036854775807", NULL},
        {"'-9223372036854775808'", "-9223372036854775808", NULL},
        {"'9223372036854775808'", NULL, INT_RANGE},
        {"'-9223372036854775809'", NULL, INT_RANGE},
        {"'99999999999999999999999999'", NULL, INT_RANGE},
        {"''", NULL, NOT_INT},
        {"'-'", NULL, NOT_INT},
        {"' 42'", NULL, NOT_INT},
        {"'42 '", NULL, NOT_INT},
        {"'42.0'", NULL, NOT_INT},
        {"'4e2'", NULL, NOT_INT},
        {"'0x2a'", NULL, NOT_INT},
        {"'1_000'", NULL, NOT_INT},
        {"cast(x'343200' as text)", NULL, NOT_INT},
        {"'\u0664\u0662'", NULL, NOT_INT},
        {"x'3432'", NULL, NOT_INT},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_INT64);
}

#define NOT_NUMBER "is not a number"
#define REAL_RANGE "is out of the range of FLOAT64"
#define NOT_EXACT  "is an integer that FLOAT64 cannot hold exactly"

static void test_float64_takes_numbers_and_only_exact_integers(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"1.5", "1.5", NULL},
        {"9e999", "inf", NULL},
        {"-9e999", "-inf", NULL},
        {"5e-324", "4.9406564584124654e-324", NULL},
        {"1.7976931348623157e308", "1.7976931348623157e+308", NULL},
        {"7", "7", NULL},
        {"9007199254740992", "9007199254740992", NULL},
        {"9007199254740993", NULL, NOT_EXACT},
        {"9223372036854775807", NULL, NOT_EXACT},
        {"-9223372036854775808", "-9.2233720368547758e+18", NULL},
        {"'1.5'", "1.5", NULL},
        {"'+.5'", "0.5", NULL},
        {"'5.'", "5", NULL},
        {"'-1e-3'", "-0.001", NULL},
        {"'1E+3'", "1000", NULL},
        {"'0.1'", "0.10000000000000001", NULL},
        {"'-0'", "-0", NULL},
        {"'007'", "7", NULL},
        {"'9007199254740992'", "9007199254740992", NULL},
        {"'9007199254740993'", NULL, NOT_EXACT},
        {"'100000000000000000000000'", NULL, NOT_EXACT},
        {"'10000000000000000000000'", "1e+22", NULL},
        {"'1e23'", "9.9999999999999992e+22", NULL},
        {"'9007199254740993.0'", "9007199254740992", NULL},
        {"'9007199254740993.00000000000000000000000000000000001'", "9007199254740994", NULL},
        {"'2.2250738585072014e-308'", "2.2250738585072014e-308", NULL},
        {"'1e309'", NULL, REAL_RANGE},
        {"'-1e999999999999999999999'", NULL, REAL_RANGE},
        {"'1e-400'", NULL, REAL_RANGE},
        {"'0e999'", "0", NULL},
        {"''", NULL, NOT_NUMBER},
        {"'.'", NULL, NOT_NUMBER},
        {"'+'", NULL, NOT_NUMBER},
        {"'e5'", NULL, NOT_NUMBER},
        {"'1e'", NULL, NOT_NUMBER},
        {"'1e+'", NULL, NOT_NUMBER},
        {"'1.5 '", NULL, NOT_NUMBER},
        {"' 1.5'", NULL, NOT_NUMBER},
        {"'1,5'", NULL, NOT_NUMBER},
        {"'1.5.5'", NULL, NOT_NUMBER},
        {"'0x10'", NULL, NOT_NUMBER},
        {"'nan'", NULL, NOT_NUMBER},
        {"'Infinity'", NULL, NOT_NUMBER},
        {"x'31'", NULL, NOT_NUMBER},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_FLOAT64);
}

#define NOT_BOOL "is not 0, 1, true or false"

static void test_bool_takes_zero_one_and_two_words(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},     {"0", "false", NULL},        {"1", "true", NULL},
        {"0.0", "false", NULL},     {"-0.0", "false", NULL},     {"1.0", "true", NULL},
        {"'true'", "true", NULL},   {"'TRUE'", "true", NULL},    {"'True'", "true", NULL},
        {"'fAlSe'", "false", NULL}, {"'0'", "false", NULL},      {"'1'", "true", NULL},
        {"2", NULL, NOT_BOOL},      {"-1", NULL, NOT_BOOL},      {"0.5", NULL, NOT_BOOL},
        {"'t'", NULL, NOT_BOOL},    {"'f'", NULL, NOT_BOOL},     {"'yes'", NULL, NOT_BOOL},
        {"''", NULL, NOT_BOOL},     {"'true '", NULL, NOT_BOOL}, {"'01'", NULL, NOT_BOOL},
        {"'1.0'", NULL, NOT_BOOL},  {"x'31'", NULL, NOT_BOOL},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_BOOL);
}

static void test_string_takes_valid_texts_and_numbers(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"''", "", NULL},
        {"'plain'", "plain", NULL},
        {"'na\u00efve \u65e5\u672c \U0001f600'", "na\u00efve \u65e5\u672c \U0001f600", NULL},
        {"42", "42", NULL},
        {"-9223372036854775808", "-9223372036854775808", NULL},
        {"1.0", "1.0", NULL},
        {"0.1+0.2", "0.3", NULL},
        {"1e300", "1.0e+300", NULL},
        {"9e999", "Inf", NULL},
        {"x'61'", NULL, "is a blob, not a text"},
        {"cast(x'610062' as text)", NULL, "contains U+0000"},
        {"cast(x'ff' as text)", NULL, NOT_UTF8},
        {"cast(x'eda080' as text)", NULL, NOT_UTF8},
        {"'0123456789abcdef' || cast(x'c3' as text)", NULL, NOT_UTF8},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_STRING);
}

static void test_bytes_takes_blobs_and_texts(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"x''", "", NULL},
        {"x'616263'", "abc", NULL},
        {"''", "", NULL},
        {"'text'", "text", NULL},
        {"cast(x'ff' as text)", "\xff", NULL},
        {"1", NULL, "is a number, not bytes"},
        {"1.5", NULL, "is a number, not bytes"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_BYTES);
}

static void test_bytes_keep_what_lies_behind_a_zero_byte(void **state)
{
    const struct column column = {.name = "c", .type = COLUMN_BYTES};
    const struct table table = {.name = "t", .columns = &column, .column_count = 1};
    sqlite3 *db = open_memory("UTF-8");
    sqlite3_stmt *row;
    struct column_reader in;
    struct error err;
    (void)state;

    assert_int_equal(sqlite3_prepare_v2(db, "SELECT x'00610062'", -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    expect_ok(column_reader_init(&in, &table, row, &err));
    column_reader_next(&in, false);
    struct slice bytes = column_bytes(&in, 0);

    assert_int_equal(bytes.length, 4);
    assert_memory_equal(bytes.data, "\0a\0b", 4);
    column_reader_clear(&in);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

#define NUMERIC_RANGE "is out of the range of NUMERIC"
#define NUMERIC_SCALE "has more than 9 digits after the point"

static void test_numeric_takes_38_digits_nine_of_them_a_fraction(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"0", "0", NULL},
        {"-1", "-1", NULL},
        {"9223372036854775807", "9223372036854775807", NULL},
        {"-9223372036854775808", "-9223372036854775808", NULL},
        {"0.1", "0.1", NULL},
        {"-2.5", "-2.5", NULL},
        {"0.1+0.2", NULL, NUMERIC_SCALE},
        {"1e28", "10000000000000000000000000000", NULL},
        {"1e29", NULL, NUMERIC_RANGE},
        {"1e-9", "0.000000001", NULL},
        {"1e-10", NULL, NUMERIC_SCALE},
        {"9e999", NULL, "is infinite"},
        {"'99999999999999999999999999999.999999999'", "99999999999999999999999999999.999999999",
         NULL},
        {"'-99999999999999999999999999999.999999999'", "-99999999999999999999999999999.999999999",
         NULL},
        {"'100000000000000000000000000000'", NULL, NUMERIC_RANGE},
        {"'-100000000000000000000000000000'", NULL, NUMERIC_RANGE},
        {"'1.50000000000000000000000000'", "1.5", NULL},
        {"'1.0000000001'", NULL, NUMERIC_SCALE},
        {"'1.5e3'", "1500", NULL},
        {"'-0.00'", "0", NULL},
        {"'1e400'", NULL, NUMERIC_RANGE},
        {"'1e-400'", NULL, NUMERIC_SCALE},
        {"'12,5'", NULL, NOT_NUMBER},
        {"''", NULL, NOT_NUMBER},
        {"'NaN'", NULL, NOT_NUMBER},
        {"x'31'", NULL, NOT_NUMBER},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_NUMERIC);
}

#define BIG_MAX_WHOLE    "578960446186580977117854925043439539266"
#define BIG_MAX_FRACTION "34992332820282019728792003956564819967"

static void test_bignumeric_takes_256_bits(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"0", "0", NULL},
        {"-9223372036854775808", "-9223372036854775808", NULL},
        {"0.1+0.2", "0.30000000000000004", NULL},
        {"'0.00000000000000000000000000000000000001'", "0.00000000000000000000000000000000000001",
         NULL},
        {"'-0.00000000000000000000000000000000000001'", "-0.00000000000000000000000000000000000001",
         NULL},
        {"'0.000000000000000000000000000000000000001'", NULL,
         "has more than 38 digits after the point"},
        {"'" BIG_MAX_WHOLE "." BIG_MAX_FRACTION "'", BIG_MAX_WHOLE "." BIG_MAX_FRACTION, NULL},
        {"'" BIG_MAX_WHOLE ".34992332820282019728792003956564819968'", NULL,
         "is out of the range of BIGNUMERIC"},
        {"'-" BIG_MAX_WHOLE ".34992332820282019728792003956564819968'",
         "-" BIG_MAX_WHOLE ".34992332820282019728792003956564819968", NULL},
        {"'-" BIG_MAX_WHOLE ".34992332820282019728792003956564819969'", NULL,
         "is out of the range of BIGNUMERIC"},
        {"1e39", NULL, "is out of the range of BIGNUMERIC"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_BIGNUMERIC);
}

static void test_json_passes_unchanged(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"'{\"a\": [1, 2.50, null]} '", "{\"a\": [1, 2.50, null]} ", NULL},
        {"'null'", "null", NULL},
        {"'\"text\"'", "\"text\"", NULL},
        {"42", "42", NULL},
        {"-9223372036854775808", "-9223372036854775808", NULL},
        {"1.0", "1.0", NULL},
        {"0.1+0.2", "0.30000000000000004", NULL},
        {"1e22", "1.0e+22", NULL},
        {"1.5e-7", "1.5e-07", NULL},
        {"123456789012345.5", "123456789012345.5", NULL},
        {"0.0001", "0.0001", NULL},
        {"-0.00025", "-0.00025", NULL},
        {"0.0", "0.0", NULL},
        {"1.7976931348623157e308", "1.7976931348623157e+308", NULL},
        {"9e999", NULL, "is infinite, which JSON cannot say"},
        {"''", NULL, "is empty, which is not JSON"},
        {"'{'", NULL, "is not valid JSON"},
        {"'abc'", NULL, "is not valid JSON"},
        {"cast(x'22ff22' as text)", NULL, NOT_UTF8},
        {"x'31'", NULL, "is a blob, not a text"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_JSON);
}

static void test_null_is_a_problem_where_the_column_does_not_allow_it(void **state)
{
    static const struct conversion required[] = {
        {"NULL", NULL, "is NULL in a REQUIRED column"},
        {"1", "1", NULL},
    };
    static const struct conversion key[] = {{"NULL", NULL, "is NULL in a key column"}};
    (void)state;
    CHECK_ALL(required, .type = COLUMN_INT64, .required = true);
    CHECK_ALL(key, .type = COLUMN_INT64, .key = true);
}

/* Two columns, a key and a REQUIRED one, read from one row. */
static void test_geographies_begin_with_a_type_of_wkt(void **state)
{
#define NOT_WKT "is not WKT: it does not begin with a type such as POINT"
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"'POINT(77.59 12.97)'", "POINT(77.59 12.97)", NULL},
        {"'point (1 2)'", "point (1 2)", NULL},
        {"' LineString(0 0, 1 1)'", " LineString(0 0, 1 1)", NULL},
        {"'POLYGON((0 0, 1 0, 1 1, 0 0))'", "POLYGON((0 0, 1 0, 1 1, 0 0))", NULL},
        {"'MULTIPOINT(0 0, 1 1)'", "MULTIPOINT(0 0, 1 1)", NULL},
        {"'MULTILINESTRING((0 0, 1 1))'", "MULTILINESTRING((0 0, 1 1))", NULL},
        {"'MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))'", "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))", NULL},
        {"'GEOMETRYCOLLECTION EMPTY'", "GEOMETRYCOLLECTION EMPTY", NULL},
        {"''", NULL, "is empty, which is not WKT"},
        {"'  '", NULL, "is empty, which is not WKT"},
        {"'POINTS(1 2)'", NULL, NOT_WKT},
        {"'12.97, 77.59'", NULL, NOT_WKT},
        {"'{\"type\": \"Point\", \"coordinates\": [1, 2]}'", NULL, NOT_WKT},
        {"'0101000000000000000000F03F0000000000000040'", NULL, NOT_WKT},
        {"12.97", NULL, "is not a text"},
        {"x'0101'", NULL, "is not a text"},
        {"cast(x'ff' as text)", NULL, NOT_UTF8},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_GEOGRAPHY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int64_takes_what_is_exactly_an_integer),
        cmocka_unit_test(test_float64_takes_numbers_and_only_exact_integers),
        cmocka_unit_test(test_bool_takes_zero_one_and_two_words),
        cmocka_unit_test(test_string_takes_valid_texts_and_numbers),
        cmocka_unit_test(test_bytes_takes_blobs_and_texts),
        cmocka_unit_test(test_bytes_keep_what_lies_behind_a_zero_byte),
        cmocka_unit_test(test_numeric_takes_38_digits_nine_of_them_a_fraction),
        cmocka_unit_test(test_bignumeric_takes_256_bits),
        cmocka_unit_test(test_json_passes_unchanged),
        cmocka_unit_test(test_null_is_a_problem_where_the_column_does_not_allow_it),
        cmocka_unit_test(test_geographies_begin_with_a_type_of_wkt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
