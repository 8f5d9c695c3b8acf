/* What is sent for a table, how, and why; and how later findings revise that. */
#include "scene.h"

#include "source/capture.h"
#include "sync/pass/plan.h"

#include <string.h>

static void expect_plan(const struct task *task, enum send_mode mode, const char *why)
{
    assert_string_equal(send_mode_name(task->plan.mode), send_mode_name(mode));
    assert_string_equal(task->plan.why == NULL ? "" : task->plan.why, why == NULL ? "" : why);
}

static struct task *plan_one(struct scene *scene, const char *table)
{
    scene_pass(scene, table, NULL);
    scene_plan(scene);
    return &scene->tasks[0];
}

static void test_a_table_is_replaced_first_and_left_alone_afterwards(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into accounts values (1, 'a@x', 1, 'one')");
    struct task *task = plan_one(scene, "accounts");
    expect_plan(task, SEND_REPLACE, "never synced; what the table in BigQuery holds is replaced");
    assert_true(task->plan.inspect_target);
    assert_true(task->plan.capture.broken);
    assert_false(task->plan.staged);

    scene_sync(scene, "accounts");
    task = plan_one(scene, "accounts");
    expect_plan(task, SEND_NOTHING, NULL);
    assert_false(task_has_work(task));
}

/* With another value after an upgrade each table would be sent again. */
static void test_the_layout_that_earlier_versions_have_noted_is_the_same(void **state)
{
    struct scene *scene = *state;

    const struct task *task = plan_one(scene, "accounts");
    const char *layout = task->plan.content_hash + strlen(task->table->content_hash);
    assert_string_equal(layout, ".4f620c5ecf31d2932ccc9c4b");
}

/* The shorter layout is recorded again, and nothing is sent for it. */
static void test_a_layout_of_which_less_was_noted_is_trusted_as_far_as_it_goes(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "accounts");
    scene_run(
        scene, "update bq_sync_tracking set content_hash = substr(content_hash, 1,"
               " length(content_hash) - 16)");
    struct task *task = plan_one(scene, "accounts");
    expect_plan(task, SEND_NOTHING, NULL);
    assert_true(task->plan.only_state);
    scene_sync(scene, "accounts");
    task = plan_one(scene, "accounts");
    assert_false(task->plan.only_state);
    assert_string_equal(task->source.watermark.content_hash, task->plan.content_hash);

    scene_run(
        scene, "update bq_sync_tracking set content_hash = substr(content_hash, 1,"
               " length(content_hash) - 17) || 'x'");
    expect_plan(
        plan_one(scene, "accounts"), SEND_REPLACE,
        "columns were renamed, moved or made again in SQLite");
}

static void test_a_table_that_must_not_have_rejects_is_left_alone_without_changes(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into invoices values (1, 1)");
    scene_sync(scene, "invoices");
    struct task *task = plan_one(scene, "invoices");

    expect_plan(task, SEND_NOTHING, NULL);
    assert_false(task_has_work(task));
}

static void test_rejects_on_record_are_read_again_once_the_definition_says_fail(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into accounts values (1, 'a@x', 'much', null)");
    scene_sync(scene, "accounts");
    struct task *task = plan_one(scene, "accounts");
    expect_plan(task, SEND_NOTHING, NULL);

    struct table fails = *task->table;
    fails.reject_fails = true;
    scene_pass(scene, "accounts", NULL);
    scene->tasks[0].table = &fails;
    scene_plan(scene);
    expect_plan(&scene->tasks[0], SEND_MERGE, NULL);
}

static void test_changes_are_merged_or_appended_as_declared(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "accounts");
    scene_sync(scene, "events");
    scene_sync(scene, "settings");
    scene_run(
        scene, "insert into accounts values (1, 'a@x', 1, 'one');"
               "insert into events(kind) values ('k'); insert into settings values ('k', 'v')");

    struct task *task = plan_one(scene, "accounts");
    expect_plan(task, SEND_MERGE, NULL);
    assert_true(task->plan.staged);
    assert_false(task->plan.inspect_target);
    task = plan_one(scene, "events");
    expect_plan(task, SEND_APPEND, NULL);
    assert_false(task->plan.staged);
    assert_true(task->plan.inspect_target);
    expect_plan(plan_one(scene, "settings"), SEND_REPLACE, "mode replace");
}

