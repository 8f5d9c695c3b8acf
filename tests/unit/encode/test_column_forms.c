/* Tests of column: the forms of values that a definition has to ask for. */
#include "support/prelude.h"

#include "conversion.h"

#define OUT_OF_RANGE "is out of the range 0001-01-01 to 9999-12-31"
#define TOO_FINE     "is finer than microseconds"
#define NOT_COUNT    "is not a number, as the column's time format requires"
#define NO_FORMAT    "is stored in none of the column's time formats"
#define NOT_GO       "is not a time as Go prints it (expected YYYY-MM-DD HH:MM:SS[.f] +HHMM ZONE)"
#define GAP          "does not exist in the column's time zone, whose clocks were put forward then"

#define STORED_AS(...)                                                                             \
    .format_count = sizeof((unsigned char[]){__VA_ARGS__}), .formats = {__VA_ARGS__}

/* 2024-01-01 10:00:00.5 UTC, but for what each unit cannot hold. */
static void test_counts_of_every_epoch(void **state)
{
    static const struct conversion nanoseconds[] = {
        {"1704103200500000000", "1704103200500000", NULL},
        {"1704103200500000001", NULL, TOO_FINE},
        {"-1000", "-1", NULL},
        {"'1704103200500000000'", "1704103200500000", NULL},
        {"1704103200500000000.0", "1704103200500000", NULL},
        {"9223372036854775807", NULL, TOO_FINE},
        {"9223372036854775000", "9223372036854775", NULL},
    };
    static const struct conversion ticks[] = {
        {"638397000005000000", "1704103200500000", NULL},
        {"0", "-62135596800000000", NULL},
        {"-10", NULL, OUT_OF_RANGE},
        {"3155378975999999990", "253402300799999999", NULL},
        {"3155378976000000000", NULL, OUT_OF_RANGE},
        {"638397000005000001", NULL, TOO_FINE},
    };
    static const struct conversion apple[] = {
        {"725796000.5", "1704103200500000", NULL},   {"725796000", "1704103200000000", NULL},
        {"'725796000.5'", "1704103200500000", NULL}, {"-978307200", "0", NULL},
        {"9223372036854775807", NULL, OUT_OF_RANGE},
    };
    static const struct conversion apple_ns[] = {{"725796000500000000", "1704103200500000", NULL}};
    static const struct conversion webkit[] = {
        {"13348576800500000", "1704103200500000", NULL},
        {"0", "-11644473600000000", NULL},
        {"9223372036854775807", NULL, OUT_OF_RANGE},
    };
    static const struct conversion filetime[] = {{"133485768005000000", "1704103200500000", NULL}};
    (void)state;

    CHECK_ALL(nanoseconds, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_NS));
    CHECK_ALL(ticks, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_DOTNET_TICKS));
    CHECK_ALL(apple, .type = COLUMN_DATETIME, STORED_AS(TIME_FORMAT_APPLE_S));
    CHECK_ALL(apple_ns, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_APPLE_NS));
    CHECK_ALL(webkit, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_WEBKIT_US));
    CHECK_ALL(filetime, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_FILETIME));
}

static void test_formats_are_tried_in_order(void **state)
{
    static const struct conversion conversions[] = {
        {"1704103200", "1704103200000000", NULL},
        {"'1704103200'", "1704103200000000", NULL},
        // Too many seconds, so milliseconds.
        {"1704103200500", "1704103200500000", NULL},
        {"'2024-01-01 10:00:00.5'", "1704103200500000", NULL},
        {"'2024-13-01'", NULL, "is a date that does not exist"},
        {"9223372036854775807", NULL, OUT_OF_RANGE},
        {"'soon'", NULL, "is not a time (expected YYYY-MM-DD HH:MM:SS[.ffffff][zone])"},
        {"x'00'", NULL, "is a blob, not a time"},
    };
    static const struct conversion numbers[] = {
        {"1704103200500", "1704103200500000", NULL},
        {"'soon'", NULL, NO_FORMAT},
    };
    (void)state;

    CHECK_ALL(
        conversions, .type = COLUMN_TIMESTAMP,
        STORED_AS(TIME_FORMAT_UNIX_S, TIME_FORMAT_UNIX_MS, TIME_FORMAT_ISO8601));
    CHECK_ALL(
        numbers, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_S, TIME_FORMAT_UNIX_MS));
}

