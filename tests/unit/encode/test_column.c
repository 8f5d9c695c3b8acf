/* Tests of column: which stored values fit which type, what they become, and what is said of the
 * others. */
#include "encode/column.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "support/expect.h"

static sqlite3 *open_memory(const char *encoding)
{
    sqlite3 *db;
    char sql[64];

    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    snprintf(sql, sizeof sql, "PRAGMA encoding = '%s'", encoding);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    return db;
}

/* A decimal as digits and a point, worked out independently of the encoder: by long division. */
static void decimal_text(struct value_decimal value, size_t scale, char out[128])
{
    uint8_t bytes[32];
    char digits[100];
    size_t count = 0;
    bool negative = (value.bytes[0] & 0x80) != 0;

    memset(bytes, negative ? 0xff : 0, sizeof bytes);
    memcpy(bytes + 32 - value.length, value.bytes, value.length);
    unsigned carry = 1;
    for (int i = 31; negative && i >= 0; i--) {
        unsigned sum = (uint8_t)~bytes[i] + carry;
        bytes[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
    for (bool zero = false; !zero || count <= scale;) {
        unsigned rest = 0;
        zero = true;
        for (int i = 0; i < 32; i++) {
            unsigned part = rest << 8 | bytes[i];
            bytes[i] = (uint8_t)(part / 10);
            rest = part % 10;
            zero = zero && bytes[i] == 0;
        }
        digits[count++] = (char)('0' + rest);
    }
    size_t length = 0;
    if (negative)
        out[length++] = '-';
    size_t trailing = 0;
    while (trailing < scale && digits[trailing] == '0')
        trailing++;
    for (size_t i = count; i-- > trailing;) {
        if (i == scale - 1)
            out[length++] = '.';
        out[length++] = digits[i];
    }
    out[length] = '\0';
}

static void slice_text(struct slice value, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)value.length, value.data == NULL ? "NULL" : value.data);
    if (value.data == NULL)
        snprintf(out, size, "NULL");
}

static void int64_text(struct value_int64 value, char *out, size_t size)
{
    if (value.null)
        snprintf(out, size, "NULL");
    else
        snprintf(out, size, "%lld", (long long)value.value);
}

/* Reads the first column of the reader's row as its type and shows what came of it. */
static void show(struct column_reader *in, char *out, size_t size)
{
    snprintf(out, size, "NULL");
    switch (in->table->columns[0].type) {
    case COLUMN_INT64:
        int64_text(column_int64(in, 0), out, size);
        break;
    case COLUMN_FLOAT64: {
        struct value_float64 value = column_float64(in, 0);
        if (!value.null)
            snprintf(out, size, "%.17g", value.value);
        break;
    }
    case COLUMN_BOOL: {
        struct value_bool value = column_bool(in, 0);
        if (!value.null)
            snprintf(out, size, "%s", value.value ? "true" : "false");
        break;
    }
    case COLUMN_STRING:
        slice_text(column_string(in, 0), out, size);
        break;
    case COLUMN_BYTES:
        slice_text(column_bytes(in, 0), out, size);
        break;
    case COLUMN_JSON:
        slice_text(column_json(in, 0), out, size);
        break;
    case COLUMN_NUMERIC:
    case COLUMN_BIGNUMERIC: {
        bool big = in->table->columns[0].type == COLUMN_BIGNUMERIC;
        struct value_decimal value = big ? column_bignumeric(in, 0) : column_numeric(in, 0);
        if (!value.null)
            decimal_text(value, big ? 38 : 9, out);
        break;
    }
    case COLUMN_DATE:
        int64_text(column_date(in, 0), out, size);
        break;
    case COLUMN_TIME:
        int64_text(column_time(in, 0), out, size);
        break;
    case COLUMN_DATETIME:
        int64_text(column_datetime(in, 0), out, size);
        break;
    case COLUMN_TIMESTAMP:
        int64_text(column_timestamp(in, 0), out, size);
        break;
    }
}

