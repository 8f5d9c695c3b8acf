/* Tables whose targets keep or mark the rows that SQLite has deleted. */
#include "scene.h"

#include "sync/commit/transaction.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS "(id integer primary key, name text, doc, made_at integer);"
#define ROWS    "(id, name) values (1, 'a'), (2, 'b'), (3, 'c');"

static int setup(void **state)
{
    scene_setup(state);
    scene_run(
        *state, "create table kept" COLUMNS "insert into kept" ROWS "create table marked" COLUMNS
                "insert into marked" ROWS "create table kept_scanned" COLUMNS
                "insert into kept_scanned" ROWS);
    return 0;
}

/* Up to the file, and forgets what was asked for that. */
static struct task *ready(struct scene *scene, const char *table)
{
    scene_pass(scene, table, NULL);
    scene_plan(scene);
    scene_read(scene);
    scene_requests(scene);
    if (task_failed(&scene->tasks[0]))
        fail_msg("%s", scene->outcomes[0].error.message);
    return &scene->tasks[0];
}

static const char *synced_at(struct scene *scene)
{
    return scene_state(scene, "select last_synced_at from bq_sync_tracking");
}

/* Nothing is sent for it, and what was read is noted once. */
static void test_a_deletion_that_a_scan_finds_is_noted_once(void **state)
{
    struct scene *scene = *state;
    char before[40];

    scene_sync(scene, "kept_scanned");
    scene_run(scene, "delete from kept_scanned where id = 2");
    for (int pass = 0; pass < 2; pass++) {
        snprintf(before, sizeof before, "%s", synced_at(scene));
        scene->clock.ms += 60000;
        struct task *task = ready(scene, "kept_scanned");
        assert_int_equal(task->batch.left_out, pass == 0);
        scene_commit(scene);
        assert_string_equal(scene_requests(scene), "");
        assert_int_equal(scene->outcomes[0].status, TABLE_UNCHANGED);
        assert_int_equal(strcmp(before, synced_at(scene)) == 0, pass == 1);
    }
}

static void test_a_deletion_beside_other_changes_is_left_out(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "kept");
    scene_run(scene, "delete from kept where id = 2; update kept set name = 'x' where id = 3");
    ready(scene, "kept");
    scene_commit(scene);

    assert_string_equal(scene_sent_rows(scene), "3 x null null false\n");
}

/* When a row was deleted is not known better than by the snapshot. */
static void test_rows_are_marked_with_the_time_of_the_snapshot(void **state)
{
    struct scene *scene = *state;
    const struct transaction_snapshot snapshot = {.run_id = "run1", .taken_us = 7};

    scene_sync(scene, "kept");
    scene_sync(scene, "marked");
    scene_run(scene, "delete from marked where id = 2; update kept set name = 'x' where id = 3");
    ready(scene, "marked");
    scene->tasks[0].batch.taken_us = 5;
    scene_commit(scene);
    assert_non_null(strstr(
        scene->last_body, "\"name\":\"snapshot_at\",\"parameterType\":{\"type\":\"TIMESTAMP\"},"
                          "\"parameterValue\":{\"value\":\"1970-01-01 00:00:00.000005+00:00\"}"));

    // In a transaction, once for all tables, wherever in it the table is.
    scene->config.sync_atomic = true;
    for (int last = 0; last < 2; last++) {
        scene_run(
            scene, "insert into marked(name) values ('d'); update kept set name = name || 'x'");
        scene_pass(scene, last ? "kept" : "marked", last ? "marked" : "kept", NULL);
        scene_plan(scene);
        scene_read(scene);
        SCENE_ANSWERS(scene, {.match = "query atomic", .reply = {.status = 403, .body = "{}"}});
        transaction_commit(&scene->workers, scene->order, scene->count, &snapshot);
        assert_non_null(strstr(
            scene->last_body,
            "\"parameterValue\":{\"value\":\"1970-01-01 00:00:00.000007+00:00\"}"));
        scene_run(scene, "delete from bq_sync_intents");
    }
}

/* What is protected there would lie open to all readers of the dataset. */
static void test_a_column_that_only_the_target_has_keeps_its_policy_tags_on_the_way(void **state)
{
    static const char live[] =
        "{\"schema\":{\"fields\":[{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"},"
        "{\"name\":\"name\",\"type\":\"STRING\"},{\"name\":\"doc\",\"type\":\"JSON\"},"
        "{\"name\":\"made_at\",\"type\":\"TIMESTAMP\"},"
        "{\"name\":\"extra\",\"type\":\"STRING\",\"policyTags\":{\"names\":[\"t\"]}}]},"
        "\"labels\":{}}";
    struct scene *scene = *state;

    scene_sync(scene, "kept");
    scene_run(scene, "update bq_sync_tracking set content_hash = ''");
    SCENE_ANSWERS(
        scene, {.match = "get kept", .reply = {.status = 200, .body = live}},
        {.match = "insert staging", .reply = {.status = 403, .body = "{}"}});
    assert_int_equal(ready(scene, "kept")->batch.mode, SEND_REPLACE);
    scene_commit(scene);

    assert_non_null(strstr(
        scene->last_body,
        "{\"name\":\"extra\",\"type\":\"STRING\",\"policyTags\":{\"names\":[\"t\"]}}"));
}

static void test_too_many_partitions_for_one_statement_are_changed_by_several(void **state)
{
    struct scene *scene = *state;

    scene_run(
        scene, "create table kept_days(id integer primary key, name text, doc, day text);"
               "insert into kept_days(id, day) values (1, '2026-01-01'), (2, '2026-01-02')");
    scene_pass_run(scene, "kept_days", NULL);
    scene_run(scene, "update bq_sync_tracking set content_hash = ''");
    scene_requests(scene);
    SCENE_ANSWERS(
        scene, {.match = "query replace",
                .reply =
                    {.status = 200,
                     .body = "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\","
                             "\"errorResult\":{\"reason\":\"invalid\",\"message\":\"Too many "
                             "partitions produced by query\"}}}"},
                .times = 1});
    scene_pass_run(scene, "kept_days", NULL);

    assert_int_equal(scene->result.tables[0].status, TABLE_SYNCED);
    const char *first = strstr(scene_requests(scene), "query replace");
    assert_true(first != NULL && strstr(first + 1, "query replace") != NULL);
    const char *rescue = strstr(scene->last_sql, "insert into `p`.`d`.`bqsync_staging_kept_days");
    const char *emptied = strstr(scene->last_sql, "truncate table `p`.`d`.`kept_days`");
    assert_true(rescue != NULL && rescue < emptied);
    assert_non_null(strstr(emptied, "insert into `p`.`d`.`kept_days`"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_deletion_that_a_scan_finds_is_noted_once),
        TEST(test_a_deletion_beside_other_changes_is_left_out),
        TEST(test_rows_are_marked_with_the_time_of_the_snapshot),
        TEST(test_a_column_that_only_the_target_has_keeps_its_policy_tags_on_the_way),
        TEST(test_too_many_partitions_for_one_statement_are_changed_by_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
