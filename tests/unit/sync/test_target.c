/* Bringing a target in line before anything is sent to it. */
#include "scene.h"

#include "sync/pass/plan.h"
#include "sync/pass/target.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define LIVE(fields) "{\"schema\":{\"fields\":[" fields "]},\"labels\":{}}"
#define ID           "{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"}"
#define EMAIL        "{\"name\":\"email\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"}"
#define NOTE         "{\"name\":\"note\",\"type\":\"STRING\"}"

static struct task *planned(struct scene *scene, bool exists)
{
    scene_pass(scene, "accounts", NULL);
    scene->tasks[0].warehouse.exists = exists;
    scene_plan(scene);
    return &scene->tasks[0];
}

static void test_a_missing_target_is_created_with_its_labels_and_not_read(void **state)
{
    struct scene *scene = *state;
    struct error err;

    struct task *task = planned(scene, false);
    expect_ok(target_prepare(&scene->worker, task, NULL, &err));

    assert_string_equal(scene_requests(scene), "0 insert accounts\n");
    assert_non_null(strstr(scene->last_body, "\"bqsync_generation\":\"1\""));
    char jobs[64];
    snprintf(jobs, sizeof jobs, "\"bqsync_jobs\":\"%s\"", task->warehouse.created_for);
    assert_non_null(strstr(scene->last_body, jobs));
    assert_true(task->warehouse.created);
    assert_true(task->warehouse.prepared);
    assert_false(target_is_nullable(task, 0));
    assert_true(target_is_nullable(task, 2));
}

/* What a dataset's defaults add to a new table is taken off again. */
static void test_a_new_target_does_not_expire_nor_do_its_partitions(void **state)
{
    struct scene *scene = *state;
    struct error err;

    struct task *task = planned(scene, false);
    SCENE_ANSWERS(
        scene, {.match = "insert accounts",
                .reply = {
                    .status = 200,
                    .body = "{\"expirationTime\":\"1\",\"timePartitioning\":{\"type\":\"DAY\","
                            "\"expirationMs\":\"1\"}}"}});
    expect_ok(target_prepare(&scene->worker, task, NULL, &err));

    assert_string_equal(scene_requests(scene), "0 insert accounts\n0 patch accounts\n");
    assert_string_equal(
        scene->last_body, "{\"expirationTime\":null,\"timePartitioning\":{\"type\":\"DAY\","
                          "\"expirationMs\":null}}");
    assert_true(task->warehouse.created);
}

static void test_a_target_that_somebody_made_meanwhile_is_compared(void **state)
{
    struct scene *scene = *state;
    struct error err;

    struct task *task = planned(scene, false);
    SCENE_ANSWERS(scene, {.match = "insert accounts", .reply = {.status = 409, .body = "{}"}});
    expect_ok(target_prepare(&scene->worker, task, NULL, &err));

    assert_string_equal(
        scene_requests(scene), "0 insert accounts\n0 get accounts\n0 patch accounts\n");
    assert_false(task->warehouse.created);
}

static void test_a_target_whose_shape_is_known_is_left_alone(void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene_sync(scene, "accounts");
    scene_run(scene, "insert into accounts values (1, 'a@x', 1, 'one')");
    struct task *task = planned(scene, true);
    expect_ok(target_prepare(&scene->worker, task, NULL, &err));

    assert_string_equal(scene_requests(scene), "");
    assert_true(task->warehouse.prepared);
    assert_null(task->warehouse.fields);
}

static void test_a_target_without_a_difference_is_not_patched(void **state)
{
    struct scene *scene = *state;
    static char body[4096];
    struct error err;

    struct task *task = planned(scene, true);
    cJSON *live = cJSON_Parse(task->table->resource_json);
    cJSON *schema = cJSON_AddObjectToObject(live, "schema");
    cJSON_AddItemToObject(schema, "fields", cJSON_Parse(task->table->schema_json));
    cJSON_DeleteItemFromObject(live, "labels");
    cJSON *labels = cJSON_AddObjectToObject(live, "labels");
    cJSON_AddStringToObject(labels, LABEL_SHAPE, task->table->shape_hash);
    assert_true(cJSON_PrintPreallocated(live, body, sizeof body, false));
    SCENE_ANSWERS(scene, {.match = "get accounts", .reply = {.status = 200, .body = body}});
    expect_ok(target_prepare(&scene->worker, task, NULL, &err));

    assert_string_equal(scene_requests(scene), "0 get accounts\n");
    assert_non_null(task->warehouse.fields);
    cJSON_Delete(live);
}

