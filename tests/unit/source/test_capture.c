/* Installing, checking, sealing and removing change capture. */
#include "support/prelude.h"

#include "orders.h"
#include "support.h"
#include "support/intending.h"
#include "users.h"
#include "users_insert.h"

static struct folder folder;
static struct database source;
static char path[256];

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "source.db"));
    expect_ok(database_open(path, DATABASE_CREATE, 2000, &source, &err));
    run(&source, "pragma journal_mode = wal;"
                 "create table users(id integer primary key, email text unique, v);"
                 "insert into users values (1, 'a', 1), (2, 'b', 2), (10, 'c', 3)");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&source);
    remove_folder(&folder);
    return 0;
}

static void install(void)
{
    expect_ok(capture_install(&source, &users_table, &err));
}

static struct source_shape inspect(void)
{
    struct source_shape shape;

    expect_ok(capture_inspect(&source, &users_table, &shape, &err));
    return shape;
}

static enum capture_state check(void)
{
    return inspect().capture;
}

static struct position seal(bool write)
{
    struct source_shape shape = inspect();
    struct snapshot_table in = {.table = &users_table, .shape = &shape};

    expect_ok(
        write ? capture_seal(&source, &in, 1, &err) : capture_snapshot(&source, &in, 1, &err));
    return in.position;
}

static struct position seal_and_release(void)
{
    struct position position = seal(true);

    database_rollback(&source);
    return position;
}

static const char *dirty(void)
{
    return query_text(
        &source, "select group_concat(bq_sync_key_1 || '@' || bq_sync_sequence, ' ') from"
                 " (select * from bq_sync_dirty_users order by 1)");
}

static int compare_bytes(void *context, int a_size, const void *a, int b_size, const void *b)
{
    (void)context;
    int order = memcmp(a, b, (size_t)(a_size < b_size ? a_size : b_size));

    return order != 0 ? order : a_size - b_size;
}

static void test_it_is_absent_then_intact_and_installing_twice_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(check(), CAPTURE_ABSENT);

    install();
    assert_int_equal(check(), CAPTURE_INTACT);
    int64_t version = query_int(&source, "pragma schema_version");
    install();

    assert_int_equal(check(), CAPTURE_INTACT);
    assert_int_equal(query_int(&source, "pragma schema_version"), version);
}

static void test_any_alteration_is_noticed_and_repaired(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        const char *sql;
    } cases[] = {
        {"a trigger dropped", "drop trigger bq_sync_delete_users"},
        {"a guard dropped", "drop trigger bq_sync_replace_1_insert_users"},
        {"a trigger that does less", "drop trigger bq_sync_delete_users; create trigger "
                                     "bq_sync_delete_users after delete on users"
                                     " begin select 1; end"},
        {"a trigger as an earlier version made it",
         "drop trigger bq_sync_delete_users; create trigger bq_sync_delete_users after delete on"
         " users when not exists (select 1 from bq_sync_dirty_users where bq_sync_key_1 = +old.id"
         " and bq_sync_sequence = coalesce((select sequence from bq_sync_capture where table_name ="
         " 'users'), 0)) begin delete from bq_sync_dirty_users where bq_sync_key_1 = +old.id;"
         " insert into bq_sync_dirty_users values (old.id, coalesce((select sequence from"
         " bq_sync_capture where table_name = 'users'), 0)); end"},
        {"a trigger of a newer version",
         "create trigger bq_sync_later_users after delete on users begin select 1; end"},
        {"the dirty set dropped", "drop table bq_sync_dirty_users"},
        {"a dirty set as an earlier version made it",
         "drop table bq_sync_dirty_users; create table bq_sync_dirty_users(bq_sync_key_1,"
         " bq_sync_sequence integer not null, primary key (bq_sync_key_1)) without rowid"},
        {"another dirty set",
         "drop table bq_sync_dirty_users; create table bq_sync_dirty_users(a, b)"},
        {"the counters dropped", "drop table bq_sync_capture"},
        {"the counter deleted", "delete from bq_sync_capture"},
        {"the table made anew",
         "create table n(id integer primary key, email text unique, v); insert into n select * from"
         " users; drop table users; alter table n rename to users"},
        {"another unique index", "create unique index users_v on users(v)"},
        {"the table renamed and another in its place",
         "alter table users rename to old; create table users(id integer primary key,"
         " email text unique, v)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        install();
        run(&source, cases[i].sql);
        if (check() != CAPTURE_INTERRUPTED)
            fail_msg("%s was not noticed", cases[i].label);

        install();
        if (check() != CAPTURE_INTACT)
            fail_msg("%s was not repaired", cases[i].label);
        run(&source, "insert or replace into users values (1, 'mended', 1); delete from users"
                     " where id = 1");
        assert_non_null(strstr(dirty(), "1@"));
        run(&source, "drop table if exists old");
    }
}

