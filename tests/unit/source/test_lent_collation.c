/* Databases with a collation that only the application has. */
#include "support/prelude.h"

#include "support.h"

#include <strings.h>

static struct folder folder;
static struct database database;

static int compare_backwards(
    void *context, int one_size, const void *one, int other_size, const void *other)
{
    (void)context;
    int order = memcmp(other, one, (size_t)(one_size < other_size ? one_size : other_size));

    return order != 0 ? order : other_size - one_size;
}

static int set_up(void **state)
{
    (void)state;
    sqlite3 *application = NULL;

    folder = make_folder();
    assert_int_equal(sqlite3_open(path_in(&folder, "app.db"), &application), SQLITE_OK);
    sqlite3_create_collation(application, "backwards", SQLITE_UTF8, NULL, compare_backwards);
    assert_int_equal(
        sqlite3_exec(
            application,
            "create table tags(tag text primary key collate backwards, n integer) without rowid;"
            "insert into tags values ('a', 1), ('b', 2), ('c', 3)",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(application);
    expect_ok(database_open(path_in(&folder, "app.db"), DATABASE_READ, 0, &database, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&database);
    remove_folder(&folder);
    return 0;
}

static int64_t ask(const char *sql)
{
    int64_t value = 0;

    expect_ok(database_query_int64(&database, sql, -1, &value, &err));
    return value;
}

static void expect_refused(const char *sql)
{
    int64_t value = 0;

    expect_error(
        database_query_int64(&database, sql, -1, &value, &err), ERROR_SOURCE,
        "compares by the collation backwards, which only the application has");
}

static void test_all_rows_of_a_table_that_is_ordered_by_it_are_read(void **state)
{
    (void)state;

    assert_int_equal(ask("select sum(n) from tags"), 6);
    assert_int_equal(ask("select n from tags where tag collate binary = 'b'"), 2);
    assert_int_equal(ask("select n from tags order by tag limit 1"), 3);
}

static void test_a_statement_that_would_compare_by_it_fails(void **state)
{
    (void)state;

    expect_refused("select n from tags where tag = 'b'");
    expect_refused("select count(*) from tags where n > 0 and tag < 'c'");
    expect_refused("select count(*) from tags where tag in ('x', 'y')");
    expect_refused("select max(tag, 'b') from tags");

    assert_int_equal(ask("select count(*) from tags"), 3);
}

static void test_its_error_is_cut_between_two_characters(void **state)
{
    char euros[61 * 3] = "";
    char sql[300];
    int64_t value = 0;

    (void)state;
    for (int i = 0; i < 60; i++)
        memcpy(euros + strlen(euros), "\u20ac", sizeof "\u20ac");
    for (int blanks = 0; blanks < 3; blanks++) {
        snprintf(sql, sizeof sql, "select n from tags where tag = '%*s%s'", blanks, "", euros);
        expect_error(
            database_query_int64(&database, sql, -1, &value, &err), ERROR_SOURCE,
            "\u20ac: compares by");
    }
}

/* SQLite has NOCASE for UTF-8 only, and asks for another one before it makes that of it. */
static void test_what_sqlite_has_itself_is_not_lent_in_a_database_of_utf_16(void **state)
{
    struct database wide;
    int64_t value = 0;
    (void)state;

    expect_ok(database_open(path_in(&folder, "wide.db"), DATABASE_CREATE, 0, &wide, &err));
    expect_ok(database_exec(&wide, "pragma encoding = 'UTF-16le'", &err));
    expect_ok(database_exec(
        &wide,
        "create table others(v text collate nocase unique, w text collate rtrim); create table "
        "t(k);"
        "insert into others values ('b', 'b '), ('C', 'c'), ('a', 'b')",
        &err));
    expect_ok(database_exec(&wide, "alter table t rename to s", &err));
    expect_ok(database_query_int64(
        &wide, "select count(*) from sqlite_master where name in ('others', 's')", -1, &value,
        &err));
    assert_int_equal(value, 2);
    expect_ok(database_query_int64(
        &wide, "select count(*) from others where v = 'c' or w = 'b'", -1, &value, &err));
    assert_int_equal(value, 3);
    database_close(&wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_all_rows_of_a_table_that_is_ordered_by_it_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_statement_that_would_compare_by_it_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_its_error_is_cut_between_two_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_sqlite_has_itself_is_not_lent_in_a_database_of_utf_16, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