static void test_a_target_that_is_gone_has_to_be_planned_again(void **state)
{
    struct scene *scene = *state;
    struct error err;

    struct task *task = planned(scene, true);
    SCENE_ANSWERS(scene, {.match = "get accounts", .reply = {.status = 404, .body = "{}"}});
    expect_ok(target_prepare(&scene->worker, task, NULL, &err));

    assert_true(task_is_outdated(task));
    assert_false(task->warehouse.exists);
    assert_string_equal(scene_requests(scene), "0 get accounts\n");
}

static void test_a_type_is_widened_by_ddl_before_the_rest_is_patched(void **state)
{
    struct scene *scene = *state;
    struct error err;

    struct task *task = planned(scene, true);
    SCENE_ANSWERS(
        scene,
        {.match = "get accounts",
         .reply = {
             .status = 200,
             .body = LIVE(ID "," EMAIL ",{\"name\":\"balance\",\"type\":\"INTEGER\"}," NOTE)}});
    expect_ok(target_prepare(&scene->worker, task, NULL, &err));

    assert_string_equal(scene_requests(scene), "0 get accounts\n0 query alter\n0 patch accounts\n");
    assert_string_equal(
        scene->last_sql,
        "alter table `p`.`d`.`accounts` alter column `balance` set data type NUMERIC");
}

/* The id of a job takes letters, digits, _ and -. */
static void test_the_id_of_an_alter_has_no_space_of_the_tables_name(void **state)
{
    struct scene *scene = *state;
    struct error err;

    struct task *task = planned(scene, true);
    struct table spaced = *task->table;
    spaced.name = "my accounts";
    task->table = &spaced;
    SCENE_ANSWERS(
        scene,
        {.match = "get accounts",
         .reply =
             {.status = 200,
              .body = LIVE(ID "," EMAIL ",{\"name\":\"balance\",\"type\":\"INTEGER\"}," NOTE)}},
        {.match = "query alter", .reply = {.status = 400, .body = "{}"}});
    assert_false(target_prepare(&scene->worker, task, NULL, &err));

    assert_non_null(strstr(scene->last_body, "\"jobId\":\"bqsync_my_accounts_"));
}

static void test_a_difference_that_cannot_be_changed_is_refused_and_nothing_is_done(void **state)
{
    struct scene *scene = *state;
    struct error err;

    struct task *task = planned(scene, true);
    SCENE_ANSWERS(
        scene,
        {.match = "get accounts",
         .reply = {
             .status = 200,
             .body = LIVE(ID "," EMAIL ",{\"name\":\"balance\",\"type\":\"STRING\"}," NOTE)}});
    expect_error(
        target_prepare(&scene->worker, task, NULL, &err), ERROR_SCHEMA,
        "target table accounts: accounts.balance is STRING in BigQuery");
    assert_string_equal(scene_requests(scene), "0 get accounts\n");
    assert_false(task->warehouse.prepared);
}

static void test_columns_that_were_missing_revise_the_plan(void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene_sync(scene, "accounts");
    scene_run(scene, "insert into accounts values (1, 'a@x', 1, 'one')");
    expect_ok(tracking_note(&scene->tracking, "accounts", "no such column", &err));
    struct task *task = planned(scene, true);
    assert_int_equal(task->plan.mode, SEND_MERGE);
    SCENE_ANSWERS(
        scene,
        {.match = "get accounts", .reply = {.status = 200, .body = LIVE(ID "," EMAIL "," NOTE)}});
    expect_ok(target_prepare(&scene->worker, task, NULL, &err));

    assert_int_equal(task->plan.mode, SEND_REPLACE);
    assert_string_equal(task->plan.why, "columns were missing in BigQuery");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_a_missing_target_is_created_with_its_labels_and_not_read),
        SCENE_TEST(test_a_new_target_does_not_expire_nor_do_its_partitions),
        SCENE_TEST(test_a_target_that_somebody_made_meanwhile_is_compared),
        SCENE_TEST(test_a_target_whose_shape_is_known_is_left_alone),
        SCENE_TEST(test_a_target_without_a_difference_is_not_patched),
        SCENE_TEST(test_a_target_that_is_gone_has_to_be_planned_again),
        SCENE_TEST(test_a_type_is_widened_by_ddl_before_the_rest_is_patched),
        SCENE_TEST(test_the_id_of_an_alter_has_no_space_of_the_tables_name),
        SCENE_TEST(test_a_difference_that_cannot_be_changed_is_refused_and_nothing_is_done),
        SCENE_TEST(test_columns_that_were_missing_revise_the_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