static void test_without_its_counter_statements_end_as_always_and_it_is_noticed(void **state)
{
    (void)state;
    install();

    run(&source, "delete from bq_sync_capture");
    run(&source, "update users set v = 8; update users set id = 11 where id = 10;"
                 " insert or replace into users values (1, 'other', 0); delete from users");

    assert_string_equal(dirty(), "");
    assert_int_equal(check(), CAPTURE_INTERRUPTED);
}

static void test_a_table_renamed_and_back_is_intact(void **state)
{
    (void)state;
    run(&source, "create unique index users_live on users(email) where v is not null");
    install();

    run(&source, "alter table users rename to other");
    assert_int_equal(check(), CAPTURE_INTERRUPTED);
    run(&source, "update other set v = 9 where id = 2");
    run(&source, "alter table other rename to users");

    assert_int_equal(check(), CAPTURE_INTACT);
    assert_string_equal(dirty(), "2@1");
}

static void test_vacuum_and_added_columns_leave_it_intact(void **state)
{
    (void)state;
    install();

    run(&source, "alter table users add column w; vacuum");

    assert_int_equal(check(), CAPTURE_INTACT);
    assert_string_equal(inspect().extra, "w");
}

static void test_other_connections_and_attached_databases_are_captured(void **state)
{
    (void)state;
    struct database other;
    install();
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &other, &err));
    char sql[512];
    snprintf(sql, sizeof sql, "attach '%s' as app; update app.users set v = 5 where id = 10", path);

    run(&other, sql);

    assert_string_equal(dirty(), "10@1");
    database_close(&other);
}

static void test_dropping_the_progress_does_not_touch_the_application(void **state)
{
    (void)state;
    struct tracking tracking;
    expect_ok(tracking_open(path, &tracking, &err));
    install();

    run(&source,
        "drop table bq_sync_tracking; drop table bq_sync_meta; drop table bq_sync_intents");
    run(&source, "update users set v = 7; insert or replace into users values (3, 'a', 0)");

    assert_string_equal(dirty(), "1@1 2@1 3@1 10@1");
    tracking_close(&tracking);
}

static void test_installing_anew_takes_back_the_trust_in_the_progress(void **state)
{
    (void)state;
    struct tracking tracking;
    struct watermark watermark;
    struct intent intent = {
        .table = "users",
        .mode = SEND_REPLACE,
        .generation = 1,
        .nonce = "1",
        .upper_sequence = 40,
        .upper_row_id = 99,
        .content_hash = "c",
    };
    expect_ok(tracking_open(path, &tracking, &err));
    intend_now(&tracking, &intent);
    assert_null(acknowledge_at(&tracking, &intent, 0));

    install();
    expect_ok(tracking_load(&tracking, "users", &watermark, &err));

    assert_string_equal(watermark.content_hash, "");
    // Ids up to the highest one synced are only found by capture, sequences up to the synced one
    // not.
    assert_int_equal(query_int(&source, "select watermark from bq_sync_capture"), 99);
    assert_true(query_int(&source, "select sequence from bq_sync_capture") > 40);
    tracking_close(&tracking);
}

