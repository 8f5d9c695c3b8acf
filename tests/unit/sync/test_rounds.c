/* Whole passes over a few tables: which are planned, prepared and sent, in which order and how
 * often, and what becomes of one when something happens to it or to another. */
#include "scene.h"

#include "registry.h"
#include "sync/pass/rounds.h"
#include "sync/series.h"

#include <stdio.h>
#include <string.h>

#define ACCOUNT "insert into accounts values (1, 'a@x', 1, 'one');"
#define SETTING "insert into settings values ('k', 'v');"
#define DEVICE  "insert into devices values ('s', 1, 1.5);"

static const struct table_result *result_of(struct scene *scene, const char *table)
{
    for (size_t i = 0; i < scene->result.table_count; i++)
        if (strcmp(scene->result.tables[i].table->name, table) == 0)
            return &scene->result.tables[i];
    fail_msg("%s was not in the pass", table);
    return NULL;
}

static void expect_status(struct scene *scene, const char *table, enum table_status status)
{
    const struct table_result *result = result_of(scene, table);

    if (result->status != status)
        fail_msg("%s: %d, not %d: %s", table, result->status, status, result->error.message);
}

/* The targets exist, and nothing has changed since. */
static void sync_three(struct scene *scene)
{
    scene_run(scene, ACCOUNT SETTING DEVICE);
    scene_pass_run(scene, "accounts", "settings", "devices", NULL);
    expect_status(scene, "accounts", TABLE_SYNCED);
    expect_status(scene, "settings", TABLE_SYNCED);
    expect_status(scene, "devices", TABLE_SYNCED);
    scene_requests(scene);
}

static void test_an_idle_pass_makes_one_request(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene_pass_run(scene, "accounts", "settings", "devices", NULL);

    assert_string_equal(scene_requests(scene), "0 list tables\n");
    expect_status(scene, "accounts", TABLE_UNCHANGED);
    expect_status(scene, "settings", TABLE_UNCHANGED);
}

static void test_a_table_that_fails_stops_no_other(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene_run(
        scene, "update accounts set note = 'x'; update settings set value = 'w';"
               "update devices set online = 0");
    SCENE_ANSWERS(scene, {.match = "query merge", .reply = {.failure = HTTP_BROKEN}});
    scene_pass_run(scene, "accounts", NULL);
    expect_status(scene, "accounts", TABLE_FAILED);

    // It has an open intent, of which nothing can be learned.
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 403, .body = "{}"}});
    scene_pass_run(scene, "accounts", "settings", "devices", NULL);
    expect_status(scene, "accounts", TABLE_FAILED);
    expect_status(scene, "settings", TABLE_SYNCED);
    expect_status(scene, "devices", TABLE_SYNCED);
}

static void test_a_table_that_is_reset_each_time_is_given_up_after_three_rounds(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene_run(scene, "update accounts set note = 'x'");
    SCENE_ANSWERS(
        scene, {.match = "query merge", .meanwhile = "delete from bq_sync_tracking"},
        {.match = "upload replace", .meanwhile = "delete from bq_sync_tracking"});
    scene_pass_run(scene, "accounts", NULL);

    assert_string_equal(
        scene_requests(scene),
        "0 list tables\n1 patch accounts\n1 query merge\n"
        "0 get accounts\n0 patch accounts\n1 patch accounts\n1 upload replace\n"
        "0 get accounts\n0 patch accounts\n1 patch accounts\n1 upload replace\n");
    expect_status(scene, "accounts", TABLE_FAILED);
    assert_string_equal(
        result_of(scene, "accounts")->error.message,
        "while accounts was being synced, it was reset or marked to be sent again, or a backup was "
        "restored; that happened 3 times in a row. Sync again when it has ended");
}

static void test_a_table_that_is_reset_once_is_sent_again_and_no_other_is(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene_run(scene, "update accounts set note = 'x'; update devices set online = 0");
    SCENE_ANSWERS(
        scene, {.match = "query merge",
                .meanwhile = "delete from bq_sync_tracking where table_name = 'accounts'",
                .times = 1});
    scene_pass_run(scene, "accounts", "devices", NULL);

    assert_string_equal(
        scene_requests(scene),
        "0 list tables\n1 patch accounts\n1 query merge\n1 patch devices\n1 query merge\n"
        "0 get accounts\n0 patch accounts\n1 patch accounts\n1 upload replace\n");
    expect_status(scene, "accounts", TABLE_SYNCED);
    expect_status(scene, "devices", TABLE_SYNCED);
}