static void test_what_go_prints(void **state)
{
    static const struct conversion conversions[] = {
        {"'2024-01-01 13:30:00.5 +0330 +0330 m=+84630.7'", "1704103200500000", NULL},
        {"'2024-01-01 10:00:00 +0000 UTC'", "1704103200000000", NULL},
        {"'2024-01-01 05:00:00.000001 -0500 EST'", "1704103200000001", NULL},
        {"'2024-01-01 10:00:00.123456789 +0000 UTC'", NULL, TOO_FINE},
        {"'2024-01-01 10:00:00 +0000'", NULL, NOT_GO},
        {"'2024-01-01 10:00:00 UTC'", NULL, NOT_GO},
        {"'2024-01-01T10:00:00 +0000 UTC'", NULL, NOT_GO},
        {"'2024-01-01 10:00:00 +0000 UTC '", NULL, NOT_GO},
        {"'2024-01-01 10:00:00 +0000 UTC m=1'", NULL, NOT_GO},
        {"'2024-01-01 10:00:00 +0000 UTC m=+1 '", NULL, NOT_GO},
        {"'2024-02-30 10:00:00 +0000 UTC'", NULL, "is a date that does not exist"},
        {"1704103200", NULL, "is a number where the column's format is iso8601"},
    };
    static const struct conversion truncated[] = {
        {"'2024-01-01 13:30:00.112233638 +0330 +0330 m=+84630.7'", "1704103200112233", NULL},
    };
    (void)state;

    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_GO));
    CHECK_ALL(
        truncated, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_GO), .fraction_truncates = true);
}

static void test_fractions_are_dropped_where_the_definition_says_so(void **state)
{
    static const struct conversion texts[] = {
        {"'2024-01-01 10:00:00.123456789 +00:00'", "1704103200123456", NULL},
        {"'2024-01-01 10:00:00.9999999'", "1704103200999999", NULL},
        // The earlier microsecond, before 1970 too.
        {"'1969-12-31 23:59:59.9999999'", "-1", NULL},
    };
    static const struct conversion nanoseconds[] = {
        {"1704103200123456789", "1704103200123456", NULL},
        {"-1", "-1", NULL},
        {"'-1'", "-1", NULL},
        {"'0'", "0", NULL},
    };
    static const struct conversion seconds[] = {
        {"1704103200.1234567", "1704103200123456", NULL},
        {"1704103200.123456", "1704103200123456", NULL},
        {"'1704103200.1234569'", "1704103200123456", NULL},
        {"-0.0000004", "-1", NULL},
        {"9e999", NULL, OUT_OF_RANGE},
    };
    static const struct conversion days[] = {{"2460310.75", "1704088800000000", NULL}};
    (void)state;

    CHECK_ALL(texts, .type = COLUMN_TIMESTAMP, .fraction_truncates = true);
    CHECK_ALL(
        nanoseconds, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_NS),
        .fraction_truncates = true);
    CHECK_ALL(
        seconds, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_S),
        .fraction_truncates = true);
    CHECK_ALL(
        days, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_JULIAN), .fraction_truncates = true);
}

