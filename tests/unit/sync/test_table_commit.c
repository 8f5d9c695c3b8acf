/* One table's batch on its way to BigQuery: what is asked in which order, what is on disk before,
 * and what is left of it when something fails. */
#include "scene.h"

#include "sync/commit/intent.h"

#include <stdio.h>
#include <string.h>

static const char three_accounts[] = "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', "
                                     "2, 'two'), (3, 'c@x', 3, 'three')";

/* More than travels in a statement. */
static const char wide_change[] = "update accounts set note = hex(zeroblob(600000)) where id = 2";

/* Reads the table and forgets what was asked for that. */
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

static const char *intents(struct scene *scene)
{
    return scene_state(
        scene, "select group_concat(kind || ' ' || generation || ' ' || row_count) from "
               "bq_sync_intents");
}

static const char *watermark(struct scene *scene, const char *column)
{
    char sql[200];

    snprintf(sql, sizeof sql, "select %s from bq_sync_tracking", column);
    return scene_state(scene, sql);
}

static void test_a_replacement_is_one_load_after_intent_and_label(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    struct task *task = ready(scene, "accounts");
    scene_commit(scene);

    assert_string_equal(scene_requests(scene), "1 patch accounts\n1 upload replace\n");
    assert_int_equal(task->outcome->status, TABLE_SYNCED);
    assert_int_equal(task->outcome->rows_inserted, 3);
    assert_int_equal(task->outcome->last_synced_row_id, 3);
    assert_string_equal(intents(scene), "");
    assert_string_equal(watermark(scene, "last_synced_row_id"), "3");
    assert_string_equal(watermark(scene, "source_rows"), "3");
    assert_false(task->batch.complete);
}

/* What is protected in the target would lie open to all readers of the dataset. */
static void test_a_staging_table_keeps_the_policy_tags(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "devices");
    scene_run(scene, "insert into devices values (hex(zeroblob(600000)), 1, 1.5)");
    ready(scene, "devices");
    SCENE_ANSWERS(scene, {.match = "insert", .reply = {.status = 400, .body = "{}"}});
    scene_commit(scene);

    assert_non_null(strstr(
        scene->last_body,
        "\"name\":\"reading\",\"type\":\"FLOAT64\",\"policyTags\":{\"names\":[\"projects/p/"));
}

static void test_a_replacement_by_no_rows_truncates_the_target(void **state)
{
    struct scene *scene = *state;

    ready(scene, "accounts");
    scene_commit(scene);

    assert_string_equal(scene_requests(scene), "1 patch accounts\n1 query truncate\n");
    assert_string_equal(scene->last_sql, "truncate table `p`.`d`.`accounts`");
    assert_int_equal(scene->outcomes[0].status, TABLE_SYNCED);
    assert_int_equal(scene->outcomes[0].rows_inserted, 0);
}

static void test_an_empty_table_that_was_just_created_needs_no_job(void **state)
{
    struct scene *scene = *state;

    scene_pass(scene, "accounts", NULL);
    scene->tasks[0].warehouse.exists = false;
    scene_plan(scene);
    scene_read(scene);
    assert_string_equal(scene_requests(scene), "0 insert accounts\n");
    scene_commit(scene);

    assert_string_equal(scene_requests(scene), "");
    assert_int_equal(scene->outcomes[0].status, TABLE_SYNCED);
    assert_string_equal(watermark(scene, "synced_sequence >= 0"), "1");
    assert_string_equal(scene_state(scene, "select generation from bq_sync_generations"), "1");
}

static void test_an_append_is_one_load_into_the_target(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into events(kind) values ('a')");
    scene_sync(scene, "events");
    scene_run(scene, "insert into events(kind) values ('b'), ('c')");
    ready(scene, "events");
    scene_commit(scene);

    assert_string_equal(scene_requests(scene), "1 patch events\n1 upload append\n");
    assert_int_equal(scene->outcomes[0].rows_inserted, 2);
    assert_string_equal(watermark(scene, "source_rows"), "3");
}