struct conversion {
    const char *label; /* an SQL expression: the stored value */
    const char *value; /* what it is read as; NULL: it does not fit */
    const char *reason;
};

static void check_one(sqlite3 *db, const struct column *column, const struct conversion *expected)
{
    struct table table = {.name = "t", .columns = column, .column_count = 1};
    struct column_reader in;
    struct error err;
    sqlite3_stmt *row;
    char sql[2048];
    char got[1024];

    snprintf(sql, sizeof sql, "SELECT %s", expected->label);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    expect_ok(column_reader_init(&in, &table, row, &err));
    column_reader_next(&in, false);
    show(&in, got, sizeof got);

    const char *reason = in.problem_count == 0 ? "" : in.problems[0].reason;
    if (strcmp(got, expected->value != NULL ? expected->value : "NULL") != 0 ||
        strcmp(reason, expected->reason != NULL ? expected->reason : "") != 0)
        fail_msg("%s: read as %s, %s", expected->label, got, reason);
    assert_int_equal(column_reader_row_fits(&in), expected->reason == NULL);
    column_reader_clear(&in);
    sqlite3_finalize(row);
}

static void check_all(
    const struct column *column, const struct conversion *conversions, size_t count)
{
    sqlite3 *db = open_memory("UTF-8");

    for (size_t i = 0; i < count; i++)
        check_one(db, column, &conversions[i]);
    sqlite3_close(db);
}

#define CHECK_ALL(conversions, ...)                                                                \
    check_all(                                                                                     \
        &(struct column){.name = "c", __VA_ARGS__}, conversions,                                   \
        sizeof(conversions) / sizeof((conversions)[0]))

#define NOT_INT   "is not an integer"
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

#define NOT_UTF8 "is not valid UTF-8"

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

#define NOT_TIMESTAMP "is not a time (expected YYYY-MM-DD HH:MM:SS[.ffffff][zone])"
#define NO_SUCH_DATE  "is a date that does not exist"
#define NO_SUCH_TIME  "is a time that does not exist"
#define OUT_OF_RANGE  "is out of the range 0001-01-01 to 9999-12-31"