static void test_local_times_of_a_zone(void **state)
{
    static const struct conversion berlin[] = {
        {"'2024-01-01 11:00:00.5'", "1704103200500000", NULL},
        {"'2024-07-01 12:00:00'", "1719828000000000", NULL},
        {"'2024-07-01'", "1719784800000000", NULL},
        {"'2024-07-01 12:00:00Z'", "1719835200000000", NULL},
        {"'2024-07-01 12:00:00 +00:00'", "1719835200000000", NULL},
        // Clocks went from 02:00 to 03:00, and from 03:00 back to 02:00.
        {"'2024-03-31 01:59:59.999999'", "1711846799999999", NULL},
        {"'2024-03-31 02:00:00'", NULL, GAP},
        {"'2024-03-31 02:59:59.999999'", NULL, GAP},
        {"'2024-03-31 03:00:00'", "1711846800000000", NULL},
        {"'2024-10-27 02:30:00'", "1729989000000000", NULL},
        {"'2024-10-27 03:00:00'", "1729994400000000", NULL},
        // By the rule behind the last change of the file.
        {"'2150-07-01 12:00:00'", "5695956000000000", NULL},
        {"'2150-01-01 12:00:00'", "5680321200000000", NULL},
        // Local mean time, 53 minutes and 28 seconds ahead.
        {"'1800-01-01 00:00:00'", "-5364665608000000", NULL},
        {"'0001-01-01 00:00:00'", NULL, OUT_OF_RANGE},
    };
    static const struct conversion sao_paulo[] = {
        // Midnight did not exist.
        {"'2018-11-04'", NULL, GAP},
        {"'2018-11-04 01:00:00'", "1541300400000000", NULL},
    };
    static const struct conversion apia[] = {
        // A whole day did not exist.
        {"'2011-12-30 12:00:00'", NULL, GAP},
        {"'2011-12-31 00:00:00'", "1325239200000000", NULL},
    };
    (void)state;

    CHECK_ALL(berlin, .type = COLUMN_TIMESTAMP, .zone = "Europe/Berlin");
    CHECK_ALL(sao_paulo, .type = COLUMN_TIMESTAMP, .zone = "America/Sao_Paulo");
    CHECK_ALL(apia, .type = COLUMN_TIMESTAMP, .zone = "Pacific/Apia");
}