static void test_an_append_is_a_merge_where_a_load_into_the_target_will_not_do(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "events");
    scene_run(scene, "insert into events(kind) values ('k')");

    scene_pass(scene, "events", NULL);
    scene->tasks[0].warehouse.near_quota = true;
    scene_plan(scene);
    expect_plan(&scene->tasks[0], SEND_MERGE, NULL);

    scene->config.sync_atomic = true;
    expect_plan(plan_one(scene, "events"), SEND_MERGE, NULL);
}

/* A load job would drop the rows of the target that the source does not have. */
static void test_a_replacement_that_keeps_rows_is_staged_unless_its_target_is_new(void **state)
{
    struct scene *scene = *state;

    for (int exists = 0; exists <= 1; exists++) {
        scene_pass(scene, "accounts", NULL);
        struct task *task = &scene->tasks[0];
        struct table kept = *task->table;
        kept.deletes = DELETES_KEEP;
        task->table = &kept;
        task->warehouse.exists = exists;
        scene_plan(scene);
        expect_plan(
            task, SEND_REPLACE,
            exists ? "never synced; rows that only BigQuery has stay" : "never synced");
        assert_int_equal(task->plan.staged, exists);

        // Somebody has created it since it was listed.
        plan_revise(task, PLAN_FOUND_TARGET);
        assert_true(task->plan.staged);
    }
}

static void test_new_rows_are_merged_where_the_target_keeps_deleted_rows(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "events");
    scene_run(scene, "insert into events(kind) values ('k')");
    scene_pass(scene, "events", NULL);
    struct table kept = *scene->tasks[0].table;
    kept.deletes = DELETES_KEEP;
    kept.add_sql = NULL;
    scene->tasks[0].table = &kept;
    scene_plan(scene);

    expect_plan(&scene->tasks[0], SEND_MERGE, NULL);
    assert_false(batch_only_adds(&scene->tasks[0].batch, &kept));
}

static void test_everything_is_staged_in_a_transaction(void **state)
{
    struct scene *scene = *state;

    scene->config.sync_atomic = true;
    struct task *task = plan_one(scene, "accounts");
    expect_plan(task, SEND_REPLACE, "never synced; what the table in BigQuery holds is replaced");
    assert_true(task->plan.staged);
}

static void test_what_was_sent_is_not_trusted_when_it_may_be_something_else(void **state)
{
    struct scene *scene = *state;
    struct task *task = NULL;

    scene_sync(scene, "accounts");

    scene_pass(scene, "accounts", NULL);
    scene->tasks[0].warehouse.exists = false;
    scene_plan(scene);
    expect_plan(&scene->tasks[0], SEND_REPLACE, "no such table in BigQuery");

    scene_pass(scene, "accounts", NULL);
    scene->tasks[0].warehouse.label.generation = 0;
    scene_plan(scene);
    expect_plan(&scene->tasks[0], SEND_REPLACE, "the table in BigQuery was made by somebody else");

    scene_pass(scene, "accounts", NULL);
    scene->tasks[0].warehouse.label.generation++;
    scene_plan(scene);
    expect_plan(
        &scene->tasks[0], SEND_REPLACE,
        "BigQuery is ahead of this database: restored from a backup?");

    scene_pass(scene, "accounts", NULL);
    scene_run(scene, "update bq_sync_generations set generation = generation + 1");
    scene_plan(scene);
    expect_plan(
        &scene->tasks[0], SEND_REPLACE,
        "BigQuery is behind this database: was an older version of the table restored there?");
    scene_run(scene, "update bq_sync_generations set generation = generation - 1");

    scene->config.dataset = "other";
    expect_plan(
        plan_one(scene, "accounts"), SEND_REPLACE,
        "another target than before; two programs with one state need a BQ_STATE_PATH each");
    scene->config.dataset = "d";

    scene_run(scene, "drop trigger bq_sync_update_accounts");
    task = plan_one(scene, "accounts");
    expect_plan(task, SEND_REPLACE, "change capture was interrupted");
    assert_true(task->plan.capture.broken);
}

static void test_a_full_sync_says_so(void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene_sync(scene, "accounts");
    scene_pass(scene, "accounts", NULL);
    expect_ok(
        plan_table(&scene->config, &scene->source, &scene->tracking, &scene->tasks[0], true, &err));
    expect_plan(&scene->tasks[0], SEND_REPLACE, "full sync");
}

