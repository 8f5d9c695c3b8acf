/* Which tables triggers fit, and which are scanned or refused: their shapes and their own triggers.
 */
#include "support/prelude.h"

#include "captured_users.h"
#include "users_insert.h"

static int compare_bytes(void *context, int a_size, const void *a, int b_size, const void *b)
{
    (void)context;
    int order = memcmp(a, b, (size_t)(a_size < b_size ? a_size : b_size));

    return order != 0 ? order : a_size - b_size;
}

static void test_shapes_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        const char *create;
        bool integer_key;
        const char *missing;
        const char *extra;
        const char *problem;
    } cases[] = {
        {"rowid alias", "create table users(id integer primary key, email, v)", true, "", "", ""},
        {"in capitals", "create table USERS(ID INTEGER PRIMARY KEY, EMAIL, V)", true, "", "", ""},
        {"constraint", "create table users(id integer, email, v, primary key(id))", true, "", "",
         ""},
        {"int", "create table users(id int primary key, email, v)", false, "", "", ""},
        {"desc", "create table users(id integer primary key desc, email, v)", false, "", "", ""},
        {"without rowid", "create table users(id integer primary key, email, v) without rowid",
         false, "", "", ""},
        {"part of a key", "create table users(id integer, email, v, primary key(id, email))", false,
         "", "", "unique index on (id)"},
        {"unique index", "create table users(id, email, v); create unique index i on users(id)",
         false, "", "", ""},
        {"partial index",
         "create table users(id, email, v); create unique index i on users(id) where v", false, "",
         "", "unique index on (id)"},
        {"columns", "create table users(id integer primary key, mail, v, w, g as (v))", true,
         "email", "mail, w, g", ""},
        {"view", "create view users as select 1 as id, 2 as email, 3 as v", false, "", "", ""},
        {"virtual", "create virtual table users using fts5(id, email, v)", false, "", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct database database;
        struct source_shape shape;
        expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &database, &err));
        run(&database, cases[i].create);
        expect_ok(capture_inspect(&database, &users_table, &shape, &err));
        if (!shape.exists || shape.integer_key != cases[i].integer_key ||
            strcmp(shape.missing, cases[i].missing) != 0 ||
            strncmp(shape.extra, cases[i].extra, strlen(cases[i].extra)) != 0 ||
            strstr(shape.key_problem, cases[i].problem) == NULL ||
            (cases[i].problem[0] == '\0') != (shape.key_problem[0] == '\0'))
            fail_msg(
                "%s: integer %d, missing \"%s\", extra \"%s\", problem \"%s\"", cases[i].label,
                shape.integer_key, shape.missing, shape.extra, shape.key_problem);
        database_close(&database);
    }
}

static void test_what_sqlite_cannot_read_is_named_with_its_own_words(void **state)
{
    (void)state;
    static const struct {
        const char *create;
        const char *message;
    } cases[] = {
        {"create view users as select id, email, v from nowhere",
         "the view users in :memory: cannot be read: no such table: main.nowhere. Make what is "
         "missing or correct the view, or remove schemas/users.json and rebuild"},
        {"create view users as select mine(1) as id, 2 as email, 3 as v",
         "the view users in :memory: cannot be read: no such function: mine. Make"},
        {"pragma writable_schema = 1; insert into sqlite_master(type, name, tbl_name, rootpage, "
         "sql)"
         " values ('table', 'users', 'users', 0, 'create virtual table users using gone(id)');"
         " pragma writable_schema = reset",
         "the table users in :memory: cannot be read: no such module: gone. Make what is missing "
         "or "
         "correct the table"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct database database;
        struct source_shape shape;
        expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &database, &err));
        run(&database, cases[i].create);
        expect_error(
            capture_inspect(&database, &users_table, &shape, &err), ERROR_SCHEMA, cases[i].message);
        assert_ptr_equal(strstr(err.message, cases[i].message), err.message);
        database_close(&database);
    }
}

static void test_what_cannot_be_captured_is_refused_in_words(void **state)
{
    (void)state;
    run(&source, "drop table users");
    expect_error(
        capture_install(&source, &users_table, &err), ERROR_SCHEMA,
        "table users does not exist in ");
    run(&source, "create view users as select 1 as id, 2 as email, 3 as v");
    expect_error(capture_install(&source, &users_table, &err), ERROR_SCHEMA, "it is a view");
    run(&source, "drop view users; create table users(id, email, v)");
    expect_error(capture_install(&source, &users_table, &err), ERROR_SCHEMA, "create unique index");
    run(&source, "drop table users; create table users(id integer primary key, v)");
    expect_error(
        capture_install(&source, &users_table, &err), ERROR_SCHEMA,
        "lacks the column email. Add it there, or take it out of");
    assert_int_equal(query_int(&source, "select count(*) from sqlite_master"), 1);
}