static void test_timestamp_reads_every_iso_form(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"'1970-01-01'", "0", NULL},
        {"'1970-01-01 00:00'", "0", NULL},
        {"'1970-01-01T00:00:01'", "1000000", NULL},
        {"'1970-01-01 00:00:00.5'", "500000", NULL},
        {"'1970-01-01 00:00:00.000001'", "1", NULL},
        {"'1970-01-01 00:00:00.1234560000000000'", "123456", NULL},
        {"'1970-01-01 00:00:00.1234567'", NULL, "is finer than microseconds"},
        {"'1970-01-01 00:00:00.'", NULL, NOT_TIMESTAMP},
        {"'1970-01-01 00:00:00,5'", NULL, NOT_TIMESTAMP},
        {"'1969-12-31 23:59:59.999999'", "-1", NULL},
        {"'2024-02-29T12:34:56Z'", "1709210096000000", NULL},
        {"'2024-02-29T12:34:56+05:30'", "1709190296000000", NULL},
        {"'2024-02-29 12:34:56+0530'", "1709190296000000", NULL},
        {"'2024-02-29 12:34:56+05'", "1709192096000000", NULL},
        {"'2024-02-29 12:34:56-05:30'", "1709229896000000", NULL},
        {"'2024-02-29 12:34Z'", "1709210040000000", NULL},
        {"'2024-02-29 12:34:56.789-00:00'", "1709210096789000", NULL},
        {"'2024-02-29 12:34:56+24:00'", NULL, "has a zone that does not exist"},
        {"'2024-02-29 12:34:56+05:60'", NULL, "has a zone that does not exist"},
        {"'2024-02-29 12:34:56+5'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29 12:34:56+05:'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29 12:34:56+053'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29 12:34:56 +05:30'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29 12:34:56 UTC'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29 12:34:56Z '", NULL, NOT_TIMESTAMP},
        {"' 2024-02-29 12:34:56'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29  12:34:56'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29 '", NULL, NOT_TIMESTAMP},
        {"'2024-02-29Z'", NULL, NOT_TIMESTAMP},
        {"'2024-2-29'", NULL, NOT_TIMESTAMP},
        {"'24-02-29'", NULL, NOT_TIMESTAMP},
        {"'2024/02/29'", NULL, NOT_TIMESTAMP},
        {"'20240229'", NULL, NOT_TIMESTAMP},
        {"'12024-02-29'", NULL, NOT_TIMESTAMP},
        {"'-2024-02-29'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29 1:00'", NULL, NOT_TIMESTAMP},
        {"'2024-02-29 12'", NULL, NOT_TIMESTAMP},
        {"''", NULL, NOT_TIMESTAMP},
        {"'now'", NULL, NOT_TIMESTAMP},
        {"'1709210096'", NULL, NOT_TIMESTAMP},
        {"'2023-02-29'", NULL, NO_SUCH_DATE},
        {"'1900-02-29'", NULL, NO_SUCH_DATE},
        {"'2000-02-29'", "951782400000000", NULL},
        {"'2024-04-31'", NULL, NO_SUCH_DATE},
        {"'2024-00-01'", NULL, NO_SUCH_DATE},
        {"'2024-13-01'", NULL, NO_SUCH_DATE},
        {"'2024-01-00'", NULL, NO_SUCH_DATE},
        {"'2024-01-01 24:00:00'", NULL, NO_SUCH_TIME},
        {"'2024-01-01 23:60:00'", NULL, NO_SUCH_TIME},
        {"'2016-12-31 23:59:60'", NULL, NO_SUCH_TIME},
        {"'0000-01-01'", NULL, OUT_OF_RANGE},
        {"'0001-01-01'", "-62135596800000000", NULL},
        {"'0001-01-01 00:00:00+00:01'", NULL, OUT_OF_RANGE},
        {"'0001-01-01 01:00:00+01:00'", "-62135596800000000", NULL},
        {"'9999-12-31 23:59:59.999999'", "253402300799999999", NULL},
        {"'9999-12-31 23:59:59-00:01'", NULL, OUT_OF_RANGE},
        {"1709210096", NULL, "is a number where the column's format is iso8601"},
        {"1709210096.5", NULL, "is a number where the column's format is iso8601"},
        {"x'32'", NULL, "is a blob, not a time"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP);
}

static void test_datetime_has_no_zone(void **state)
{
    static const struct conversion conversions[] = {
        {"'2024-02-29'", "1709164800000000", NULL},
        {"'2024-02-29T12:34'", "1709210040000000", NULL},
        {"'2024-02-29 12:34:56.000001'", "1709210096000001", NULL},
        {"'2024-02-29 12:34:56Z'", NULL, "has a zone"},
        {"'2024-02-29 12:34:56+05:30'", NULL, "has a zone"},
        {"'2024-02-29 12:34:56x'", NULL, "is not a time (expected YYYY-MM-DD HH:MM:SS[.ffffff])"},
        {"'0000-12-31'", NULL, OUT_OF_RANGE},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_DATETIME);
}

static void test_date_loses_no_time_of_day(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"'1970-01-01'", "0", NULL},
        {"'1969-12-31'", "-1", NULL},
        {"'0001-01-01'", "-719162", NULL},
        {"'9999-12-31'", "2932896", NULL},
        {"'1970-01-02 00:00:00.000'", "1", NULL},
        {"'1970-01-02T00:00'", "1", NULL},
        {"'1970-01-02 00:00:01'", NULL, "has a time of day"},
        {"'1970-01-02 00:00Z'", NULL, "has a zone"},
        {"'1970-01-02x'", NULL, "is not a date (expected YYYY-MM-DD)"},
        {"0", NULL, "is a number where the column's format is iso8601"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_DATE);
}

