/* How an error names the row that it is about. */
#include "support/prelude.h"

#include "quoted.h"
#include "source/row_name.h"
#include "support.h"

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

/* In bytes that the next call overwrites. */
static const char *name_of(const char *values, const size_t *columns, size_t size)
{
    static char name[256];
    sqlite3_stmt *row = NULL;
    bool found = false;
    char sql[128];

    snprintf(sql, sizeof sql, "select %s", values);
    expect_ok(database_prepare(&source, sql, &row, &err));
    expect_ok(database_step(&source, row, &found, &err));
    row_name(&quoted_table, row, columns, name, size);
    sqlite3_finalize(row);
    return name;
}

static void test_a_row_is_named_by_the_values_of_its_key(void **state)
{
    static const size_t swapped[] = {2, 1};

    (void)state;
    assert_string_equal(name_of("'x', 7", NULL, 256), "the row with a = x, b = 7");
    assert_string_equal(name_of("x'41', null", NULL, 256), "the row with a = a blob, b = NULL");
    assert_string_equal(name_of("1, 2.5, 'y'", swapped, 256), "the row with a = y, b = 2.5");
}

static void test_a_long_name_is_cut(void **state)
{
    (void)state;
    const char *name = name_of("hex(zeroblob(100)), 7", NULL, 40);

    assert_true(strlen(name) < 40);
    assert_int_equal(strncmp(name, "the row with a = 0000", 21), 0);
}

static void test_a_row_without_a_key_is_named_by_its_number(void **state)
{
    char name[64];

    (void)state;
    row_name_by_number(INT64_MAX, name, sizeof name);
    assert_string_equal(name, "the row number 9223372036854775807");
}

#define name_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        name_test(test_a_row_is_named_by_the_values_of_its_key),
        name_test(test_a_long_name_is_cut),
        name_test(test_a_row_without_a_key_is_named_by_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