static void test_removal_leaves_the_schema_as_it_was(void **state)
{
    (void)state;
    const char *schema_sql = "select group_concat(sql, ';') from sqlite_master order by 1";
    char before[1024];
    snprintf(before, sizeof before, "%s", query_text(&source, schema_sql));
    run(&source, "create table orders(id integer primary key, v)");
    install();
    expect_ok(capture_install(&source, &orders_table, &err));

    expect_ok(capture_remove(&source, &orders_table, &err));
    assert_int_equal(check(), CAPTURE_INTACT);
    expect_ok(capture_remove(&source, &users_table, &err));
    run(&source, "drop table orders");

    assert_string_equal(query_text(&source, schema_sql), before);
}

static void test_tables_no_longer_defined_lose_their_capture(void **state)
{
    (void)state;
    const struct table *left = &users_table;
    run(&source, "create table users_insert(id integer primary key, v unique)");
    install();
    expect_ok(capture_install(&source, &users_insert_table, &err));

    expect_ok(capture_remove_unknown(&source, &left, 1, &err));

    assert_int_equal(check(), CAPTURE_INTACT);
    assert_int_equal(
        query_int(
            &source, "select count(*) from sqlite_master where name like 'bq%users_insert_%'"),
        0);
    run(&source, "insert into users_insert values (1, 2)");
    expect_ok(capture_remove_unknown(&source, NULL, 0, &err));
    assert_int_equal(
        query_int(&source, "select count(*) from sqlite_master where name like 'bq_sync%'"), 0);
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

/* Earlier versions named triggers after their table first, so that those of two tables could have
 * one name. */
static void test_triggers_with_names_of_an_earlier_version_are_replaced_once(void **state)
{
    (void)state;
    run(&source, "create table users_insert(id integer primary key, v unique)");
    install();
    expect_ok(capture_install(&source, &users_insert_table, &err));
    static const char *const names[][2] = {
        {"bq_sync_insert_users", "bq_sync_users_insert"},
        {"bq_sync_replace_1_insert_users_insert", "bq_sync_users_insert_replace_1_insert"},
    };
    for (size_t i = 0; i < 2; i++) {
        char sql[4096];
        snprintf(
            sql, sizeof sql, "select replace(sql, '%s', '%s') from sqlite_master where name = '%s'",
            names[i][0], names[i][1], names[i][0]);
        snprintf(sql, sizeof sql, "%s", query_text(&source, sql));
        run(&source, sql);
        snprintf(sql, sizeof sql, "drop trigger %s", names[i][0]);
        run(&source, sql);
    }
    assert_int_equal(check(), CAPTURE_INTERRUPTED);

    install();
    expect_ok(capture_install(&source, &users_insert_table, &err));

    assert_int_equal(check(), CAPTURE_INTACT);
    struct source_shape shape;
    expect_ok(capture_inspect(&source, &users_insert_table, &shape, &err));
    assert_int_equal(shape.capture, CAPTURE_INTACT);
    assert_int_equal(
        query_int(
            &source, "select count(*) from sqlite_master where name in"
                     " ('bq_sync_users_insert', 'bq_sync_users_insert_replace_1_insert')"),
        0);
}

static void test_a_row_that_leaves_a_partial_index_s_way_is_listed(void **state)
{
    (void)state;
    run(&source, "create unique index users_v on users(v) where email <> 'gone'");
    run(&source, "insert into users values (11, 'gone', 1)");
    install();
    seal_and_release();

    run(&source, "update or replace users set email = 'back' where id = 11");

    assert_string_equal(
        query_text(&source, "select group_concat(id) from (select id from users order by 1)"),
        "2,10,11");
    assert_string_equal(dirty(), "1@2 11@2");
}

static void test_rows_above_the_watermark_are_not_listed(void **state)
{
    (void)state;
    install();
    seal_and_release();

    run(&source, "insert into users(email) values ('d'); update users set v = 1 where email = 'd';"
                 "insert into users values (5, 'e', 5)");

    assert_string_equal(dirty(), "5@2");
}

static void test_a_seal_divides_changes_by_sequence(void **state)
{
    (void)state;
    install();
    run(&source, "update users set v = 2 where id = 1");

    struct position first = seal_and_release();
    run(&source, "update users set v = 3 where id = 2");
    struct position second = seal_and_release();

    assert_string_equal(dirty(), "1@1 2@2");
    assert_int_equal(first.sequence, 1);
    assert_int_equal(first.row_id, 10);
    assert_int_equal(second.sequence, 2);
}

static void test_the_watermark_never_falls(void **state)
{
    (void)state;
    install();
    seal_and_release();
    run(&source, "delete from users where id = 10");
    expect_ok(capture_clean(&source, &users_table, 2, &err));

    struct position position = seal_and_release();
    run(&source, "insert into users values (10, 'again', 0)");

    assert_int_equal(position.row_id, 2);
    assert_string_equal(dirty(), "10@3");
}

static void test_looking_without_writing_changes_nothing(void **state)
{
    (void)state;
    install();
    int64_t version = query_int(&source, "pragma data_version");
    char before[64];
    snprintf(
        before, sizeof before, "%s", query_text(&source, "select sequence from bq_sync_capture"));

    struct position position = seal(false);
    database_rollback(&source);

    assert_int_equal(position.sequence, 1);
    assert_string_equal(query_text(&source, "select sequence from bq_sync_capture"), before);
    assert_int_equal(query_int(&source, "pragma data_version"), version);
}

static struct database intruder;
static int intrusions;

static int insert_once_more(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)context;
    (void)handle;
    (void)name;
    (void)pages;
    if (intrusions-- > 0)
        run(&intruder, "insert into users(email) values (hex(randomblob(8)))");
    return SQLITE_OK;
}

