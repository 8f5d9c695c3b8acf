/* What is said of columns that a definition neither lists nor ignores, and of names ignored in
 * vain. */
#include "support/prelude.h"

#include "source/unlisted.h"
#include "support.h"
#include "support/scarce.h"

static const struct column columns[] = {{.name = "id", .source = "Id"}};
static const char *const ignored[] = {"Draft", "gone"};
static const struct table t = {
    .name = "t",
    .definition = "t_file",
    .columns = columns,
    .column_count = 1,
    .unlisted_fails = true,
    .ignored = ignored,
    .ignored_count = 2,
};

static struct database source;
static char said[960];

static int set_up(void **state)
{
    (void)state;
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    said[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&source);
    return 0;
}

static void describe(const char *sql)
{
    run(&source, sql);
    expect_ok(unlisted_describe(&source, &t, said, sizeof said, &err));
}

static void test_listed_and_ignored_columns_are_not_named(void **state)
{
    (void)state;
    describe("create table t(id integer primary key, draft text)");
    assert_string_equal(said, "");
}

static void test_one_column_is_named_with_both_ways_out(void **state)
{
    (void)state;
    describe("create table t(id, phone varchar(20))");
    assert_string_equal(
        said, "SQLite has a column that the definition neither lists nor ignores: phone. Add "
              "{\"name\": \"phone\", \"type\": \"STRING\"} to `columns` in schemas/t_file.json, or "
              "\"phone\" to `sync.ignore`, and rebuild");
}

static void test_hidden_columns_of_virtual_tables_do_not_count(void **state)
{
    (void)state;
    describe("create virtual table t using fts5(id, body)");
    assert_non_null(strstr(said, "ignores: body. Add"));
}

static void test_a_declared_type_suggests_one_of_bigquery(void **state)
{
    static const char *const types[][2] = {
        {"", "STRING"},
        {"text", "STRING"},
        {"NVARCHAR(160)", "STRING"},
        {"BIGINT", "INT64"},
        {"boolean", "BOOL"},
        {"DateTime", "TIMESTAMP"},
        {"timestamp", "TIMESTAMP"},
        {"date", "DATE"},
        {"time", "TIME"},
        {"blob", "BYTES"},
        {"double precision", "FLOAT64"},
        {"real", "FLOAT64"},
        {"float", "FLOAT64"},
        {"decimal(10,2)", "NUMERIC"},
        {"numeric", "NUMERIC"},
        {"json", "JSON"},
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        snprintf(
            text, sizeof text, "drop table if exists t; create table t(id, v %s)", types[i][0]);
        describe(text);
        snprintf(text, sizeof text, "{\"name\": \"v\", \"type\": \"%s\"}", types[i][1]);
        if (strstr(said, text) == NULL)
            fail_msg("%s: %s", types[i][0], said);
    }
}

static void test_a_name_that_bigquery_refuses_becomes_a_source(void **state)
{
    (void)state;
    describe("create table t(id, \"1 \"\"\\é\" text)");
    assert_non_null(
        strstr(said, "{\"name\": \"_1_____\", \"source\": \"1 \\\"\\\\é\", \"type\": \"STRING\"}"));
}

static void test_what_does_not_fit_is_cut_between_columns(void **state)
{
    char sql[20000] = "create table t(id";
    size_t length = strlen(sql);

    (void)state;
    for (int i = 0; i < 300; i++)
        length += (size_t)snprintf(sql + length, sizeof sql - length, ", column_%d text", i);
    snprintf(sql + length, sizeof sql - length, ")");
    describe(sql);
    assert_non_null(strstr(said, ", .... Add {"));
    assert_non_null(strstr(
        said, "\"} and so on to `columns` in schemas/t_file.json, or their names to "
              "`sync.ignore`, and rebuild"));
}

static void test_what_does_not_fit_is_cut_between_characters(void **state)
{
    char whole[960];
    char cut[960];

    (void)state;
    describe("create table t(id, \"\xc3\xa9\xc3\xa9\")");
    snprintf(whole, sizeof whole, "%s", said);
    for (size_t size = 1; size < strlen(whole); size++) {
        expect_ok(unlisted_describe(&source, &t, cut, size, &err));
        assert_memory_equal(cut, whole, strlen(cut));
        assert_true((whole[strlen(cut)] & 0xc0) != 0x80);
    }
}

static void test_wherever_the_memory_ends_no_column_is_left_out(void **state)
{
    bool failed = true;

    (void)state;
    describe("create table t(id, \"phone number\", fax)");
    for (int n = 1; failed; n++) {
        char whole[960];
        snprintf(whole, sizeof whole, "%s", said);
        scarce_fail(n);
        bool ok = unlisted_describe(&source, &t, said, sizeof said, &err);
        failed = scarce_end();
        if (!ok)
            assert_int_equal(err.code, ERROR_MEMORY);
        assert_string_equal(said, whole);
    }
}

static void test_names_ignored_in_vain_are_found(void **state)
{
    (void)state;
    run(&source, "create table t(id, draft)");
    expect_ok(unlisted_find_absent(&source, &t, said, sizeof said, &err));
    assert_string_equal(said, "gone");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_listed_and_ignored_columns_are_not_named),
        TEST(test_one_column_is_named_with_both_ways_out),
        TEST(test_hidden_columns_of_virtual_tables_do_not_count),
        TEST(test_a_declared_type_suggests_one_of_bigquery),
        TEST(test_a_name_that_bigquery_refuses_becomes_a_source),
        TEST(test_what_does_not_fit_is_cut_between_columns),
        TEST(test_what_does_not_fit_is_cut_between_characters),
        TEST(test_wherever_the_memory_ends_no_column_is_left_out),
        TEST(test_names_ignored_in_vain_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
