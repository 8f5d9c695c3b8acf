/* Installing, checking and removing change capture. */
#include "support/prelude.h"

#include "captured_users.h"
#include "orders.h"
#include "support.h"
#include "support/intending.h"
#include "users_insert.h"

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

/* Names of indexes are longer than any message. */
static void test_two_indexes_whose_long_names_begin_alike_are_guarded_each(void **state)
{
    char sql[2000];

    (void)state;
    snprintf(
        sql, sizeof sql,
        "create unique index users_%0600d_1 on users(v); create unique index users_%0600d_2"
        " on users(v, email)",
        0, 0);
    run(&source, sql);
    install();

    run(&source, "insert or replace into users values (11, 'd', 2)");

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
    char before[1 << 15];
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
        run(&source, query_text(&source, sql));
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
        capture_test(test_two_indexes_whose_long_names_begin_alike_are_guarded_each),
        capture_test(test_other_connections_and_attached_databases_are_captured),
        capture_test(test_dropping_the_progress_does_not_touch_the_application),
        capture_test(test_installing_anew_takes_back_the_trust_in_the_progress),
        capture_test(test_removal_leaves_the_schema_as_it_was),
        capture_test(test_tables_no_longer_defined_lose_their_capture),
        capture_test(test_triggers_with_names_of_an_earlier_version_are_replaced_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
