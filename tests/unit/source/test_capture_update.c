/* Updates of the application's: those that cannot change a key run one trigger, and those that do
 * are noticed whatever name they use. */
#include "support/prelude.h"

#include "support.h"
#include "users.h"

static struct database source;

/* A table of users with these columns, and the rows 1 and 2 sealed. */
static void make_users(const char *columns)
{
    char sql[512];
    struct source_shape shape;
    struct snapshot_table in = {.table = &users_table, .shape = &shape};

    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    snprintf(
        sql, sizeof sql,
        "create table users(%s);"
        "insert into users(rowid, id, email, v) values (1, 1, 'a', 1), (2, 2, 'b', 2)",
        columns);
    run(&source, sql);
    expect_ok(capture_install(&source, &users_table, &err));
    expect_ok(capture_inspect(&source, &users_table, &shape, &err));
    assert_int_equal(shape.capture, CAPTURE_INTACT);
    expect_ok(capture_seal(&source, &in, 1, &err));
    database_rollback(&source);
}

static const char *dirty_keys(void)
{
    return query_text(
        &source, "select group_concat(bq_sync_key_1, ' ') from"
                 " (select * from bq_sync_dirty_users order by 1)");
}

/* How many triggers SQLite has compiled into a statement, those of the triggers' own statements
 * not among them: instructions of its program up to the first one of a trigger's, which begins with
 * Init again. */
static int triggers_of(const char *statement)
{
    sqlite3_stmt *explain = NULL;
    char sql[256];
    bool row = false;
    int programs = 0;
    int inits = 0;

    snprintf(sql, sizeof sql, "explain %s", statement);
    expect_ok(database_prepare(&source, sql, &explain, &err));
    for (;;) {
        expect_ok(database_step(&source, explain, &row, &err));
        if (!row)
            break;
        const char *opcode = (const char *)sqlite3_column_text(explain, 1);
        inits += strcmp(opcode, "Init") == 0;
        programs += inits == 1 && strcmp(opcode, "Program") == 0;
    }
    sqlite3_finalize(explain);
    return programs;
}

/* Shapes of the table: the id is the rowid, or another column is, or none. */
static const char *const shapes[] = {
    "id integer primary key, email text unique, v",
    "id int primary key, email text unique, v",
    "id int unique not null, email text unique, v, n integer primary key",
};
#define SHAPE_COUNT (sizeof shapes / sizeof shapes[0])

static void test_an_update_that_leaves_key_and_constraints_alone_runs_one_trigger(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        make_users(shapes[i]);

        assert_int_equal(triggers_of("update users set v = 5 where id = 1"), 1);
        assert_true(triggers_of("update users set id = 5 where id = 1") > 1);
        assert_true(triggers_of("update users set email = 'x' where id = 1") > 1);

        run(&source, "update users set v = 5 where id = 1");
        assert_string_equal(dirty_keys(), "1");
        database_close(&source);
    }
}

static void test_a_key_is_found_under_every_name_of_the_rowid(void **state)
{
    (void)state;
    static const char *const assignments[] = {
        "id = 5",
        "ID = 5",
        "\"iD\" = 5",
        "rowid = 5",
        "RowId = 5",
        "oid = 5",
        "_rowid_ = 5",
        "\"_ROWID_\" = 5",
        "[oid] = 5",
        "`Oid` = 5",
        "v = 1, oid = 5",
        "(v, rowid) = (1, 5)",
        "(_rowid_, v) = (select 5, 1)",
    };
    for (size_t i = 0; i < sizeof assignments / sizeof assignments[0]; i++) {
        char sql[256];
        make_users("id integer primary key, email text, v");
        run(&source, "insert into users values (9, 'c', 3)");
        struct source_shape shape;
        struct snapshot_table in = {.table = &users_table, .shape = &shape};
        expect_ok(capture_inspect(&source, &users_table, &shape, &err));
        expect_ok(capture_seal(&source, &in, 1, &err));
        database_rollback(&source);

        snprintf(sql, sizeof sql, "update users set %s where id = 1", assignments[i]);
        run(&source, sql);

        if (strcmp(dirty_keys(), "1 5") != 0)
            fail_msg("%s: %s is listed", sql, dirty_keys());
        database_close(&source);
    }
}