static void test_rows_that_slip_in_behind_a_seal_make_it_seal_again(void **state)
{
    (void)state;
    install();
    expect_ok(database_open(path, DATABASE_WRITE, 2000, &intruder, &err));
    intrusions = 1;
    sqlite3_wal_hook(source.handle, insert_once_more, NULL);

    struct position position = seal(true);

    assert_int_equal(position.sequence, 2);
    assert_int_equal(position.row_id, 11);
    assert_int_equal(query_int(&source, "select watermark from bq_sync_capture"), 1011);
    assert_int_equal(query_int(&source, "select sequence from bq_sync_capture"), 3);
    database_rollback(&source);
    database_close(&intruder);
}

static void test_the_snapshot_does_not_see_later_changes(void **state)
{
    (void)state;
    install();
    expect_ok(database_open(path, DATABASE_WRITE, 2000, &intruder, &err));

    seal(true);
    run(&intruder, "update users set v = 77");

    assert_int_equal(query_int(&source, "select count(*) from users where v = 77"), 0);
    database_rollback(&source);
    assert_int_equal(query_int(&source, "select count(*) from users where v = 77"), 3);
    database_close(&intruder);
}

static void test_the_highest_possible_id_does_not_overflow_the_watermark(void **state)
{
    (void)state;
    install();
    run(&source, "insert into users values (9223372036854775807, 'max', 0)");

    struct position position = seal_and_release();
    run(&source, "insert into users(email) values ('random id')");

    assert_true(position.row_id == INT64_MAX);
    assert_int_equal(query_int(&source, "select count(*) from bq_sync_dirty_users"), 1);
}

static void test_pending_rows_and_keys_are_counted(void **state)
{
    (void)state;
    struct watermark watermark = {.found = true, .last_synced_row_id = 10};
    struct source_shape shape = inspect();
    const struct source_table in = {&source, &users_table, &shape};
    struct pending pending;
    struct capture_look look;
    install();
    watermark.synced_sequence = seal_and_release().sequence;
    expect_ok(capture_look(&in, &watermark, &look, &err));
    assert_false(look.pending);

    run(&source, "insert into users(email) values ('d'), ('e'); update users set v = 0;"
                 "delete from users where id = 1");
    expect_ok(capture_pending(&in, &watermark, &pending, &err));
    expect_ok(capture_look(&in, &watermark, &look, &err));

    assert_int_equal(pending.new_rows, 2);
    assert_int_equal(pending.dirty_keys, 3);
    assert_true(look.pending);
    assert_int_equal(look.rejected_keys, 0);
}