static void test_time_is_a_time_of_day_alone(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"'00:00'", "0", NULL},
        {"'23:59:59.999999'", "86399999999", NULL},
        {"'12:34:56'", "45296000000", NULL},
        {"'12:34:56Z'", NULL, "has a zone"},
        {"'24:00'", NULL, NO_SUCH_TIME},
        {"'1970-01-01 12:34'", NULL, "is not a time (expected HH:MM:SS[.ffffff])"},
        {"'12'", NULL, "is not a time (expected HH:MM:SS[.ffffff])"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIME);
}

#define NOT_COUNT "is not a number, as the column's time format wants it"

static void test_seconds_become_microseconds(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"0", "0", NULL},
        {"-1", "-1000000", NULL},
        {"1700000000.123456", "1700000000123456", NULL},
        {"-0.0000004", "0", NULL},
        {"-0.0000006", "-1", NULL},
        {"0.0000015", "2", NULL},
        {"253402300799", "253402300799000000", NULL},
        {"253402300800", NULL, OUT_OF_RANGE},
        {"-62135596800", "-62135596800000000", NULL},
        {"-62135596801", NULL, OUT_OF_RANGE},
        {"9223372036854775807", NULL, OUT_OF_RANGE},
        {"-9223372036854775808", NULL, OUT_OF_RANGE},
        {"1e300", NULL, OUT_OF_RANGE},
        {"-9e999", NULL, OUT_OF_RANGE},
        {"'1700000000'", NULL, NOT_COUNT},
        {"'2024-01-01'", NULL, NOT_COUNT},
        {"x'00'", NULL, NOT_COUNT},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, .format = TIME_FORMAT_UNIX_S);
}

static void test_milliseconds_become_microseconds(void **state)
{
    static const struct conversion conversions[] = {
        {"1700000000123", "1700000000123000", NULL},
        {"1700000000123.25", "1700000000123250", NULL},
        {"-1.5", "-1500", NULL},
        {"253402300799999", "253402300799999000", NULL},
        {"253402300800000", NULL, OUT_OF_RANGE},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, .format = TIME_FORMAT_UNIX_MS);
}

static void test_microseconds_stay(void **state)
{
    static const struct conversion conversions[] = {
        {"1700000000123456", "1700000000123456", NULL},
        {"2.5", "3", NULL},
        {"253402300799999999", "253402300799999999", NULL},
        {"253402300800000000", NULL, OUT_OF_RANGE},
        {"-62135596800000001", NULL, OUT_OF_RANGE},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, .format = TIME_FORMAT_UNIX_US);
}

static void test_julian_days_begin_at_noon(void **state)
{
    static const struct conversion conversions[] = {
        {"2440587.5", "0", NULL},
        {"2440588", "43200000000", NULL},
        {"2440587", "-43200000000", NULL},
        {"julianday('2024-02-29 12:00:00')", "1709208000000000", NULL},
        {"1721425.5", "-62135596800000000", NULL},
        {"1721425", NULL, OUT_OF_RANGE},
        {"5373484.25", "253402279200000000", NULL},
        {"5373484.5", NULL, OUT_OF_RANGE},
        {"-9223372036854775808", NULL, OUT_OF_RANGE},
        {"9223372036854775807", NULL, OUT_OF_RANGE},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, .format = TIME_FORMAT_JULIAN);
}

static void test_counts_make_dates_and_times_only_where_nothing_is_lost(void **state)
{
    static const struct conversion dates[] = {
        {"86400", "1", NULL},
        {"-86400", "-1", NULL},
        {"86401", NULL, "has a time of day"},
    };
    static const struct conversion times[] = {
        {"0", "0", NULL},
        {"86399.5", "86399500000", NULL},
        {"86400", NULL, "is not within one day"},
        {"-1", NULL, "is not within one day"},
    };
    (void)state;
    CHECK_ALL(dates, .type = COLUMN_DATE, .format = TIME_FORMAT_UNIX_S);
    CHECK_ALL(times, .type = COLUMN_TIME, .format = TIME_FORMAT_UNIX_S);
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
static void read_pair(const char *sql, bool tombstone, struct column_reader *in, sqlite3_stmt **row)
{
    static const struct column columns[] = {
        {.name = "id", .type = COLUMN_INT64, .key = true, .required = true},
        {.name = "name", .type = COLUMN_STRING, .required = true},
    };
    static const struct table table = {.name = "t", .columns = columns, .column_count = 2};
    sqlite3 *db = open_memory("UTF-8");
    struct error err;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(*row), SQLITE_ROW);
    expect_ok(column_reader_init(in, &table, *row, &err));
    column_reader_next(in, tombstone);
    (void)column_int64(in, 0);
    (void)column_string(in, 1);
}

