/* Sealing change capture: what a pass lists, counts and cleans. */
#include "support/prelude.h"

#include "captured_users.h"
#include "orders.h"
#include "support/intending.h"

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
    assert_int_equal(first.sealed_sequence, 2);
    assert_int_equal(second.sequence, 2);
    assert_int_equal(second.sealed_sequence, 3);
}

static void test_a_seal_leaves_the_counters_of_other_tables(void **state)
{
    (void)state;
    run(&source, "create table orders(id integer primary key, v)");
    install();
    expect_ok(capture_install(&source, &orders_table, &err));

    seal_and_release();

    assert_string_equal(
        query_text(&source, "select group_concat(table_name || sequence) from bq_sync_capture"),
        "orders1,users2");
}

static int transactions;
static int most_deleted; /* in one of them */

static int count_deleted(void *context)
{
    static int before;
    int deleted = sqlite3_total_changes(context) - before;

    before += deleted;
    most_deleted = deleted > most_deleted ? deleted : most_deleted;
    transactions++;
    return 0;
}

static void test_many_keys_are_deleted_in_short_transactions(void **state)
{
    (void)state;
    install();
    run(&source, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9000)"
                 " insert into bq_sync_dirty_users select i, 1 + i % 2 from n");
    sqlite3_commit_hook(source.handle, count_deleted, source.handle);
    count_deleted(source.handle);
    transactions = 0;
    most_deleted = 0;

    expect_ok(capture_clean(&source, &users_table, 1, &err));

    assert_int_equal(query_int(&source, "select count(*) from bq_sync_dirty_users"), 4500);
    assert_int_equal(
        query_int(&source, "select min(bq_sync_sequence) from bq_sync_dirty_users"), 2);
    // The lock is never held for all of them.
    assert_true(transactions >= 3);
    assert_true(most_deleted <= 2000);
}

static void test_without_capture_nothing_is_pending(void **state)
{
    (void)state;
    const struct watermark watermark = {.found = true, .last_synced_row_id = 2};
    struct source_shape shape = inspect();
    const struct source_table in = {&source, &users_table, &shape};
    struct pending pending;
    sqlite3_stmt *statement = NULL;

    expect_ok(capture_pending(&in, &watermark, &pending, &err));
    expect_ok(capture_prepare_rejected(&in, &statement, &err));

    assert_int_equal(pending.new_rows, 1);
    assert_int_equal(pending.dirty_keys, 0);
    assert_int_equal(pending.rejected_keys, 0);
    assert_null(statement);
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
    int64_t before = query_int(&source, "select sequence from bq_sync_capture");

    struct position position = seal(false);
    database_rollback(&source);

    assert_int_equal(position.sequence, 1);
    assert_int_equal(position.sealed_sequence, 0);
    assert_int_equal(query_int(&source, "select sequence from bq_sync_capture"), before);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        capture_test(test_a_row_that_leaves_a_partial_index_s_way_is_listed),
        capture_test(test_rows_above_the_watermark_are_not_listed),
        capture_test(test_a_seal_divides_changes_by_sequence),
        capture_test(test_a_seal_leaves_the_counters_of_other_tables),
        capture_test(test_many_keys_are_deleted_in_short_transactions),
        capture_test(test_without_capture_nothing_is_pending),
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