static void test_a_target_is_inspected_after_a_failure_or_a_change_of_shape(void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene_sync(scene, "accounts");
    scene_run(scene, "insert into accounts values (1, 'a@x', 1, 'one')");
    assert_false(plan_one(scene, "accounts")->plan.inspect_target);

    scene_pass(scene, "accounts", NULL);
    memcpy(scene->tasks[0].warehouse.label_shape, "older", 6);
    scene_plan(scene);
    assert_true(scene->tasks[0].plan.inspect_target);

    expect_ok(tracking_note(&scene->tracking, "accounts", "refused", &err));
    assert_true(plan_one(scene, "accounts")->plan.inspect_target);
}

static void test_most_of_a_large_table_changed_is_a_replacement(void **state)
{
    struct scene *scene = *state;

    scene_run(
        scene, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000)"
               " insert into accounts select i, i || '@x', i, '' from n");
    scene_sync(scene, "accounts");

    scene_run(scene, "update accounts set note = 'x' where id <= 6000");
    expect_plan(plan_one(scene, "accounts"), SEND_MERGE, NULL);
    scene_run(scene, "update accounts set note = 'x' where id <= 6001");
    expect_plan(plan_one(scene, "accounts"), SEND_REPLACE, "most rows changed");
}

static void test_a_source_that_lacks_columns_is_named(void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene_sync(scene, "accounts");
    scene_run(scene, "alter table accounts drop column note");
    scene_pass(scene, "accounts", NULL);
    expect_error(
        plan_table(&scene->config, &scene->source, &scene->tracking, &scene->tasks[0], false, &err),
        ERROR_SCHEMA, "lacks the column note");
}

/* A table of mode replace whose rows nothing lists: all of them by a scan, those with NULL in their
 * key beside triggers. */
static void expect_compared(struct scene *scene)
{
    scene_run(scene, "insert into settings values (null, 'x'), (null, 'x'), ('k', 'v')");
    scene_sync(scene, "settings");
    expect_plan(plan_one(scene, "settings"), SEND_NOTHING, NULL);
    scene_run(scene, "delete from settings where rowid = 1");
    expect_plan(plan_one(scene, "settings"), SEND_REPLACE, "mode replace");
    scene_sync(scene, "settings");
    expect_plan(plan_one(scene, "settings"), SEND_NOTHING, NULL);
    scene_run(scene, "delete from settings where name is null");
    expect_plan(plan_one(scene, "settings"), SEND_REPLACE, "mode replace");
    scene_sync(scene, "settings");
    expect_plan(plan_one(scene, "settings"), SEND_NOTHING, NULL);
}

static void test_rows_without_a_key_are_compared_beside_triggers(void **state)
{
    struct scene *scene = *state;

    expect_compared(scene);
    assert_int_equal(scene->tasks[0].plan.capture.by, CAPTURE_TRIGGERS);
    assert_string_equal(
        scene_state(
            scene, "select fingerprint from bq_sync_tracking where table_name = 'settings'"),
        "");
}

static void test_a_scan_compares_all_rows_of_a_replaced_table(void **state)
{
    struct scene *scene = *state;

    expect_compared(scene);
    assert_int_equal(scene->tasks[0].plan.capture.by, CAPTURE_SCAN);
    assert_false(scene->tasks[0].plan.only_if_changed);
}

static void test_a_scan_is_sure_of_nothing_before_it_has_read(void **state)
{
    struct scene *scene = *state;

    struct task *task = plan_one(scene, "accounts");
    assert_int_equal(task->plan.capture.by, CAPTURE_SCAN);
    expect_plan(task, SEND_REPLACE, "never synced; what the table in BigQuery holds is replaced");
    assert_false(task->plan.only_if_changed);

    scene_sync(scene, "accounts");
    task = plan_one(scene, "accounts");
    expect_plan(task, SEND_MERGE, NULL);
    assert_true(task->plan.only_if_changed);
    plan_revise(task, PLAN_FOUND_NO_ROWS);
    assert_false(task_has_work(task));
}

static void test_changes_found_in_another_way_before_are_not_trusted(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "accounts");
    scene->config.capture_manual = true;
    scene_run(scene, "drop trigger bq_sync_update_accounts");
    expect_plan(
        plan_one(scene, "accounts"), SEND_REPLACE, "changes were found in another way before");
}

static void test_triggers_cannot_be_asked_for_where_nothing_may_be_written(void **state)
{
    struct scene *scene = *state;
    struct table table = *plan_one(scene, "accounts")->table;
    struct plan_capture capture;
    struct error err;

    table.capture = CAPTURE_TRIGGERS;
    expect_error(
        plan_capture(&scene->config, &table, &scene->tasks[0].source.shape, &capture, &err),
        ERROR_SCHEMA, "asks for capture by triggers");
}