/* Tables for which no triggers are exact, or none that can't make a statement fail. */
static void test_tables_that_triggers_would_not_fit_are_scanned_and_it_is_said_why(void **state)
{
    (void)state;
    static const struct {
        const char *create;
        const char *why;
    } cases[] = {
        {"create table users(id integer primary key, email, v);"
         "create unique index u on users(json_extract(email, '$.id'))",
         "unique index u: it is an index over an expression"},
        {"create table users(id integer primary key, email, v);"
         "create unique index u on users(email) where lower(v) = 'a'",
         "unique index u: its filter is more than comparisons of columns and literals"},
        {"create table users(id integer primary key, email, v collate localized);"
         "create unique index u on users(email) where v = 'a'",
         "its filter is more than"},
        {"create table users(id integer primary key, email collate localized unique, v)",
         "it compares with a collation of the application"},
        {"create table users(id text collate localized primary key, email, v)",
         "the key column id compares with a collation of the application"},
        {"create table users(id integer primary key, email not null default 'a' unique, v)",
         "REPLACE stores a column's default there instead of NULL"},
        {"create table users(id integer primary key, email, v, g as (email || 1) unique)",
         "it has a generated column"},
        {"create table users(id integer primary key, email unique, v, g as (id + 1))",
         "generated columns before it has chosen the id"},
        {"create table users(n, id as (n + 1) unique, email, v)", "the key column id is generated"},
        {"create table users(id integer primary key, email text unique, v text) strict",
         "check the types of a row before its other constraints"},
        {"create table users(id text primary key, email text, v text) strict", "it is STRICT"},
        {"create table users(id integer primary key, email, v);"
         "create table if not exists homes(owner references users(email))",
         "a foreign key of the table homes refers to columns of it that no primary key"},
        {"create table users(id, email, v)",
         "or let its mode be \"replace\", which needs no \"key\""},
        {"create view users as select 1 as id, 2 as email, 3 as v", "it is a view"},
        {"create virtual table users using fts5(id, email, v)", "it is a virtual table"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run(&source, "drop table if exists users");
        sqlite3_create_collation(source.handle, "localized", SQLITE_UTF8, NULL, compare_bytes);
        run(&source, cases[i].create);
        struct source_shape shape = inspect();
        if (strstr(shape.why_scan, cases[i].why) == NULL)
            fail_msg("%s: \"%s\"", cases[i].create, shape.why_scan);
        expect_error(capture_install(&source, &users_table, &err), ERROR_SCHEMA, cases[i].why);
        run(&source, strstr(cases[i].create, "create view") != NULL ? "drop view users"
                                                                    : "drop table if exists homes");
    }
}

static void test_tables_that_triggers_fit_are_not_scanned(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "create table users(id integer primary key, email unique, v collate localized)",
        "create table users(id integer primary key, email, v default (random()), g as (v || 1))",
        "create table users(id integer primary key, email, v);"
        "create unique index u on users(id, lower(email))",
        "create table users(id text primary key, email unique, v, g as (v || 1))",
        "create table users(id integer primary key, email text not null, v text) strict",
        "create table users(id integer primary key, email, v);"
        "create unique index u on users(email) where v is null -- deleted_at",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run(&source, "drop table users");
        sqlite3_create_collation(source.handle, "localized", SQLITE_UTF8, NULL, compare_bytes);
        run(&source, cases[i]);
        if (inspect().why_scan[0] != '\0')
            fail_msg("%s: \"%s\"", cases[i], inspect().why_scan);
        expect_ok(capture_install(&source, &users_table, &err));
        expect_ok(capture_remove(&source, &users_table, &err));
    }
}

/* Triggers of the application beside which capture could miss a change, however it was made first.
 */