static void test_all_tables_of_a_transaction_are_planned_again_together(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene->config.sync_atomic = true;
    scene_run(scene, "update accounts set note = 'x'; update devices set online = 0");
    SCENE_ANSWERS(
        scene, {.match = "upload load",
                .meanwhile = "update bq_sync_tracking set content_hash = ''"
                             " where table_name = 'devices'",
                .times = 1});
    scene_pass_run(scene, "accounts", "devices", NULL);

    const char *requests = scene_requests(scene);
    const char *atomic = strstr(requests, "query atomic");
    assert_non_null(atomic);
    assert_null(strstr(atomic + 1, "query atomic"));
    assert_non_null(strstr(scene->last_sql, "\"accounts\""));
    assert_non_null(strstr(scene->last_sql, "\"devices\""));
    expect_status(scene, "accounts", TABLE_SYNCED);
    expect_status(scene, "devices", TABLE_SYNCED);
}

/* One of them is the last that BigQuery is asked for. */
static void test_the_largest_tables_are_sent_first(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene_run(
        scene, "update accounts set note = hex(randomblob(9000));"
               "update settings set value = 'w';"
               "insert into devices values (hex(randomblob(600)), 0, 1)");
    scene_pass_run(scene, "accounts", "settings", "devices", NULL);

    const char *requests = scene_requests(scene);
    const char *accounts = strstr(requests, "patch accounts");
    const char *devices = strstr(requests, "patch devices");
    const char *settings = strstr(requests, "1 patch settings");
    assert_true(accounts != NULL && accounts < devices && devices < settings);
}

static void test_a_target_with_the_label_of_another_definition_is_brought_in_line(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene_run(scene, "update bq_sync_tracking set shape_hash = 'x' where table_name = 'accounts'");
    scene_pass_run(scene, "accounts", "devices", NULL);

    assert_string_equal(scene_requests(scene), "0 list tables\n0 get accounts\n0 patch accounts\n");
    expect_status(scene, "accounts", TABLE_UNCHANGED);
}

static void test_a_dry_run_counts_all_tables_and_changes_nothing(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene_run(
        scene, "update settings set value = 'w'; update devices set online = 0;"
               "insert into devices values ('t', 1, 1)");
    scene->options.dry_run = true;
    scene_pass_run(scene, "accounts", "settings", "devices", NULL);

    assert_string_equal(scene_requests(scene), "0 list tables\n");
    expect_status(scene, "accounts", TABLE_UNCHANGED);
    expect_status(scene, "settings", TABLE_SYNCED);
    expect_status(scene, "devices", TABLE_SYNCED);
    assert_int_equal(result_of(scene, "settings")->rows_inserted, 1);
    assert_int_equal(result_of(scene, "devices")->rows_updated, 2);
    scene->options.dry_run = false;
    scene_pass_run(scene, "settings", "devices", NULL);
    expect_status(scene, "settings", TABLE_SYNCED);
    expect_status(scene, "devices", TABLE_SYNCED);
}

/* In the old way, guards go on looking for the old name, and no row can be written. */
static void test_a_renamed_table_can_be_written_once_a_pass_has_found_it_gone(void **state)
{
    static const char write[] = "insert or replace into old values (1, 'b@x', 2, 'two')";
    struct scene *scene = *state;
    struct error err;

    sync_three(scene);
    scene_run(scene, "pragma legacy_alter_table = on; alter table accounts rename to old");
    assert_false(database_exec(&scene->source, write, &err));
    scene_pass_run(scene, "accounts", "devices", NULL);

    expect_status(scene, "accounts", TABLE_FAILED);
    expect_status(scene, "devices", TABLE_UNCHANGED);
    // SQLite looks at the schema of another connection with the next statement that it can prepare.
    scene_run(scene, "select * from old");
    scene_run(scene, write);
}