/* The row that is in the way has a key of its own, which no trigger for deletions sees. */
static void test_a_row_that_a_new_rowid_displaces_is_found_under_every_name(void **state)
{
    (void)state;
    static const char *const names[] = {"rowid", "OID", "_rowid_", "n"};
    for (size_t shape = 1; shape < SHAPE_COUNT; shape++)
        for (size_t i = 0; i < (shape == 2 ? 4 : 3); i++) {
            char sql[256];
            make_users(shapes[shape]);

            snprintf(sql, sizeof sql, "update or replace users set %s = 2 where id = 1", names[i]);
            run(&source, sql);

            assert_int_equal(query_int(&source, "select count(*) from users"), 1);
            if (strcmp(dirty_keys(), "1 2") != 0)
                fail_msg("%s, %s: %s is listed", shapes[shape], sql, dirty_keys());
            database_close(&source);
        }
}

static void test_a_key_that_a_foreign_key_changes_is_listed(void **state)
{
    (void)state;
    make_users("id integer primary key, email text, v");
    run(&source, "create table people(number integer primary key);"
                 "insert into people values (1), (2), (3);"
                 "alter table users rename to users_before;"
                 "create table users(id integer primary key references people on update cascade,"
                 " email text, v);"
                 "insert into users select * from users_before; drop table users_before;"
                 "insert into users values (3, 'c', 3); pragma foreign_keys = 1");
    expect_ok(capture_install(&source, &users_table, &err));
    run(&source, "delete from bq_sync_dirty_users; update bq_sync_capture set watermark = 100");

    run(&source, "update people set number = 50 where number = 1");

    assert_int_equal(query_int(&source, "select count(*) from users where id = 50"), 1);
    assert_string_equal(dirty_keys(), "1 50");
    database_close(&source);
}

/* Makes a trigger again with another list of columns behind UPDATE. */
static enum capture_state check_with(const char *trigger, const char *list, const char *instead)
{
    struct source_shape shape;
    char sql[512];

    snprintf(
        sql, sizeof sql, "select replace(sql, '%s', '%s') from sqlite_master where name = '%s'",
        list, instead, trigger);
    const char *create = query_text(&source, sql);
    snprintf(sql, sizeof sql, "drop trigger %s", trigger);
    run(&source, sql);
    run(&source, create);
    expect_ok(capture_inspect(&source, &users_table, &shape, &err));
    return shape.capture;
}

static void test_triggers_that_fire_for_every_update_miss_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *trigger;
        const char *list;
    } cases[] = {
        {"bq_sync_rekey_users", " of \"id\", rowid, oid, _rowid_"},
        {"bq_sync_replace_0_update_users", " of \"rowid\", \"oid\", \"_rowid_\""},
    };
    for (size_t i = 0; i < 2; i++) {
        make_users(shapes[1]);
        assert_int_equal(check_with(cases[i].trigger, cases[i].list, ""), CAPTURE_INTACT);
        run(&source, "update users set id = 5 where id = 1");
        assert_string_equal(dirty_keys(), "1 5");
        database_close(&source);

        make_users(shapes[1]);
        assert_int_equal(check_with(cases[i].trigger, cases[i].list, " of v"), CAPTURE_INTERRUPTED);
        expect_ok(capture_install(&source, &users_table, &err));
        assert_int_equal(check_with(cases[i].trigger, "oid", "v"), CAPTURE_INTERRUPTED);
        database_close(&source);
    }
}

static void test_the_schema_can_be_altered_as_before(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        make_users(shapes[i]);
        run(&source, "alter table users add column w; alter table users rename column w to rowid;"
                     "alter table users drop column rowid; alter table users rename column v to u;"
                     "alter table users rename to people; alter table people rename to users;"
                     "vacuum; pragma integrity_check; update users set u = 7 where id = 2");

        assert_string_equal(dirty_keys(), "2");
        database_close(&source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_update_that_leaves_key_and_constraints_alone_runs_one_trigger),
        cmocka_unit_test(test_a_key_is_found_under_every_name_of_the_rowid),
        cmocka_unit_test(test_a_row_that_a_new_rowid_displaces_is_found_under_every_name),
        cmocka_unit_test(test_a_key_that_a_foreign_key_changes_is_listed),
        cmocka_unit_test(test_triggers_that_fire_for_every_update_miss_nothing),
        cmocka_unit_test(test_the_schema_can_be_altered_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
