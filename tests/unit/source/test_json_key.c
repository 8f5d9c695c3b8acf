/* Keys as people see them, and as rejected rows are found again: two keys never look the same. */
#include "support/prelude.h"

#include "quoted.h"
#include "source/json_key.h"
#include "support.h"
#include "support/scarce_sql.h"

static struct database source;

static int set_up(void **state)
{
    (void)state;
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&source);
    return 0;
}

/* The key whose columns are these expressions, in bytes that the next call overwrites. */
static const char *shown(const char *a, const char *b, int64_t row_number)
{
    static char text[512];
    sqlite3_stmt *row = NULL;
    struct buffer out;
    bool found = false;
    char sql[256];

    snprintf(sql, sizeof sql, "select %s, %s, null", a, b);
    buffer_init(&out, sizeof text - 1);
    expect_ok(database_prepare(&source, sql, &row, &err));
    expect_ok(database_step(&source, row, &found, &err));
    expect_ok(json_key_append(&out, &quoted_table, row, row_number, &err));
    snprintf(text, sizeof text, "%s", buffer_text(&out));
    buffer_clear(&out);
    sqlite3_finalize(row);
    return text;
}

static const char *shown_value(const char *value)
{
    static char text[512];
    const char *key = shown(value, "0", 0);

    assert_int_equal(strncmp(key, "{\"a\":", 5), 0);
    assert_string_equal(key + strlen(key) - strlen(",\"b\":0}"), ",\"b\":0}");
    snprintf(text, sizeof text, "%.*s", (int)(strlen(key) - strlen("{\"a\":,\"b\":0}")), key + 5);
    return text;
}

static void test_each_kind_of_value_has_its_form(void **state)
{
    static const char *const cases[][2] = {
        {"1", "1"},
        {"-9223372036854775807 - 1", "-9223372036854775808"},
        {"1.0", "1.0"},
        {"0.1", "0.10000000000000001"},
        {"1e300", "1.0000000000000001e+300"},
        {"9e999", "\"Infinity\""},
        {"-9e999", "\"-Infinity\""},
        {"null", "null"},
        {"'1'", "\"1\""},
        {"''", "\"\""},
        {"x''", "\"x''\""},
        {"x'00a1ff'", "\"x'00a1ff'\""},
        // What reads like another kind of value.
        {"'Infinity'", "\"cast(x'496e66696e697479' as text)\""},
        {"'-Infinity'", "\"cast(x'2d496e66696e697479' as text)\""},
        {"'x''00'''", "\"cast(x'7827303027' as text)\""},
        {"'cast(x'''", "\"cast(x'63617374287827' as text)\""},
        {"'infinity'", "\"infinity\""},
        {"'x'", "\"x\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(shown_value(cases[i][0]), cases[i][1]);
}

static void test_texts_are_strings_of_json(void **state)
{
    (void)state;
    assert_string_equal(shown_value("'a\"b\\c'"), "\"a\\\"b\\\\c\"");
    assert_string_equal(
        shown_value("cast(x'01091f207f' as text)"), "\"\\u0001\\u0009\\u001f \x7f\"");
    assert_string_equal(shown_value("cast(x'610062' as text)"), "\"a\\u0000b\"");
}

static void test_only_well_formed_utf8_is_shown_as_it_is(void **state)
{
    // The first and the last character of each length, and their neighbours that are none.
    static const char *const good[] = {"7f",     "c280",   "dfbf",     "e0a080",  "ed9fbf",
                                       "ee8080", "efbfbf", "f0908080", "f48fbfbf"};
    static const char *const bad[] = {"80",     "c1bf",     "c2",      "c241",     "e09fbf",
                                      "e282",   "eda080",   "e28241",  "f08fbfbf", "f4908080",
                                      "f09f92", "f5808080", "f09f9241"};
    char value[64];
    char expected[80];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(value, sizeof value, "cast(x'%s' as text)", good[i]);
        const char *text = shown_value(value);
        if (strlen(text) != strlen(good[i]) / 2 + 2)
            fail_msg("%s is shown as %s", good[i], text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(value, sizeof value, "cast(x'%s' as text)", bad[i]);
        snprintf(expected, sizeof expected, "\"%s\"", value);
        assert_string_equal(shown_value(value), expected);
    }
}

static void test_of_utf16_the_stored_bytes_are_shown(void **state)
{
    static const char *const encodings[][2] = {{"UTF-16le", "00d84100"}, {"UTF-16be", "d8000041"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char sql[128];
        char value[64];
        char expected[80];
        tear_down(state);
        set_up(state);
        snprintf(sql, sizeof sql, "pragma encoding = '%s'; create table t(a)", encodings[i][0]);
        run(&source, sql);
        // A surrogate alone.
        snprintf(value, sizeof value, "cast(x'%s' as text)", encodings[i][1]);
        snprintf(expected, sizeof expected, "\"%s\"", value);

        assert_string_equal(shown_value(value), expected);
        assert_string_equal(shown_value("'\xc3\xa9'"), "\"\xc3\xa9\"");
    }
}

/* The entry of a rejected row is found by its key, so the wrong one is worse than none. */
static void test_wherever_the_memory_ends_no_other_key_is_shown(void **state)
{
    sqlite3_stmt *row = NULL;
    struct buffer out;
    bool found = false;
    bool failed = true;

    (void)state;
    run(&source, "pragma encoding = 'UTF-16be'; create table t(a)");
    expect_ok(database_prepare(&source, "select 'key', zeroblob(3), null", &row, &err));
    buffer_init(&out, 100);
    for (int n = 1; failed; n++) {
        buffer_reset(&out);
        expect_ok(database_step(&source, row, &found, &err));
        scarce_sql_fail(n);
        bool ok = json_key_append(&out, &quoted_table, row, 0, &err);
        failed = scarce_sql_end();
        if (ok)
            assert_string_equal(buffer_text(&out), "{\"a\":\"key\",\"b\":\"x'000000'\"}");
        else
            assert_int_equal(err.code, ERROR_MEMORY);
        sqlite3_reset(row);
    }
    buffer_clear(&out);
    sqlite3_finalize(row);
}

static void test_a_row_without_a_key_has_a_number(void **state)
{
    (void)state;
    assert_string_equal(shown("'x'", "null", 0), "{\"a\":\"x\",\"b\":null}");
    assert_string_equal(shown("'x'", "null", 7), "{\"a\":\"x\",\"b\":null,\"row_number\":7}");
    assert_string_equal(shown("'x'", "2", 1), "{\"a\":\"x\",\"b\":2,\"row_number\":1}");
}

#define key_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        key_test(test_each_kind_of_value_has_its_form),
        key_test(test_texts_are_strings_of_json),
        key_test(test_only_well_formed_utf8_is_shown_as_it_is),
        key_test(test_of_utf16_the_stored_bytes_are_shown),
        key_test(test_wherever_the_memory_ends_no_other_key_is_shown),
        key_test(test_a_row_without_a_key_has_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
