/* Shapes are recalled as long as everything that they follow from is the same, and no longer. */
#include "support/prelude.h"

#include "source/shape_memory.h"
#include "support.h"
#include "users.h"

static struct folder folder;
static struct database source;
static struct tracking tracking;
static char path[256];

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "source.db"));
    expect_ok(database_open(path, DATABASE_CREATE, 2000, &source, &err));
    run(&source, "create table users(id integer primary key, email text unique, v);"
                 "create table orders(id integer primary key, user references users(id))");
    expect_ok(tracking_open(path, &tracking, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tracking_close(&tracking);
    database_close(&source);
    remove_folder(&folder);
    return 0;
}

static void renew(void)
{
    static const struct table *const tables[] = {&users_table};

    expect_ok(shape_memory_renew(&source, &tracking, tables, 1, &err));
}

static void install_and_renew(void)
{
    expect_ok(capture_install(&source, &users_table, &err));
    renew();
}

static bool recall_table(const struct table *table, struct source_shape *out_shape)
{
    struct shape_memory memory;
    bool found = false;

    expect_ok(shape_memory_open(&memory, &source, &tracking, &err));
    expect_ok(shape_memory_recall(&memory, table, &found, out_shape, &err));
    return found;
}

static bool recall(void)
{
    struct source_shape ignored;

    return recall_table(&users_table, &ignored);
}

static void test_a_shape_is_recalled_as_it_was_inspected(void **state)
{
    (void)state;
    struct source_shape inspected;
    struct source_shape recalled;
    assert_false(recall());
    install_and_renew();

    expect_ok(capture_inspect(&source, &users_table, &inspected, &err));
    assert_true(recall_table(&users_table, &recalled));

    assert_int_equal(recalled.capture, CAPTURE_INTACT);
    assert_true(recalled.exists);
    assert_true(recalled.integer_key);
    assert_int_equal(recalled.nullable_key, inspected.nullable_key);
    assert_int_equal(recalled.keeps_keys, inspected.keeps_keys);
    assert_string_equal(recalled.layout, inspected.layout);
    assert_string_equal(recalled.why_scan, "");
    assert_string_equal(recalled.key_problem, "");
}

static void test_a_table_without_capture_is_remembered_as_such(void **state)
{
    (void)state;
    struct source_shape recalled;
    renew();

    assert_true(recall_table(&users_table, &recalled));
    assert_int_equal(recalled.capture, CAPTURE_ABSENT);
    expect_ok(capture_install(&source, &users_table, &err));
    assert_false(recall());
}

/* Each line is done to a database whose shape is remembered. */
static const char *const changes[] = {
    "drop trigger bq_sync_update_users",
    "drop table bq_sync_dirty_users",
    "delete from bq_sync_capture",
    "drop table bq_sync_capture",
    "alter table users add column w",
    "create unique index more on users(v)",
    "create trigger mine after update on users begin delete from orders; end",
    "create trigger mine before insert on orders begin select raise(fail, 'no'); end",
    "create table notes(user references users(id) on delete cascade)",
    "alter table users rename to people",
};

static void test_whatever_changes_the_schema_is_noticed(void **state)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        install_and_renew();
        assert_true(recall());
        run(&source, changes[i]);
        if (recall())
            fail_msg("not noticed: %s", changes[i]);
        tear_down(state);
        set_up(state);
    }
}

static void test_a_schema_cookie_set_back_by_hand_deceives_nobody(void **state)
{
    (void)state;
    struct database other;
    char sql[128];
    install_and_renew();
    int64_t cookie = query_int(&source, "pragma schema_version");
    expect_ok(database_open(path, DATABASE_WRITE, 2000, &other, &err));

    snprintf(
        sql, sizeof sql, "drop trigger bq_sync_update_users; pragma schema_version = %lld",
        (long long)cookie);
    run(&other, sql);

    assert_int_equal(query_int(&source, "pragma schema_version"), cookie);
    assert_false(recall());
    database_close(&other);
}

static void test_an_edited_schema_is_noticed(void **state)
{
    (void)state;
    struct database other;
    install_and_renew();
    expect_ok(database_open(path, DATABASE_WRITE, 2000, &other, &err));

    run(&other, "pragma writable_schema = on; update sqlite_master set sql = replace(sql,"
                " 'bq_sync_sequence', 'bq_sync_key_1') where name = 'bq_sync_update_users'");

    assert_false(recall());
    database_close(&other);
}

static void test_another_definition_is_another_entry(void **state)
{
    (void)state;
    struct source_shape ignored;
    struct table other = users_table;
    install_and_renew();

    other.content_hash = "0123456789ab";

    assert_false(recall_table(&other, &ignored));
    assert_true(recall());
}

static void test_what_is_wrong_is_not_remembered(void **state)
{
    (void)state;
    install_and_renew();
    run(&source, "drop trigger bq_sync_update_users");
    renew();
    assert_false(recall());
    run(&source, "create trigger mine after update on users begin select raise(ignore); end");
    renew();
    assert_false(recall());
    run(&source, "drop table users; create view users as select 1 as id, 2 as email, 3 as v");
    renew();
    assert_false(recall());
}

static void test_what_is_known_is_not_written_again(void **state)
{
    (void)state;
    struct database other;
    install_and_renew();
    expect_ok(database_open(path, DATABASE_READ, 2000, &other, &err));
    int64_t version = query_int(&other, "pragma data_version");

    renew();
    assert_int_equal(query_int(&other, "pragma data_version"), version);

    database_close(&other);
}

static void test_tables_that_scans_make_do_not_matter(void **state)
{
    (void)state;
    install_and_renew();
    run(&source, "create table bq_sync_pending_users(a);"
                 "alter table bq_sync_pending_users rename to bq_sync_shadow_users");
    assert_true(recall());
}

#define memory_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(test_a_shape_is_recalled_as_it_was_inspected),
        memory_test(test_a_table_without_capture_is_remembered_as_such),
        memory_test(test_whatever_changes_the_schema_is_noticed),
        memory_test(test_a_schema_cookie_set_back_by_hand_deceives_nobody),
        memory_test(test_an_edited_schema_is_noticed),
        memory_test(test_another_definition_is_another_entry),
        memory_test(test_what_is_wrong_is_not_remembered),
        memory_test(test_what_is_known_is_not_written_again),
        memory_test(test_tables_that_scans_make_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