/* The plan of a scan, and a file that was read for it. */
static struct task *after_reading(struct scene *scene, const char *table, enum send_mode mode)
{
    struct task *task = plan_one(scene, table);

    task->batch.complete = true;
    task->batch.mode = mode;
    task->batch.rows = 1;
    return task;
}

static void test_a_finding_that_asks_for_another_file_discards_the_one_that_was_read(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "accounts");
    scene_sync(scene, "events");

    struct task *task = after_reading(scene, "events", SEND_APPEND);
    assert_true(plan_revise(task, PLAN_FOUND_CHANGED_ROWS));
    expect_plan(task, SEND_MERGE, NULL);
    assert_true(task->plan.staged);
    assert_true(task->plan.only_if_changed);
    assert_false(task->batch.complete);

    task = after_reading(scene, "accounts", SEND_MERGE);
    assert_true(plan_revise(task, PLAN_FOUND_NEW_COLUMNS));
    expect_plan(task, SEND_REPLACE, "columns were missing in BigQuery");
    assert_true(task->plan.inspect_target);
    assert_false(task->batch.complete);

    task = after_reading(scene, "accounts", SEND_MERGE);
    assert_true(plan_revise(task, PLAN_FOUND_MOST_CHANGED));
    expect_plan(task, SEND_REPLACE, "most rows changed");
    assert_false(task->batch.complete);
}

static void test_a_finding_that_changes_nothing_keeps_the_file(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "accounts");
    struct task *task = after_reading(scene, "accounts", SEND_MERGE);
    assert_false(plan_revise(task, PLAN_FOUND_CHANGED_ROWS));
    assert_false(plan_revise(task, PLAN_FOUND_ROWS));
    assert_false(task->plan.only_if_changed);
    assert_true(task->batch.complete);

    plan_revise(task, PLAN_FOUND_NEW_COLUMNS);
    task->batch.complete = true;
    assert_false(plan_revise(task, PLAN_FOUND_NEW_COLUMNS));
    assert_false(plan_revise(task, PLAN_FOUND_MOST_CHANGED));
    assert_true(task->batch.complete);
}

static void test_a_scan_without_rows_has_to_record_that_rejects_are_gone(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "accounts");
    struct task *task = plan_one(scene, "accounts");
    task->outcome->rows_rejected_before = 1;
    plan_revise(task, PLAN_FOUND_NO_ROWS);
    assert_int_equal(task->plan.mode, SEND_NOTHING);
    assert_true(task_has_work(task));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_the_layout_that_earlier_versions_have_noted_is_the_same),
        SCENE_TEST(test_a_table_is_replaced_first_and_left_alone_afterwards),
        SCENE_TEST(test_a_layout_of_which_less_was_noted_is_trusted_as_far_as_it_goes),
        SCENE_TEST(test_a_table_that_must_not_have_rejects_is_left_alone_without_changes),
        SCENE_TEST(test_rejects_on_record_are_read_again_once_the_definition_says_fail),
        SCENE_TEST(test_changes_are_merged_or_appended_as_declared),
        SCENE_TEST(test_an_append_is_a_merge_where_a_load_into_the_target_will_not_do),
        SCENE_TEST(test_a_replacement_that_keeps_rows_is_staged_unless_its_target_is_new),
        SCENE_TEST(test_new_rows_are_merged_where_the_target_keeps_deleted_rows),
        SCENE_TEST(test_everything_is_staged_in_a_transaction),
        SCENE_TEST(test_what_was_sent_is_not_trusted_when_it_may_be_something_else),
        SCENE_TEST(test_a_full_sync_says_so),
        SCENE_TEST(test_a_target_is_inspected_after_a_failure_or_a_change_of_shape),
        SCENE_TEST(test_most_of_a_large_table_changed_is_a_replacement),
        SCENE_TEST(test_a_source_that_lacks_columns_is_named),
        SCENE_TEST(test_rows_without_a_key_are_compared_beside_triggers),
        APART_TEST(test_a_scan_compares_all_rows_of_a_replaced_table),
        APART_TEST(test_a_scan_is_sure_of_nothing_before_it_has_read),
        SCENE_TEST(test_changes_found_in_another_way_before_are_not_trusted),
        APART_TEST(test_triggers_cannot_be_asked_for_where_nothing_may_be_written),
        APART_TEST(test_a_finding_that_asks_for_another_file_discards_the_one_that_was_read),
        APART_TEST(test_a_finding_that_changes_nothing_keeps_the_file),
        APART_TEST(test_a_scan_without_rows_has_to_record_that_rejects_are_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