/* The columns that a load's schema names, each as name and mode. */
static const char *sent_schema(const struct scene *scene)
{
    static char text[1000];
    const char *start = strstr(scene->last_body, "{\"jobReference\"");
    cJSON *job = cJSON_ParseWithOpts(start == NULL ? "" : start, NULL, false);
    cJSON *load = cJSON_GetObjectItem(cJSON_GetObjectItem(job, "configuration"), "load");
    cJSON *fields = cJSON_GetObjectItem(cJSON_GetObjectItem(load, "schema"), "fields");
    const cJSON *field;
    size_t used = 0;

    text[0] = '\0';
    cJSON_ArrayForEach(field, fields)
    {
        const char *mode = cJSON_GetStringValue(cJSON_GetObjectItem(field, "mode"));
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s %s%s\n",
            cJSON_GetObjectItem(field, "name")->valuestring, mode == NULL ? "" : mode,
            cJSON_HasObjectItem(field, "policyTags") ? " tagged" : "");
    }
    cJSON_Delete(job);
    return text;
}

/* id was relaxed by hand, note is protected by hand, and nobody else's column is in the file. */
static void test_a_load_says_the_columns_as_the_target_has_them(void **state)
{
    struct scene *scene = *state;
    static const char live[] =
        "{\"schema\":{\"fields\":[{\"name\":\"extra\",\"type\":\"STRING\"},"
        "{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"NULLABLE\"},"
        "{\"name\":\"email\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"},"
        "{\"name\":\"balance\",\"type\":\"NUMERIC\"},"
        "{\"name\":\"note\",\"type\":\"STRING\",\"policyTags\":{\"names\":[\"t\"]}}]},"
        "\"labels\":{}}";

    scene_run(scene, three_accounts);
    SCENE_ANSWERS(scene, {.match = "get accounts", .reply = {.status = 200, .body = live}});
    ready(scene, "accounts");
    scene_commit(scene);

    assert_string_equal(
        sent_schema(scene), "id NULLABLE\nemail REQUIRED\nbalance \nnote  tagged\n");
}

static void test_few_changes_travel_in_the_merge(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, "update accounts set note = 'x' where id = 2");
    struct task *task = ready(scene, "accounts");
    scene_commit(scene);

    assert_string_equal(scene_requests(scene), "1 patch accounts\n1 query merge\n");
    assert_non_null(strstr(scene->last_sql, "using unnest(@rows) as s"));
    assert_int_equal(task->outcome->rows_inserted, 2);
    assert_int_equal(task->outcome->rows_updated, 3);
    assert_int_equal(task->outcome->rows_deleted, 4);
    assert_true(task->outcome->bytes_sent > 0);
    assert_string_equal(intents(scene), "");
}

/* The bounds of the key's first column that a statement carries, "" if it carries none. */
static const char *sent_bounds(const struct scene *scene)
{
    static char text[200];
    cJSON *job = cJSON_Parse(scene->last_body);
    const char *values[2] = {"", ""};

    for (int i = 0; i < 2; i++) {
        const cJSON *parameter = scene_parameter(job, i == 0 ? "low_1" : "high_1");
        const cJSON *value = cJSON_GetObjectItem(parameter, "parameterValue");
        if (value != NULL)
            values[i] = cJSON_GetStringValue(cJSON_GetObjectItem(value, "value"));
    }
    snprintf(text, sizeof text, "%s%s%s", values[0], *values[1] == '\0' ? "" : " ", values[1]);
    cJSON_Delete(job);
    return text;
}

static void test_a_statement_carries_changed_new_and_deleted_rows(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(
        scene, "update accounts set note = 'x' where id = 1; delete from accounts where id = 2;"
               "insert into accounts values (4, 'd@x', 4.5, null)");
    ready(scene, "accounts");
    scene_commit(scene);

    assert_string_equal(
        scene_sent_rows(scene), "4 d@x 4.5 null false\n1 a@x 1 x false\n2 null null null true\n");
}

