/* Tests of filter_step: a filter that fails is blamed with the row for which it does. */
#include "support/prelude.h"

#include "source/filter_step.h"
#include "support/expect.h"

#include <string.h>

static const struct column columns[] = {
    {.name = "team", .source = "team", .type = COLUMN_STRING, .key = true},
    {.name = "v", .source = "v", .type = COLUMN_STRING},
    {.name = "n", .source = "n", .type = COLUMN_INT64, .key = true},
};
static const size_t key[] = {0, 2};
static const struct table keyed = {
    .name = "t",
    .definition = "t_file",
    .columns = columns,
    .column_count = 3,
    .key = key,
    .key_count = 2,
    .where = "json_extract(v, '$.gone') is null -- the rest",
};
static const struct table keyless = {
    .name = "t",
    .definition = "t_file",
    .columns = columns,
    .column_count = 3,
    .where = "json_extract(v, '$.gone') is null",
};

static struct database open_source(const char *rows)
{
    struct database source;
    struct error err;

    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    expect_ok(database_exec(&source, "create table t(team, v, n)", &err));
    // An index that has the key, but not what the filter needs, has another order.
    expect_ok(database_exec(&source, "create index i on t(n, team)", &err));
    expect_ok(database_exec(&source, rows, &err));
    return source;
}

/* Steps through the statement to its end or its failure. */
static bool run(
    struct database *source, const struct table *table, const char *sql, struct error *out_err)
{
    sqlite3_stmt *statement = NULL;
    struct error err = {0};
    bool row = true;
    bool ok = true;

    expect_ok(database_prepare(source, sql, &statement, &err));
    while (ok && row)
        ok = filter_step(source, table, statement, &row, &err);
    sqlite3_finalize(statement);
    *out_err = err;
    return ok;
}

#define COUNT_FILTERED "select count(*) from t where json_extract(v, '$.gone') is null"

static void test_the_row_is_named_by_its_whole_key(void **state)
{
    static const struct {
        const char *label;
        const char *rows;
        const struct table *table;
        const char *name;
    } rows[] = {
        {"text and number", "insert into t values ('a','{}',9), ('b','{',3), ('c','[',1)", &keyed,
         "the row with team = b, n = 3"},
        {"NULL and a blob", "insert into t values ('a','{}',9), (null,'{',x'01')", &keyed,
         "the row with team = NULL, n = a blob"},
        {"the first row", "insert into t values ('a','{',9), ('b','{}',3)", &keyed,
         "the row with team = a, n = 9"},
        {"without a key", "insert into t values ('a','{}',9), ('b','{}',3), ('c','{',1)", &keyless,
         "the row number 3"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct database source = open_source(rows[i].rows);
        struct error err;
        if (run(&source, rows[i].table, COUNT_FILTERED, &err))
            fail_msg("%s: no failure", rows[i].label);
        assert_int_equal(err.code, ERROR_SCHEMA);
        assert_string_equal(err.row, rows[i].name);
        assert_string_equal(
            err.message,
            "t.where: the filter fails for a row: malformed JSON. Correct the row, or let `where` "
            "in schemas/t_file.json pass over it, and rebuild");
        database_close(&source);
    }
}

static void test_a_failure_of_another_kind_stays_what_it_was(void **state)
{
    struct database source = open_source("insert into t values ('a','{}',9)");
    struct error err;
    (void)state;

    assert_false(run(&source, &keyed, "select json('{') from t", &err));

    assert_int_equal(err.code, ERROR_SOURCE);
    assert_string_equal(err.row, "");
    database_close(&source);
}

static void test_a_filter_that_holds_for_all_rows_is_no_failure(void **state)
{
    struct database source = open_source("insert into t values ('a','{}',9)");
    struct error err;
    (void)state;

    assert_true(run(&source, &keyed, COUNT_FILTERED, &err));
    database_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_row_is_named_by_its_whole_key),
        cmocka_unit_test(test_a_failure_of_another_kind_stays_what_it_was),
        cmocka_unit_test(test_a_filter_that_holds_for_all_rows_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