static void test_a_look_tells_rejected_keys_from_changes(void **state)
{
    (void)state;
    struct watermark watermark = {.found = true, .last_synced_row_id = 10};
    struct source_shape shape = inspect();
    const struct source_table in = {&source, &users_table, &shape};
    struct capture_look look;
    install();
    watermark.synced_sequence = seal_and_release().sequence;
    run(&source, "insert into bq_sync_dirty_users values (1, 9223372036854775807),"
                 " (2, 9223372036854775807), (11, 9223372036854775807)");

    expect_ok(capture_look(&in, &watermark, &look, &err));

    assert_false(look.pending);
    assert_int_equal(look.rejected_keys, 2); // the third one is above the watermark
}

static void test_cleaning_deletes_what_was_acknowledged_and_no_more(void **state)
{
    (void)state;
    install();
    run(&source, "with recursive n(i) as (select 100 union all select i + 1 from n where i < 22000)"
                 " insert into bq_sync_dirty_users select i, 2 + (i % 3 = 0) from n");

    expect_ok(capture_clean(&source, &users_table, 2, &err));

    assert_int_equal(query_int(&source, "select count(*) from bq_sync_dirty_users"), 7300);
    assert_int_equal(
        query_int(&source, "select count(*) from bq_sync_dirty_users where bq_sync_sequence < 3"),
        0);
}

/* A guard costs the application one look into the index, also into a partial one. */
static void test_guards_use_the_unique_index(void **state)
{
    (void)state;
    run(&source, "create unique index users_live on users(email, v) where v > 0 -- live");
    install();
    run(&source, "with recursive n(i) as (select 100 union all select i + 1 from n where i < 20000)"
                 " insert into users select i, 'x' || i, i from n");
    sqlite3_stmt *statement = NULL;
    bool row;
    expect_ok(database_prepare(
        &source, "insert into users values (null, 'one more', 5)", &statement, &err));

    expect_ok(database_step(&source, statement, &row, &err));

    // Each step of a scan of the table counts, searches by an index do not.
    assert_int_equal(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0), 0);
    assert_int_equal(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_AUTOINDEX, 0), 0);
    assert_true(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0) < 500);
    sqlite3_finalize(statement);
}

/* --- connections of the application on which triggers cannot run --------------------------- */

/* What an application lets SQLite use: tables, up to NULL. */
static int allow(
    void *context, int action, const char *table, const char *detail, const char *schema,
    const char *trigger)
{
    const char *const *allowed = context;

    (void)detail;
    (void)schema;
    (void)trigger;
    if (action != SQLITE_READ && action != SQLITE_INSERT && action != SQLITE_UPDATE &&
        action != SQLITE_DELETE)
        return SQLITE_OK;
    while (*allowed != NULL && strcmp(*allowed, table) != 0)
        allowed++;
    return *allowed == NULL ? SQLITE_DENY : SQLITE_OK;
}

static const char own_update[] = "update users set v = 5 where id = 1";

