/* In which partitions rows lie, and how they are split into parts: SQLite evaluates the conditions
 * and knows the partitions by its own calendar. */
#include "support/prelude.h"

#include "sync/partitions.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME(type) "{\"timePartitioning\":{\"field\":\"c\",\"type\":\"" type "\"}}"
#define RANGE(start, end, interval)                                                                \
    "{\"rangePartitioning\":{\"field\":\"c\",\"range\":{\"start\":\"" start "\",\"end\":\"" end    \
    "\",\"interval\":\"" interval "\"}}}"

/* A table whose second column partitions it, and rows of it. */
struct fixture {
    struct column columns[2];
    struct table table;
    sqlite3 *db;
    struct partitions partitions;
};

/* unix_date and unix_micros of "2024-02-29 01:02:03"; the user data is how many microseconds. */
static void since_1970(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *text = (const char *)sqlite3_value_text(args[0]);
    int64_t unit = (intptr_t)sqlite3_user_data(context);
    struct tm parts = {0};

    (void)count;
    if (text == NULL)
        return;
    assert_non_null(strptime(text, unit == 1 ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d", &parts));
    sqlite3_result_int64(
        context, unit == 1 ? (int64_t)timegm(&parts) * 1000000 : (int64_t)timegm(&parts) / 86400);
}

static void execute(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *row = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return value;
}

/* rows: a SELECT of the values of c. */
static void set_up(struct fixture *f, enum column_type type, const char *resource, const char *rows)
{
    char sql[1000];

    *f = (struct fixture){
        .columns =
            {{.name = "id", .source = "id", .type = COLUMN_INT64, .required = true, .key = true},
             {.name = "c", .source = "c", .type = type}},
        .table = {
            .name = "days",
            .target = "days",
            .definition = "days",
            .column_count = 2,
            .resource_json = resource}};
    f->table.columns = f->columns;
    assert_int_equal(sqlite3_open(":memory:", &f->db), SQLITE_OK);
    sqlite3_create_function(f->db, "unix_date", 1, SQLITE_UTF8, (void *)0, since_1970, NULL, NULL);
    sqlite3_create_function(
        f->db, "unix_micros", 1, SQLITE_UTF8, (void *)1, since_1970, NULL, NULL);
    execute(f->db, "create table t(id integer primary key, c)");
    snprintf(sql, sizeof sql, "insert into t(c) %s", rows);
    execute(f->db, sql);
    partitions_open(&f->partitions, &f->table);
}

static void tear_down(struct fixture *f)
{
    partitions_clear(&f->partitions);
    sqlite3_close(f->db);
}

/* Adds the rows in an order of their own; false with the error of the first that is refused. */
static bool add_all(struct fixture *f, struct error *out_err)
{
    struct column_reader reader = {0};
    struct error err = {0};
    sqlite3_stmt *row = NULL;
    bool ok = true;

    assert_int_equal(
        sqlite3_prepare_v2(
            f->db, "select id, c from t order by id * 7919 % 10007, id", -1, &row, NULL),
        SQLITE_OK);
    expect_ok(column_reader_init(&reader, &f->table, row, &err));
    while (ok && sqlite3_step(row) == SQLITE_ROW) {
        column_reader_next(&reader, false);
        ok = partitions_add(&f->partitions, &reader, &err);
        assert_true(column_reader_row_fits(&reader));
    }
    column_reader_clear(&reader);
    sqlite3_finalize(row);
    *out_err = err;
    return ok;
}

static char *condition(const struct fixture *f, size_t part)
{
    struct buffer sql;

    buffer_init(&sql, 1 << 16);
    partitions_append_condition(&sql, &f->partitions, part, "t.");
    char *text = strdup(buffer_text(&sql));
    buffer_clear(&sql);
    return text;
}

/* Each row is in one part, and no part has rows of more partitions. partition: the name of a row's
 * partition in SQL. */
static void expect_split(const struct fixture *f, const char *partition, size_t parts, int most)
{
    char sql[4000] = "select count(*) from t where 0";
    char of_part[2000];

    assert_int_equal(partitions_parts(&f->partitions), parts);
    for (size_t i = 0; i < parts; i++) {
        char *text = condition(f, i);
        snprintf(sql + strlen(sql), sizeof sql - strlen(sql), " + (%s is true)", text);
        snprintf(
            of_part, sizeof of_part, "select count(distinct ifnull(%s, '')) from t where %s",
            partition, text);
        int64_t count = number(f->db, of_part);
        assert_in_range(count, 1, most);
        free(text);
    }
    snprintf(sql + strlen(sql), sizeof sql - strlen(sql), " <> 1");
    assert_int_equal(number(f->db, sql), 0);
}

#define COUNT_TO(last)                                                                             \
    "with recursive n(x) as (select 0 union all select x + 1 from n where x < " last ") "

static void test_parts_of_each_unit_hold_each_row_once(void **state)
{
    static const struct {
        enum column_type type;
        const char *resource;
        const char *rows;
        const char *partition;
        size_t parts;
    } cases[] = {
        {COLUMN_DATE, TIME("DAY"),
         COUNT_TO("4017") "select date('1965-01-01', x || ' days') from n union all select null",
         "c", 2},
        {COLUMN_DATE, TIME("DAY"),
         COUNT_TO("3498") "select date('1965-01-01', x || ' days') from n", "c", 1},
        {COLUMN_DATE, TIME("MONTH"),
         COUNT_TO("222000") "select date('1600-02-29', x || ' days') from n",
         "strftime('%Y-%m', c)", 3},
        {COLUMN_DATE, TIME("YEAR"),
         COUNT_TO("8000") "select date('1000-12-31', x || ' years') from n", "strftime('%Y', c)",
         3},
        {COLUMN_TIMESTAMP, TIME("HOUR"),
         COUNT_TO("8100") "select datetime('1969-06-01 00:59:59', (x * 59) || ' minutes') from n",
         "strftime('%Y-%m-%d %H', c)", 3},
        {COLUMN_INT64, RANGE("-100", "80900", "9"),
         COUNT_TO("90000") "select x - 1000 from n union all select null union all select "
                           "-9223372036854775807 - 1 union all select 9223372036854775807",
         "case when c < -100 or c >= 80900 then 'outside' else (c + 100) / 9 end", 3},
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        set_up(&f, cases[i].type, cases[i].resource, cases[i].rows);
        expect_ok(add_all(&f, &err));
        expect_split(&f, cases[i].partition, cases[i].parts, PARTITIONS_OF_A_JOB);
        tear_down(&f);
    }
}

static void test_rows_that_were_not_added_are_in_one_part_too(void **state)
{
    struct fixture f;
    struct error err;

    (void)state;
    set_up(
        &f, COLUMN_DATE, TIME("DAY"),
        COUNT_TO("4017") "select date('1965-01-01', x || ' days') from n");
    expect_ok(add_all(&f, &err));
    execute(f.db, "insert into t(c) values (null), ('1900-01-01'), ('2100-01-01'), ('1965-01-01')");
    // Three lie where no row was.
    expect_split(&f, "c", 2, PARTITIONS_OF_A_JOB + 3);
    tear_down(&f);
}

static void test_more_than_a_table_can_have_are_refused_with_what_to_do(void **state)
{
    struct fixture f;
    struct error err;

    (void)state;
    set_up(
        &f, COLUMN_DATE, TIME("DAY"),
        COUNT_TO("10000") "select date('1965-01-01', x || ' days') from n");
    assert_false(add_all(&f, &err));
    assert_int_equal(err.code, ERROR_SCHEMA);
    assert_non_null(strstr(err.message, "more than 10000 partitions"));
    assert_non_null(strstr(err.message, "schemas/days.json name MONTH or YEAR"));
    tear_down(&f);
}

static void test_what_counts_against_the_quota(void **state)
{
    struct fixture f;
    struct error err;

    (void)state;
    set_up(
        &f, COLUMN_DATE, TIME("MONTH"),
        COUNT_TO("58") "select date('2024-01-01', x || ' days') from n");
    assert_int_equal(partitions_modified(&f.partitions), 1);
    expect_ok(add_all(&f, &err));
    assert_int_equal(partitions_modified(&f.partitions), 2);
    assert_int_equal(partitions_daily_limit(&f.table), 30000);
    tear_down(&f);

    set_up(&f, COLUMN_DATE, "{}", "select '2024-01-01'");
    expect_ok(add_all(&f, &err));
    assert_int_equal(partitions_modified(&f.partitions), 0);
    assert_int_equal(partitions_daily_limit(&f.table), 1500);
    char *all = condition(&f, 0);
    assert_string_equal(all, "true");
    free(all);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_of_each_unit_hold_each_row_once),
        cmocka_unit_test(test_rows_that_were_not_added_are_in_one_part_too),
        cmocka_unit_test(test_more_than_a_table_can_have_are_refused_with_what_to_do),
        cmocka_unit_test(test_what_counts_against_the_quota),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