static void test_a_zone_that_the_system_lacks(void **state)
{
    static const char *const names[] = {"Europe/Bielefeld", "../zoneinfo/UTC", "/etc/localtime"};
    sqlite3 *db = open_memory("UTF-8");
    sqlite3_stmt *row;
    (void)state;

    assert_int_equal(sqlite3_prepare_v2(db, "SELECT 1", -1, &row, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct column column = {
            .name = "c", .source = "c", .type = COLUMN_TIMESTAMP, .zone = names[i]};
        struct table table = {.name = "t", .columns = &column, .column_count = 1};
        struct column_reader in;
        struct error err;
        assert_false(column_reader_init(&in, &table, row, &err));
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_non_null(strstr(err.message, "table t, column c: "));
        assert_non_null(strstr(err.message, names[i]));
    }
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_empty_stands_for_null(void **state)
{
    static const struct conversion times[] = {
        {"''", "NULL", NULL},
        {"'0000-00-00'", "NULL", NULL},
        {"'0000-00-00 00:00:00'", "NULL", NULL},
        {"'0000-00-00T00:00:00.000Z'", "NULL", NULL},
        {"'0000-00-01'", NULL, "is a date that does not exist"},
        {"' '", NULL, "is not a time (expected YYYY-MM-DD HH:MM:SS[.ffffff][zone])"},
        {"x''", NULL, "is a blob, not a time"},
        {"'1970-01-01'", "0", NULL},
    };
    static const struct conversion integers[] = {
        {"''", "NULL", NULL}, {"'0000-00-00'", NULL, NOT_INT}, {"5", "5", NULL}};
    static const struct conversion json[] = {{"''", "NULL", NULL}, {"'{}'", "{}", NULL}};
    static const struct conversion required[] = {
        {"''", NULL, "is empty, so it is read as NULL, which the column does not allow"},
        {"NULL", NULL, "is NULL in a REQUIRED column"},
    };
    (void)state;

    CHECK_ALL(times, .type = COLUMN_TIMESTAMP, .empty_is_null = true);
    CHECK_ALL(integers, .type = COLUMN_INT64, .empty_is_null = true);
    CHECK_ALL(json, .type = COLUMN_JSON, .empty_is_null = true);
    CHECK_ALL(required, .type = COLUMN_DATE, .empty_is_null = true, .required = true);
}

static void test_a_date_in_front_of_a_time(void **state)
{
    static const struct conversion conversions[] = {
        {"'2000-01-01 10:00:00'", "36000000000", NULL},
        {"'2000-01-01T10:00:00.5'", "36000500000", NULL},
        {"'10:00'", "36000000000", NULL},
        {"'2000-02-30 10:00:00'", NULL, "is a date that does not exist"},
        {"'2000-01-01'", NULL, "is not a time (expected HH:MM:SS[.ffffff])"},
        {"'2000-01-01 10:00:00Z'", NULL, "has a zone"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIME, .date_drops = true);
}

static void test_words_for_true_and_false(void **state)
{
    static const struct conversion conversions[] = {
        {"'t'", "true", NULL},
        {"'F'", "false", NULL},
        {"'Yes'", "true", NULL},
        {"'no'", "false", NULL},
        {"'y'", "true", NULL},
        {"'n'", "false", NULL},
        {"'ON'", "true", NULL},
        {"'off'", "false", NULL},
        {"'true'", "true", NULL},
        {"'0'", "false", NULL},
        {"1", "true", NULL},
        {"'maybe'", NULL, "is not 0, 1, true, false, t, f, yes, no, y, n, on or off"},
        {"''", NULL, "is not 0, 1, true, false, t, f, yes, no, y, n, on or off"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_BOOL, .bool_words = true);
}

static void test_blobs_that_are_text(void **state)
{
    static const struct conversion uuid[] = {
        {"x'6ba7b8109dad11d180b400c04fd430c8'", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL},
        {"'6BA7B810-9DAD-11D1-80B4-00C04FD430C8'", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", NULL},
        {"x'6ba7'", NULL, "is a blob, but not of the 16 bytes of a UUID"},
        {"x''", NULL, "is a blob, but not of the 16 bytes of a UUID"},
        {"7", "7", NULL},
    };
    static const struct conversion guid[] = {
        {"x'10b8a76bad9dd11180b400c04fd430c8'", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL},
    };
    static const struct conversion hashed[] = {
        // printf 6ba7b810-9dad-11d1-80b4-00c04fd430c8 | sha256sum
        {"x'6ba7b8109dad11d180b400c04fd430c8'",
         "e5855ff48799c52c9ccf80b82bab9492c347a316876dbeaafef22b0bd4fac13d", NULL},
    };
    static const struct conversion utf8[] = {
        {"x'c3a4'", "ä", NULL},
        {"x''", "", NULL},
        {"x'c3'", NULL, NOT_UTF8},
        {"'a'", "a", NULL},
    };
    static const struct conversion json[] = {
        {"x'7b7d'", "{}", NULL},
        {"x'7b'", NULL, "is not valid JSON"},
    };
    static const struct conversion geography[] = {
        {"x'504f494e542831203229'", "POINT(1 2)", NULL},
        {"'POINT(1 2)'", "POINT(1 2)", NULL},
        {"x'0101'", NULL, "is not WKT: it does not begin with a type such as POINT"},
        {"x'ff'", NULL, NOT_UTF8},
        {"1", NULL, "is not a text"},
    };
    (void)state;

    CHECK_ALL(uuid, .type = COLUMN_STRING, .blob = BLOB_UUID);
    CHECK_ALL(guid, .type = COLUMN_STRING, .blob = BLOB_GUID);
    CHECK_ALL(hashed, .type = COLUMN_STRING, .blob = BLOB_UUID, .transform = TRANSFORM_SHA256);
    CHECK_ALL(utf8, .type = COLUMN_STRING, .blob = BLOB_UTF8);
    CHECK_ALL(json, .type = COLUMN_JSON, .blob = BLOB_UTF8);
    CHECK_ALL(geography, .type = COLUMN_GEOGRAPHY, .blob = BLOB_UTF8);
}

/* Blobs that SQLite 3.46's jsonb() made of what stands behind them. */
static void test_binary_json(void **state)
{
    static const struct conversion conversions[] = {
        {"x'00'", "null", NULL},
        {"x'01'", "true", NULL},
        {"x'0b'", "[]", NULL},
        {"x'0c'", "{}", NULL},
        {"x'4c17611331'", "{\"a\":1}", NULL}, // {"a":1}
        {"x'8b1331350a2e0133'", NULL, "is a blob, but not JSONB"},
        {"x'1331'", "1", NULL},
        {"x'4430783146'", "31", NULL},          // 0x1F
        {"x'262e35'", "0.5", NULL},             // .5
        {"x'26352e'", "5.0", NULL},             // 5.
        {"x'1a22'", "\"\\\"\"", NULL},          // raw "
        {"x'495c783431'", "\"\\u0041\"", NULL}, // '\x41'
        {"x'295c27'", "\"'\"", NULL},           // '\''
        {"x'285c6e'", "\"\\n\"", NULL},         // "\n"
        {"x'542d30783146'", "-31", NULL},       // -0x1F
        {"x'1a01'", "\"\\u0001\"", NULL},       // raw, a control character
        {"x'1c1761'", NULL, "is a blob, but not JSONB"},
        {"x'2c1331'", NULL, "is a blob, but not JSONB"},
        {"x'ff'", NULL, "is a blob, but not JSONB"},
        {"x''", NULL, "is a blob, but not JSONB"},
        {"x'0000'", NULL, "is a blob, but not JSONB"},
        {"x'f3ffffffffffffffff31'", NULL, "is a blob, but not JSONB"},
        {"x'173c'", "\"<\"", NULL},
        {"x'1341'", NULL, "is a blob, but not JSONB"},
        {"x'2330'", NULL, "is a blob, but not JSONB"},           // the end of a number is missing
        {"x'2b162b'", NULL, "is a blob, but not JSONB"},         // [+], a sign without digits
        {"x'436e756c6c'", NULL, "is a blob, but not JSONB"},     // null as a number
        {"x'5b43312c3233'", NULL, "is a blob, but not JSONB"},   // [1,23] of one element
        {"x'6b5761222c2262'", NULL, "is a blob, but not JSONB"}, // ["a","b"] of one element
        {"x'275c6e'", NULL, "is a blob, but not JSONB"},         // an escape where there is none
        {"x'185c'", NULL, "is a blob, but not JSONB"},
        {"x'695c7800003431'", NULL, "is a blob, but not JSONB"}, // \x without digits
        {"'{\"a\": 1}'", "{\"a\": 1}", NULL},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_JSON, .blob = BLOB_JSONB);
}

/* Section 5 of the JSON5 specification: escapes, line continuations, quotes of the other kind. */
static void test_binary_json_keeps_texts_of_json5(void **state)
{
    static const struct conversion conversions[] = {
        {"x'295c76'", "\"\\u000b\"", NULL},
        {"x'295c30'", "\"\\u0000\"", NULL},
        {"x'295c6e'", "\"\\n\"", NULL},
        {"x'1922'", "\"\\\"\"", NULL},
        {"x'1909'", "\"\\u0009\"", NULL},
        {"x'49615c0a62'", "\"ab\"", NULL},
        {"x'49615c0d62'", "\"ab\"", NULL},
        {"x'59615c0d0a62'", "\"ab\"", NULL},
        {"x'69615ce280a862'", "\"ab\"", NULL},
        {"x'69615ce280a962'", "\"ab\"", NULL},
        {"x'29615c'", NULL, "is a blob, but not JSONB"},
        {"x'295c71'", NULL, "is not valid JSON"}, // \q
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_JSON, .blob = BLOB_JSONB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_of_every_epoch),
        cmocka_unit_test(test_formats_are_tried_in_order),
        cmocka_unit_test(test_what_go_prints),
        cmocka_unit_test(test_fractions_are_dropped_where_the_definition_says_so),
        cmocka_unit_test(test_local_times_of_a_zone),
        cmocka_unit_test(test_a_zone_that_the_system_lacks),
        cmocka_unit_test(test_empty_stands_for_null),
        cmocka_unit_test(test_a_date_in_front_of_a_time),
        cmocka_unit_test(test_words_for_true_and_false),
        cmocka_unit_test(test_blobs_that_are_text),
        cmocka_unit_test(test_binary_json),
        cmocka_unit_test(test_binary_json_keeps_texts_of_json5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