static void clear_pair(struct column_reader *in, sqlite3_stmt *row)
{
    sqlite3 *db = sqlite3_db_handle(row);

    column_reader_clear(in);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_a_tombstone_needs_only_its_key(void **state)
{
    struct column_reader in;
    sqlite3_stmt *row;
    (void)state;

    read_pair("SELECT 1, NULL", true, &in, &row);
    assert_true(column_reader_row_fits(&in));
    clear_pair(&in, row);

    read_pair("SELECT NULL, NULL", true, &in, &row);
    assert_int_equal(in.problem_count, 1);
    assert_int_equal(in.problems[0].column, 0);
    clear_pair(&in, row);
}

static void test_each_bad_value_of_a_row_is_one_problem_until_the_next_row(void **state)
{
    struct column_reader in;
    sqlite3_stmt *row;
    (void)state;

    read_pair("SELECT 'x', x'00'", false, &in, &row);

    assert_int_equal(in.problem_count, 2);
    assert_int_equal(in.problems[0].column, 0);
    assert_string_equal(in.problems[0].storage_class, "text");
    assert_string_equal(in.problems[0].reason, NOT_INT);
    assert_int_equal(in.problems[1].column, 1);
    assert_string_equal(in.problems[1].storage_class, "blob");
    column_reader_next(&in, false);
    assert_true(column_reader_row_fits(&in));
    clear_pair(&in, row);
}

static void test_more_problems_than_can_be_noted_do_no_harm(void **state)
{
    struct column_reader in;
    sqlite3_stmt *row;
    (void)state;

    read_pair("SELECT NULL, NULL", false, &in, &row);
    for (int i = 0; i < 3 * COLUMN_PROBLEMS_MAX; i++)
        (void)column_int64(&in, 0);

    assert_int_equal(in.problem_count, COLUMN_PROBLEMS_MAX);
    assert_false(column_reader_row_fits(&in));
    clear_pair(&in, row);
}

static void test_transforms_replace_texts(void **state)
{
    static const struct conversion sha[] = {
        {"NULL", "NULL", NULL},
        {"'abc'", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", NULL},
        {"''", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", NULL},
        {"42", "73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049", NULL},
        {"x'616263'", NULL, "is a blob, not a text"},
        {"cast(x'ff' as text)", NULL, NOT_UTF8},
    };
    static const struct conversion hmac[] = {
        {"NULL", "NULL", NULL},
        {"'what do ya want for nothing?'",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", NULL},
        {"'what do ya want for nothing?'",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", NULL},
    };
    static const struct conversion truncated[] = {
        {"NULL", "NULL", NULL},
        {"'ab'", "ab", NULL},
        {"'abc'", "abc", NULL},
        {"'abcd'", "abc", NULL},
        {"'\U0001f600\u65e5\u00efz'", "\U0001f600\u65e5\u00ef", NULL},
        {"12345", "123", NULL},
    };
    static const struct conversion redacted[] = {
        {"NULL", "NULL", NULL},
        {"'secret'", "[redacted]", NULL},
        {"x'00'", "[redacted]", NULL},
    };
    static const struct conversion redacted_number[] = {
        {"NULL", "NULL", NULL},
        {"42", "NULL", NULL},
        {"'not even a number'", "NULL", NULL},
    };
    (void)state;
    setenv("TEST_COLUMN_KEY", "Jefe", 1);
    CHECK_ALL(sha, .type = COLUMN_STRING, .transform = TRANSFORM_SHA256);
    CHECK_ALL(
        hmac, .type = COLUMN_STRING, .transform = TRANSFORM_HMAC_SHA256,
        .transform_key = "TEST_COLUMN_KEY");
    CHECK_ALL(truncated, .type = COLUMN_STRING, .transform = TRANSFORM_TRUNCATE, .truncate_to = 3);
    CHECK_ALL(redacted, .type = COLUMN_STRING, .transform = TRANSFORM_REDACT);
    CHECK_ALL(redacted_number, .type = COLUMN_INT64, .transform = TRANSFORM_REDACT);
}

static void test_two_digests_of_a_row_live_side_by_side(void **state)
{
    static const struct column columns[] = {
        {.name = "a", .type = COLUMN_STRING, .transform = TRANSFORM_SHA256},
        {.name = "b", .type = COLUMN_STRING, .transform = TRANSFORM_SHA256},
        {.name = "c", .type = COLUMN_JSON},
    };
    static const struct table table = {.name = "t", .columns = columns, .column_count = 3};
    sqlite3 *db = open_memory("UTF-8");
    sqlite3_stmt *row;
    struct column_reader in;
    struct error err;
    (void)state;

    assert_int_equal(
        sqlite3_prepare_v2(
            db, "SELECT 'abc', '', 0.5 UNION ALL SELECT '', 'abc', 1.5", -1, &row, NULL),
        SQLITE_OK);
    expect_ok(column_reader_init(&in, &table, row, &err));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sqlite3_step(row), SQLITE_ROW);
        column_reader_next(&in, false);
        struct slice texts[] = {column_string(&in, 0), column_string(&in, 1), column_json(&in, 2)};
        assert_memory_equal(texts[i].data, "ba7816bf", 8);
        assert_memory_equal(texts[1 - i].data, "e3b0c442", 8);
        assert_memory_equal(texts[2].data, i == 0 ? "0.5" : "1.5", 3);
    }
    column_reader_clear(&in);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_a_missing_key_is_named(void **state)
{
    static const struct column columns[] = {
        {.name = "id", .type = COLUMN_INT64},
        {.name = "email",
         .type = COLUMN_STRING,
         .transform = TRANSFORM_HMAC_SHA256,
         .transform_key = "TEST_COLUMN_NO_KEY"},
    };
    static const struct table table = {.name = "users", .columns = columns, .column_count = 2};
    sqlite3 *db = open_memory("UTF-8");
    sqlite3_stmt *row;
    struct column_reader in;
    struct error err;
    (void)state;

    unsetenv("TEST_COLUMN_NO_KEY");
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT 1, 'x'", -1, &row, NULL), SQLITE_OK);

    expect_error(column_reader_init(&in, &table, row, &err), ERROR_CONFIG, "table users");
    assert_non_null(strstr(err.message, "email"));
    assert_non_null(strstr(err.message, "TEST_COLUMN_NO_KEY"));
    setenv("TEST_COLUMN_NO_KEY", "", 1);
    expect_error(column_reader_init(&in, &table, row, &err), ERROR_CONFIG, "TEST_COLUMN_NO_KEY");
    sqlite3_finalize(row);
    sqlite3_close(db);
}

/* Binds raw UTF-16 and reads it back as a STRING. */
static void check_utf16(
    const char *encoding, const char *bytes, size_t length, const char *text, const char *reason)
{
    static const struct column column = {.name = "c", .type = COLUMN_STRING};
    static const struct table table = {.name = "t", .columns = &column, .column_count = 1};
    bool big = strcmp(encoding, "UTF-16be") == 0;
    sqlite3 *db = open_memory(encoding);
    sqlite3_stmt *row;
    struct column_reader in;
    struct error err;

    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (c TEXT)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?)", -1, &row, NULL), SQLITE_OK);
    sqlite3_bind_text64(
        row, 1, bytes, length, SQLITE_STATIC, big ? SQLITE_UTF16BE : SQLITE_UTF16LE);
    assert_int_equal(sqlite3_step(row), SQLITE_DONE);
    sqlite3_finalize(row);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT c FROM t", -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    expect_ok(column_reader_init(&in, &table, row, &err));
    column_reader_next(&in, false);

    struct slice got = column_string(&in, 0);
    if (reason == NULL) {
        assert_true(column_reader_row_fits(&in));
        assert_true(slice_equals(got, slice_of(text)));
    } else {
        assert_null(got.data);
        assert_string_equal(in.problems[0].reason, reason);
    }
    column_reader_clear(&in);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_lone_surrogates_of_utf16_databases_are_seen(void **state)
{
    (void)state;
    check_utf16("UTF-16le", "\x3d\xd8\x00\xde", 4, "\U0001f600", NULL);
    check_utf16("UTF-16be", "\xd8\x3d\xde\x00", 4, "\U0001f600", NULL);
    check_utf16("UTF-16le", "a\0\xef\0", 4, "a\u00ef", NULL);
    check_utf16(
        "UTF-16le",
        "\x3d\xd8"
        "a\0",
        4, NULL, "contains a lone surrogate");
    check_utf16("UTF-16be", "\xd8\x3d\0a", 4, NULL, "contains a lone surrogate");
    check_utf16("UTF-16le", "a\0\x3d\xd8", 4, NULL, "contains a lone surrogate");
    check_utf16("UTF-16le", "\x00\xde\x3d\xd8", 4, NULL, "contains a lone surrogate");
    check_utf16("UTF-16le", "a\0\0\0b\0", 6, NULL, "contains U+0000");
}

static uint64_t next_random(uint64_t *seed)
{
    // xorshift64*
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

/* SQLite's own calendar judges ours; it knows years 0 to 9999. */
static void test_random_times_agree_with_sqlite(void **state)
{
    static const struct column column = {.name = "c", .type = COLUMN_TIMESTAMP};
    sqlite3 *db = open_memory("UTF-8");
    uint64_t seed = (uint64_t)time(NULL) | 1;
    const char *given = getenv("TEST_SEED");
    (void)state;

    if (given != NULL)
        seed = strtoull(given, NULL, 10) | 1;
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    for (int i = 0; i < 2000; i++) {
        int64_t second = (int64_t)(next_random(&seed) % UINT64_C(315537811200)) - 62135510400;
        char expression[96];
        char expected[32];
        snprintf(expression, sizeof expression, "datetime(%lld, 'unixepoch')", (long long)second);
        snprintf(expected, sizeof expected, "%lld000000", (long long)second);
        if (second == 0)
            snprintf(expected, sizeof expected, "0");
        check_one(db, &column, &(struct conversion){expression, expected, NULL});
    }
    sqlite3_close(db);
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
        cmocka_unit_test(test_timestamp_reads_every_iso_form),
        cmocka_unit_test(test_datetime_has_no_zone),
        cmocka_unit_test(test_date_loses_no_time_of_day),
        cmocka_unit_test(test_time_is_a_time_of_day_alone),
        cmocka_unit_test(test_seconds_become_microseconds),
        cmocka_unit_test(test_milliseconds_become_microseconds),
        cmocka_unit_test(test_microseconds_stay),
        cmocka_unit_test(test_julian_days_begin_at_noon),
        cmocka_unit_test(test_counts_make_dates_and_times_only_where_nothing_is_lost),
        cmocka_unit_test(test_json_passes_unchanged),
        cmocka_unit_test(test_null_is_a_problem_where_the_column_does_not_allow_it),
        cmocka_unit_test(test_a_tombstone_needs_only_its_key),
        cmocka_unit_test(test_each_bad_value_of_a_row_is_one_problem_until_the_next_row),
        cmocka_unit_test(test_more_problems_than_can_be_noted_do_no_harm),
        cmocka_unit_test(test_transforms_replace_texts),
        cmocka_unit_test(test_two_digests_of_a_row_live_side_by_side),
        cmocka_unit_test(test_a_missing_key_is_named),
        cmocka_unit_test(test_lone_surrogates_of_utf16_databases_are_seen),
        cmocka_unit_test(test_random_times_agree_with_sqlite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