/* The last row of accounts has the id 3. */
static void test_a_merge_says_between_which_keys_its_rows_lie(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(
        scene, "update accounts set note = 'x' where id = 2; delete from accounts where id = 1;"
               "insert into accounts values (-7, 'd@x', 4.5, null)");
    ready(scene, "accounts");
    scene_commit(scene);

    assert_non_null(strstr(
        scene->last_sql, "using unnest(@rows) as s\non t.`id` = s.`id`\n"
                         "  and t.`id` between @low_1 and @high_1\nwhen matched"));
    assert_string_equal(sent_bounds(scene), "-7 2");
}

static void test_a_merge_of_a_staging_table_has_bounds_too(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, wide_change);
    scene_run(scene, "delete from accounts where id = 1");
    ready(scene, "accounts");
    scene_commit(scene);

    assert_non_null(strstr(scene->last_sql, "`bqsync_staging_accounts_2_"));
    assert_non_null(strstr(scene->last_sql, "\n  and t.`id` between @low_1 and @high_1\nwhen"));
    assert_null(strstr(scene->last_sql, "@rows"));
}

static void test_a_merge_of_a_very_long_key_has_no_bounds(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "devices");
    scene_run(scene, "insert into devices values ('a', 1, 1.5), (hex(zeroblob(1000)), 1, 1.5)");
    ready(scene, "devices");
    scene_commit(scene);

    assert_non_null(strstr(scene->last_sql, "on t.`serial` = s.`serial`\nwhen matched"));
    assert_null(strstr(scene->last_sql, "between"));
    assert_string_equal(sent_bounds(scene), "");
}

static void test_json_travels_as_text_that_the_statement_parses(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into events(kind) values ('a')");
    scene_sync(scene, "events");
    scene_run(scene, "update events set payload = '{\"a\": 1.50}'");
    ready(scene, "events");
    scene_commit(scene);

    assert_string_equal(scene_requests(scene), "1 patch events\n1 query merge\n");
    assert_non_null(strstr(
        scene->last_sql, "parse_json(`payload`, wide_number_mode => 'round') as `payload` from "
                         "unnest(@rows)) as s"));
    assert_non_null(strstr(scene_sent_rows(scene), "{\"a\": 1.50}"));
}

/* Up to the MERGE, which has the counts of all. */
static void test_many_changes_pass_through_a_staging_table_that_is_dropped(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, wide_change);
    struct task *task = ready(scene, "accounts");
    scene_commit(scene);

    assert_string_equal(
        scene_requests(scene), "1 patch accounts\n1 insert staging\n1 upload load\n"
                               "1 query merge\n0 delete staging\n");
    assert_non_null(strstr(scene->last_sql, "merge"));
    assert_non_null(strstr(scene->last_sql, "`bqsync_staging_accounts_2_"));
    assert_int_equal(task->outcome->rows_inserted, 2);
    assert_int_equal(task->outcome->rows_updated, 3);
    assert_int_equal(task->outcome->rows_deleted, 4);
}

static void test_a_staging_table_takes_null_everywhere_and_tombstones(void **state)
{
    struct scene *scene = *state;
    static const struct fake_reply stop = {.status = 403, .body = "{}"};

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, wide_change);
    ready(scene, "accounts");
    struct scene_answer refuse = {.match = "insert staging", .reply = stop};
    scene_answers(scene, &refuse, 1);
    scene_commit(scene);

    cJSON *body = cJSON_Parse(scene->last_body);
    cJSON *fields = cJSON_GetObjectItem(cJSON_GetObjectItem(body, "schema"), "fields");
    assert_int_equal(cJSON_GetArraySize(fields), 5);
    for (int i = 0; i < 5; i++)
        assert_null(cJSON_GetObjectItem(cJSON_GetArrayItem(fields, i), "mode"));
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetArrayItem(fields, 4), "name")->valuestring, "_bqsync_deleted");
    // 2026-01-03T03:04:05Z, a day after the clock's start.
    assert_string_equal(cJSON_GetObjectItem(body, "expirationTime")->valuestring, "1767409445000");
    cJSON_Delete(body);
}

/* The plan changes its mind after the file was read, and nobody reads the file again: the file is
 * sent as what it is. */