/* Each is in the list of capture.md, with its way out. */
static void test_an_authorizer_has_to_allow_the_tables_of_capture(void **state)
{
    (void)state;
    static const char *const own[] = {"users", "sqlite_master", NULL};
    static const char *const ours[] = {
        "users", "sqlite_master", "bq_sync_capture", "bq_sync_dirty_users", NULL};
    sqlite3 *app = NULL;
    install();
    assert_int_equal(sqlite3_open(path, &app), SQLITE_OK);

    sqlite3_set_authorizer(app, allow, (void *)(uintptr_t)own);
    assert_int_equal(sqlite3_exec(app, own_update, NULL, NULL, NULL), SQLITE_AUTH);
    if (strstr(sqlite3_errmsg(app), "not authorized") == NULL &&
        strstr(sqlite3_errmsg(app), "is prohibited") == NULL)
        fail_msg("%s", sqlite3_errmsg(app));
    assert_string_equal(dirty(), "");

    sqlite3_set_authorizer(app, allow, (void *)(uintptr_t)ours);
    assert_int_equal(sqlite3_exec(app, own_update, NULL, NULL, NULL), SQLITE_OK);
    assert_non_null(strstr(dirty(), "1@"));

    sqlite3_set_authorizer(app, allow, (void *)(uintptr_t)own);
    expect_ok(capture_remove(&source, &users_table, &err));
    // A connection that has the triggers in mind learns by any statement that reads.
    assert_int_equal(sqlite3_exec(app, "select id from users", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(app, own_update, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(app);
}

static void test_where_no_trigger_may_run_writes_fail_until_capture_is_removed(void **state)
{
    (void)state;
    sqlite3 *app = NULL;
    install();
    assert_int_equal(sqlite3_open(path, &app), SQLITE_OK);
    sqlite3_limit(app, SQLITE_LIMIT_TRIGGER_DEPTH, 0);

    assert_int_equal(sqlite3_exec(app, own_update, NULL, NULL, NULL), SQLITE_ERROR);
    assert_string_equal(sqlite3_errmsg(app), "too many levels of trigger recursion");
    assert_int_equal(query_int(&source, "select v from users where id = 1"), 1);

    expect_ok(capture_remove(&source, &users_table, &err));
    assert_int_equal(sqlite3_exec(app, own_update, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(app);
}

#define capture_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        capture_test(test_it_is_absent_then_intact_and_installing_twice_changes_nothing),
        capture_test(test_any_alteration_is_noticed_and_repaired),
        capture_test(test_an_authorizer_has_to_allow_the_tables_of_capture),
        capture_test(test_where_no_trigger_may_run_writes_fail_until_capture_is_removed),
        capture_test(test_without_its_counter_statements_end_as_always_and_it_is_noticed),
        capture_test(test_a_table_renamed_and_back_is_intact),
        capture_test(test_vacuum_and_added_columns_leave_it_intact),
        capture_test(test_other_connections_and_attached_databases_are_captured),
        capture_test(test_dropping_the_progress_does_not_touch_the_application),
        capture_test(test_installing_anew_takes_back_the_trust_in_the_progress),
        capture_test(test_removal_leaves_the_schema_as_it_was),
        capture_test(test_tables_no_longer_defined_lose_their_capture),
        capture_test(test_shapes_are_told_apart),
        capture_test(test_what_cannot_be_captured_is_refused_in_words),
        capture_test(test_tables_that_triggers_would_not_fit_are_scanned_and_it_is_said_why),
        capture_test(test_tables_that_triggers_fit_are_not_scanned),
        capture_test(test_triggers_that_end_a_statement_behind_a_change_lead_to_a_scan),
        capture_test(test_other_triggers_of_the_application_leave_capture_as_it_is),
        capture_test(test_capture_is_made_again_after_a_newer_trigger_that_writes),
        capture_test(test_triggers_with_names_of_an_earlier_version_are_replaced_once),
        capture_test(test_a_row_that_leaves_a_partial_index_s_way_is_listed),
        capture_test(test_rows_above_the_watermark_are_not_listed),
        capture_test(test_a_seal_divides_changes_by_sequence),
        capture_test(test_the_watermark_never_falls),
        capture_test(test_looking_without_writing_changes_nothing),
        capture_test(test_rows_that_slip_in_behind_a_seal_make_it_seal_again),
        capture_test(test_the_snapshot_does_not_see_later_changes),
        capture_test(test_the_highest_possible_id_does_not_overflow_the_watermark),
        capture_test(test_pending_rows_and_keys_are_counted),
        capture_test(test_a_look_tells_rejected_keys_from_changes),
        capture_test(test_cleaning_deletes_what_was_acknowledged_and_no_more),
        capture_test(test_guards_use_the_unique_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
