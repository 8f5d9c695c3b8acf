/* Rows that a pass cannot send, or has to leave in the target: what is recorded, kept and told of
 * them. */
#include "scene.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char three_accounts[] = "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', "
                                     "2, 'two'), (3, 'c@x', 3, 'three')";

static struct task *ready(struct scene *scene, const char *table)
{
    scene_pass(scene, table, NULL);
    scene->outcomes[0].rows_rejected_before = strtoll(
        scene_state(scene, "select count(distinct key_json) from bq_sync_rejects"), NULL, 10);
    scene_plan(scene);
    scene_read(scene);
    scene_requests(scene);
    return &scene->tasks[0];
}

static const char *rejects(struct scene *scene)
{
    return scene_state(
        scene, "select group_concat(key_json || ' ' || column_name || ' ' || storage_class || ': '"
               " || reason, '; ') from (select * from bq_sync_rejects order by 1, 2, 3)");
}

static void test_each_value_that_does_not_fit_is_on_record(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_run(scene, "update accounts set balance = 'much', note = x'ff' where id = 2");
    scene_sync(scene, "accounts");

    assert_int_equal(scene->outcomes[0].rows_inserted, 2);
    assert_int_equal(scene->outcomes[0].rows_rejected, 1);
    assert_string_equal(
        rejects(scene),
        "{\"id\":2} balance text: is not a number; {\"id\":2} note blob: is a blob, not a text");
    scene_run(scene, "update accounts set balance = 2, note = 'two' where id = 2");
    scene_sync(scene, "accounts");
    assert_string_equal(rejects(scene), "");
}

static void test_a_row_that_fails_its_table_is_named(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into invoices values (1, 1), (7, 'much')");
    const struct error *err = &ready(scene, "invoices")->outcome->error;
    assert_string_equal(
        err->message, "invoices.total: text value is not a number. Fix the row, or let `on_reject` "
                      "be \"reject\"");
    assert_string_equal(err->row, "the row with id = 7");
}

/* BigQuery takes no row of more than 16 MB. */
static void test_a_row_that_is_too_long_is_rejected_for_its_longest_value(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_run(scene, "update accounts set note = hex(zeroblob(8500000)) where id = 2");
    scene_sync(scene, "accounts");

    assert_int_equal(scene->outcomes[0].rows_inserted, 2);
    assert_string_equal(
        rejects(scene),
        "{\"id\":2} note text: makes the row larger than the 16 MB that BigQuery takes");
}

/* What BigQuery holds of a row that does not fit any more stays, also when all rows are sent. */
static void test_a_replacement_leaves_the_last_version_of_a_rejected_row(void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, "update accounts set balance = 'much' where id = 2");
    scene_sync(scene, "accounts");
    expect_ok(tracking_invalidate(&scene->tracking, "accounts", &err));
    struct task *task = ready(scene, "accounts");
    assert_int_equal(task->batch.mode, SEND_REPLACE);
    scene_commit(scene);

    assert_string_equal(
        scene_requests(scene), "1 patch accounts\n1 insert staging\n1 upload load\n"
                               "1 query replace\n0 delete staging\n");
    assert_int_equal(task->outcome->rows_inserted, 2);
    assert_non_null(strstr(scene->last_sql, "having countif(not `_bqsync_deleted`) = 0"));
}

/* Tombstones have no values beside their key. */
static void test_a_file_for_a_staging_table_takes_null_in_required_columns(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(
        scene, "update accounts set note = hex(zeroblob(600000)) where id = 2;"
               "delete from accounts where id = 1");
    ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "upload load", .reply = {.status = 403, .body = "{}"}});
    scene_commit(scene);

    assert_non_null(strstr(scene->last_body, "{\"name\":\"email\",\"type\":[\"null\",\"string\"]"));
}

static void test_a_scan_that_finds_only_what_it_rejected_before_writes_nothing(void **state)
{
    struct scene *scene = *state;
    char before[40];

    scene_run(scene, three_accounts);
    scene_run(scene, "update accounts set balance = 'much' where id = 2");
    scene_sync(scene, "accounts");
    snprintf(
        before, sizeof before, "%s",
        scene_state(scene, "select last_synced_at from bq_sync_tracking"));
    scene->clock.ms += 60000;
    ready(scene, "accounts");
    scene_commit(scene);

    assert_int_equal(scene->outcomes[0].status, TABLE_UNCHANGED);
    assert_string_equal(scene_requests(scene), "");
    assert_string_equal(scene_state(scene, "select last_synced_at from bq_sync_tracking"), before);
    assert_non_null(strstr(rejects(scene), "balance text"));
}

static void test_nothing_is_sent_if_rejects_cannot_be_recorded(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_run(
        scene, "update accounts set balance = 'much' where id = 2;"
               "create trigger refuse before insert on bq_sync_rejects"
               " begin select raise(abort, 'no luck'); end");
    ready(scene, "accounts");
    scene_commit(scene);

    assert_true(task_failed(&scene->tasks[0]));
    assert_non_null(strstr(scene->outcomes[0].error.message, "no luck"));
    assert_string_equal(scene_requests(scene), "");
}

/* The last of the tests: it stops the program for good. */
static void test_a_scan_that_is_stopped_fails_its_table(void **state)
{
    struct scene *scene = *state;

    scene_run(
        scene, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9000)"
               " insert into accounts select i, i || '@x', 1, null from n");
    scene_sync(scene, "accounts");
    scene_run(scene, "update accounts set note = 'x' where id = 1");
    scene_pass(scene, "accounts", NULL);
    scene_plan(scene);
    clock_stop();
    scene_read(scene);

    assert_true(task_failed(&scene->tasks[0]));
    assert_int_equal(scene->outcomes[0].error.code, ERROR_STOPPED);
    assert_string_equal(scene->outcomes[0].error.message, "stopped while reading accounts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_each_value_that_does_not_fit_is_on_record),
        APART_TEST(test_each_value_that_does_not_fit_is_on_record),
        SCENE_TEST(test_a_row_that_fails_its_table_is_named),
        SCENE_TEST(test_a_row_that_is_too_long_is_rejected_for_its_longest_value),
        SCENE_TEST(test_a_replacement_leaves_the_last_version_of_a_rejected_row),
        APART_TEST(test_a_replacement_leaves_the_last_version_of_a_rejected_row),
        SCENE_TEST(test_a_file_for_a_staging_table_takes_null_in_required_columns),
        APART_TEST(test_a_scan_that_finds_only_what_it_rejected_before_writes_nothing),
        SCENE_TEST(test_nothing_is_sent_if_rejects_cannot_be_recorded),
        APART_TEST(test_a_scan_that_is_stopped_fails_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