static void test_the_batch_says_how_it_is_sent_and_not_the_plan(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, wide_change);
    struct task *task = ready(scene, "accounts");
    task->plan.mode = SEND_REPLACE;
    task->plan.staged = false;
    scene_commit(scene);

    assert_string_equal(
        scene_requests(scene), "1 patch accounts\n1 insert staging\n1 upload load\n"
                               "1 query merge\n0 delete staging\n");
}

static void test_a_job_that_failed_for_a_passing_reason_is_tried_under_a_new_intent(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    struct task *task = ready(scene, "accounts");
    SCENE_ANSWERS(
        scene, {.match = "upload replace", .reply = FAILED_JOB("backendError"), .times = 2});
    scene->worker.retry_budget_ms = 30000;
    scene_commit(scene);

    assert_string_equal(
        scene_requests(scene), "1 patch accounts\n1 upload replace\n1 patch accounts\n"
                               "1 upload replace\n1 patch accounts\n1 upload replace\n");
    assert_int_equal(task->outcome->status, TABLE_SYNCED);
    assert_int_equal(task->outcome->attempts, 3);
    assert_int_equal(scene->clock.sleep_count, 2);
    assert_in_range(scene->clock.sleeps[0], 500, 1000);
    assert_in_range(scene->clock.sleeps[1], 1000, 2000);
    assert_string_equal(scene_state(scene, "select generation from bq_sync_generations"), "3");
}

static void test_a_refused_rate_waits_for_the_next_window(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    struct task *task = ready(scene, "accounts");
    SCENE_ANSWERS(
        scene, {.match = "upload replace", .reply = FAILED_JOB("rateLimitExceeded"), .times = 1},
        {.match = "upload replace", .reply = FAILED_JOB("jobRateLimitExceeded"), .times = 1});
    scene->worker.retry_budget_ms = 30000;
    scene_commit(scene);

    assert_int_equal(task->outcome->status, TABLE_SYNCED);
    assert_int_equal(scene->clock.sleep_count, 2);
    assert_true(scene->clock.sleeps[0] >= 10000);
    assert_true(scene->clock.sleeps[1] >= 10000);
}

static void test_failures_are_tried_again_until_the_budget_is_used_up(void **state)
{
    struct scene *scene = *state;
    int64_t waited = 0;

    scene->worker.retry_budget_ms = 30000;
    scene_run(scene, three_accounts);
    struct task *task = ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "upload replace", .reply = FAILED_JOB("backendError")});
    scene_commit(scene);

    assert_true(task_failed(task));
    for (size_t i = 0; i < scene->clock.sleep_count; i++)
        waited += scene->clock.sleeps[i];
    assert_int_equal(waited, scene->worker.retry_budget_ms);
    assert_in_range(task->outcome->attempts, 5, 8);
    assert_string_equal(intents(scene), "");
    assert_non_null(strstr(watermark(scene, "last_error"), "no luck"));
}

static void test_a_refusal_and_a_used_up_quota_are_not_tried_again(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "upload replace", .reply = FAILED_JOB("invalid")});
    scene_commit(scene);
    assert_string_equal(scene_requests(scene), "1 patch accounts\n1 upload replace\n");

    ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "upload replace", .reply = FAILED_JOB("quotaExceeded")});
    scene_commit(scene);
    assert_string_equal(scene_requests(scene), "1 patch accounts\n1 upload replace\n");
    assert_string_equal(intents(scene), "");
}

static void test_a_load_that_fails_ends_the_intent_before_its_merge(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, wide_change);
    ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "upload load", .reply = FAILED_JOB("invalid")});
    scene_commit(scene);

    assert_string_equal(
        scene_requests(scene),
        "1 patch accounts\n1 insert staging\n1 upload load\n0 delete staging\n");
    assert_true(task_failed(&scene->tasks[0]));
    assert_string_equal(intents(scene), "");
    assert_string_equal(watermark(scene, "last_synced_row_id"), "3");
}

static void test_a_merge_that_is_refused_has_its_target_compared_before_it_fails(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, "update accounts set note = 'x' where id = 2");
    struct task *task = ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "query merge", .reply = FAILED_JOB("invalidQuery")});
    scene_commit(scene);

    assert_true(task_is_outdated(task));
    assert_false(task_failed(task));
    assert_string_equal(intents(scene), "");
    task->outdated = NULL;
    scene_plan(scene);
    assert_true(task->plan.inspect_target);
}