/* Rows look as they were sent, but have lost a value. */
static void test_a_column_that_was_gone_for_one_pass_is_sent_for_all_rows(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene_run(scene, "alter table accounts drop column note");
    scene_pass_run(scene, "accounts", NULL);
    expect_status(scene, "accounts", TABLE_FAILED);
    scene_run(scene, "alter table accounts add column note text");
    scene_requests(scene);
    scene_pass_run(scene, "accounts", NULL);

    expect_status(scene, "accounts", TABLE_SYNCED);
    assert_non_null(strstr(scene_requests(scene), "upload replace"));
}

static void test_an_error_is_over_when_there_is_nothing_left_to_do(void **state)
{
    struct scene *scene = *state;
    struct error err;

    sync_three(scene);
    expect_ok(tracking_note(&scene->tracking, "accounts", "no luck", &err));
    scene_pass_run(scene, "accounts", NULL);

    expect_status(scene, "accounts", TABLE_UNCHANGED);
    assert_string_equal(
        scene_state(scene, "select last_error from bq_sync_tracking where table_name = 'accounts'"),
        "");
}

static void test_a_budget_that_is_spent_refuses_statements_and_no_loads(void **state)
{
    struct scene *scene = *state;

    sync_three(scene);
    scene->config.max_bytes_a_day = 3 * CONFIG_LEAST_BILLED_BYTES;
    scene_run(
        scene, "insert into bq_sync_billed values ('accounts', '2026-01-02', 31457280, 1, 0, 0);"
               "update accounts set note = 'x'; update settings set value = 'w'");
    scene_pass_run(scene, "accounts", "settings", NULL);

    expect_status(scene, "accounts", TABLE_FAILED);
    assert_int_equal(result_of(scene, "accounts")->error.code, ERROR_BUDGET);
    expect_status(scene, "settings", TABLE_SYNCED);
    assert_null(strstr(scene_requests(scene), "query"));
}

/* Another process has left labels behind, so the database may have been restored since. */
static void test_all_tables_whose_label_is_behind_are_doubted_before_anything_is_sent(void **state)
{
    struct scene *scene = *state;
    struct deployment *deployment = &scene->deployment;
    struct error err;

    sync_three(scene);
    expect_ok(series_new(
        &scene->clock.clock, registry_tables, registry_count, &deployment->series, &err));
    scene->options.follow = true;
    for (int commit = 0; commit < 3; commit++) {
        scene_run(
            scene,
            "update accounts set note = note || 'x'; update devices set online = not online");
        scene_pass_run(scene, "accounts", "devices", NULL);
    }
    assert_null(strstr(scene_requests(scene), "query claim"));
    series_free(deployment->series);
    expect_ok(series_new(
        &scene->clock.clock, registry_tables, registry_count, &deployment->series, &err));
    scene_run(scene, "update devices set online = not online");
    scene_pass_run(scene, "accounts", "devices", NULL);
    series_free(deployment->series);
    deployment->series = NULL;

    assert_string_equal(
        scene_requests(scene), "0 list tables\n0 query claim\n0 query claim\n1 patch devices\n"
                               "1 query merge\n1 patch accounts\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_an_idle_pass_makes_one_request),
        SCENE_TEST(test_a_table_that_fails_stops_no_other),
        SCENE_TEST(test_a_table_that_is_reset_each_time_is_given_up_after_three_rounds),
        SCENE_TEST(test_a_table_that_is_reset_once_is_sent_again_and_no_other_is),
        SCENE_TEST(test_all_tables_of_a_transaction_are_planned_again_together),
        SCENE_TEST(test_the_largest_tables_are_sent_first),
        SCENE_TEST(test_a_target_with_the_label_of_another_definition_is_brought_in_line),
        SCENE_TEST(test_a_dry_run_counts_all_tables_and_changes_nothing),
        SCENE_TEST(test_a_renamed_table_can_be_written_once_a_pass_has_found_it_gone),
        SCENE_TEST(test_a_column_that_was_gone_for_one_pass_is_sent_for_all_rows),
        SCENE_TEST(test_an_error_is_over_when_there_is_nothing_left_to_do),
        SCENE_TEST(test_a_budget_that_is_spent_refuses_statements_and_no_loads),
        SCENE_TEST(test_all_tables_whose_label_is_behind_are_doubted_before_anything_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