static void test_triggers_that_end_a_statement_behind_a_change_lead_to_a_scan(void **state)
{
    (void)state;
    static const struct {
        const char *trigger;
        const char *why;
    } cases[] = {
        {"after update on users begin select raise(ignore); end", "with RAISE(IGNORE) or"},
        {"after insert on Users begin select raise ( /* so */ fail, 'no') where new.v; end",
         "with RAISE(IGNORE) or"},
        {"after delete on \"users\" when old.v begin select 1; select RAISE(FAIL, ''); end",
         "with RAISE(IGNORE) or"},
        {"before update on users begin update users set email = 'x' where id = new.id; end",
         "writes before an update"},
        {"update of v on users begin replace into log values (1); end", "writes before an update"},
        {"before delete on pets begin select raise(fail, 'not this one'); end",
         "action of a foreign key with RAISE(FAIL)"},
    };
    run(&source, "create table log(a); create table pets(owner references users(id) on delete"
                 " cascade); create table homes(owner references users(id) on delete restrict)");
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        bool before = i % 2 == 0;
        char sql[512];
        snprintf(sql, sizeof sql, "create trigger app %s", cases[i / 2].trigger);
        if (before) {
            run(&source, sql);
            expect_error(
                capture_install(&source, &users_table, &err), ERROR_SCHEMA, cases[i / 2].why);
            run(&source, "drop trigger app");
        }
        install();
        assert_int_equal(check(), CAPTURE_INTACT);
        run(&source, sql);
        struct source_shape shape = inspect();
        if (strstr(shape.why_scan, cases[i / 2].why) == NULL ||
            strstr(shape.why_scan, "trigger app ") == NULL || shape.capture != CAPTURE_INTERRUPTED)
            fail_msg("%s: \"%s\"", sql, shape.why_scan);
        run(&source, "drop trigger app");
        assert_string_equal(inspect().why_scan, "");
        expect_ok(capture_remove(&source, &users_table, &err));
    }
}

static void test_other_triggers_of_the_application_leave_capture_as_it_is(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "after update on users begin select raise(abort, 'no'); select raise(rollback, ''); end",
        "before insert on users begin select raise(ignore); insert into log values (1); end",
        "before update on users begin select raise(fail, 'raise(ignore)'); end",
        "before delete on users begin insert into log values (raise(ignore)); end",
        "after insert on users when new.v = 'raise(fail)' begin select \"raise\"('fail'); end",
        "after insert on users begin select replace(new.v, 'a', 'b'); end -- raise(fail)",
        "after insert on log begin select raise(ignore); insert into log values (1); end",
        "before insert on homes begin select raise(fail, 'no action leads here'); end",
    };
    run(&source, "create table log(a);"
                 "create table homes(owner references users(id) on delete restrict)");
    install();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[512];
        snprintf(sql, sizeof sql, "create trigger app %s", cases[i]);
        sqlite3_db_config(source.handle, SQLITE_DBCONFIG_DQS_DDL, 1, NULL);
        run(&source, sql);
        if (check() != CAPTURE_INTACT)
            fail_msg("%s: \"%s\"", cases[i], inspect().why_scan);
        run(&source, "drop trigger app");
    }
}

/* Of two triggers SQLite fires the newer one first, and one that writes may end the statement. */
static void test_capture_is_made_again_after_a_newer_trigger_that_writes(void **state)
{
    (void)state;
    run(&source, "create table log(a unique); create trigger app_early after update on users"
                 " begin insert into log values (new.v); end");
    install();
    assert_int_equal(check(), CAPTURE_INTACT);
    run(&source, "create trigger app_late after update on users begin insert into log"
                 " values (-new.v); end");
    assert_int_equal(check(), CAPTURE_INTERRUPTED);
    assert_string_equal(inspect().why_scan, "");

    install();
    assert_int_equal(check(), CAPTURE_INTACT);
    run(&source, "insert into log values (-77)");
    sqlite3_exec(source.handle, "update or fail users set v = 77 where id = 2", NULL, NULL, NULL);

    assert_int_equal(query_int(&source, "select v from users where id = 2"), 77);
    assert_non_null(strstr(dirty(), "2@"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        capture_test(test_shapes_are_told_apart),
        capture_test(test_what_sqlite_cannot_read_is_named_with_its_own_words),
        capture_test(test_what_cannot_be_captured_is_refused_in_words),
        capture_test(test_tables_that_triggers_would_not_fit_are_scanned_and_it_is_said_why),
        capture_test(test_tables_that_triggers_fit_are_not_scanned),
        capture_test(test_triggers_that_end_a_statement_behind_a_change_lead_to_a_scan),
        capture_test(test_other_triggers_of_the_application_leave_capture_as_it_is),
        capture_test(test_capture_is_made_again_after_a_newer_trigger_that_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