static void test_an_answer_that_is_lost_leaves_the_intent_open(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, "update accounts set note = 'x' where id = 2");
    ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "query merge", .reply = {.failure = HTTP_BROKEN}});
    scene_commit(scene);

    assert_true(task_failed(&scene->tasks[0]));
    assert_string_equal(intents(scene), "merge 2 1");
    assert_string_equal(
        scene_state(
            scene, "select target || ' ' || (commit_job like 'bqsync\\_accounts\\_2\\_%"
                   "\\_commit' escape '\\') from bq_sync_intents"),
        "p.d.accounts 1");
    // Nothing may be dropped that the merge may still read.
    assert_null(strstr(scene_requests(scene), "delete"));
}

static void test_a_label_that_is_refused_leaves_the_intent_open_and_starts_no_job(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "patch accounts", .reply = {.status = 403, .body = "{}"}});
    scene_commit(scene);

    assert_string_equal(scene_requests(scene), "1 patch accounts\n");
    assert_string_equal(intents(scene), "replace 1 3");
}

static void test_a_job_id_takes_letters_digits_and_dashes(void **state)
{
    struct intent intent = {.table = "Order Items!", .generation = 7, .nonce = "00ff"};
    char id[LABEL_JOB_ID_SIZE];

    (void)state;
    intent_load_job(&intent, id);
    assert_string_equal(id, "bqsync_Order_Items__7_00ff_load");
}

static void test_a_generation_is_above_the_past_and_above_the_label(void **state)
{
    struct task task = {.warehouse.label.generation = 9};

    (void)state;
    task.source.watermark.generation = 4;
    assert_int_equal(task_next_generation(&task), 10);
    task.source.watermark.generation = 12;
    assert_int_equal(task_next_generation(&task), 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_a_replacement_is_one_load_after_intent_and_label),
        SCENE_TEST(test_a_staging_table_keeps_the_policy_tags),
        SCENE_TEST(test_a_replacement_by_no_rows_truncates_the_target),
        SCENE_TEST(test_an_empty_table_that_was_just_created_needs_no_job),
        SCENE_TEST(test_an_append_is_one_load_into_the_target),
        SCENE_TEST(test_a_load_says_the_columns_as_the_target_has_them),
        SCENE_TEST(test_few_changes_travel_in_the_merge),
        SCENE_TEST(test_a_statement_carries_changed_new_and_deleted_rows),
        SCENE_TEST(test_a_merge_says_between_which_keys_its_rows_lie),
        SCENE_TEST(test_a_merge_of_a_staging_table_has_bounds_too),
        SCENE_TEST(test_a_merge_of_a_very_long_key_has_no_bounds),
        SCENE_TEST(test_json_travels_as_text_that_the_statement_parses),
        SCENE_TEST(test_many_changes_pass_through_a_staging_table_that_is_dropped),
        SCENE_TEST(test_a_staging_table_takes_null_everywhere_and_tombstones),
        SCENE_TEST(test_the_batch_says_how_it_is_sent_and_not_the_plan),
        SCENE_TEST(test_a_job_that_failed_for_a_passing_reason_is_tried_under_a_new_intent),
        SCENE_TEST(test_a_refused_rate_waits_for_the_next_window),
        SCENE_TEST(test_failures_are_tried_again_until_the_budget_is_used_up),
        SCENE_TEST(test_a_refusal_and_a_used_up_quota_are_not_tried_again),
        SCENE_TEST(test_a_load_that_fails_ends_the_intent_before_its_merge),
        SCENE_TEST(test_a_merge_that_is_refused_has_its_target_compared_before_it_fails),
        SCENE_TEST(test_an_answer_that_is_lost_leaves_the_intent_open),
        SCENE_TEST(test_a_label_that_is_refused_leaves_the_intent_open_and_starts_no_job),
        cmocka_unit_test(test_a_job_id_takes_letters_digits_and_dashes),
        cmocka_unit_test(test_a_generation_is_above_the_past_and_above_the_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
