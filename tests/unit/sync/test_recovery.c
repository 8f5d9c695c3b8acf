/* What becomes of an intent that an earlier run has left open. */
#include "scene.h"

#include "sync/commit/recovery.h"

#include <stdio.h>
#include <string.h>

#define GONE                                                                                       \
    {                                                                                              \
        .status = 404, .body = "{}"                                                                \
    }
#define EXISTS                                                                                     \
    {                                                                                              \
        .status = 409, .body = "{\"error\":{\"errors\":[{\"reason\":\"duplicate\"}]}}"             \
    }
#define DONE "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\"}}"
#define RUNS "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"RUNNING\"}}"
#define CLAIM                                                                                      \
    "{\"configuration\":{\"query\":{\"query\":\"select 1 as claimed_by_bqsync\"}},"                \
    "\"status\":{\"state\":\"DONE\"}}"

/* A pass that stops with the MERGE of three changed rows on its way, one of them with this note. */
static void leave_open_with(struct scene *scene, const char *note)
{
    char change[200];

    snprintf(
        change, sizeof change,
        "update accounts set note = %s; insert into accounts values (3, 'c@x', 3, 'c')", note);
    scene_run(scene, "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two')");
    scene_sync(scene, "accounts");
    scene_run(scene, change);
    SCENE_ANSWERS(scene, {.match = "query merge", .reply = {.failure = HTTP_BROKEN}});
    scene_pass(scene, "accounts", NULL);
    scene_plan(scene);
    scene_read(scene);
    scene_commit(scene);
    assert_true(task_failed(&scene->tasks[0]));
    scene_requests(scene);
    scene_answers(scene, NULL, 0);
}

/* Its rows wait in a staging table. */
static void leave_open(struct scene *scene)
{
    leave_open_with(scene, "hex(zeroblob(600000))");
}

/* The next pass, up to its recovery. */
static struct task *next_pass(struct scene *scene)
{
    scene_pass(scene, "accounts", NULL);
    return &scene->tasks[0];
}

static bool recover(struct scene *scene, struct error *err)
{
    struct recovery recovery = {.deployment = &scene->deployment};

    return recover_table(&scene->worker, next_pass(scene), &recovery, err);
}

static void expect_open(struct scene *scene, const char *count)
{
    assert_string_equal(scene_state(scene, "select count(*) from bq_sync_intents"), count);
}

static const char *last_row_id(struct scene *scene)
{
    return scene_state(scene, "select last_synced_row_id from bq_sync_tracking");
}

static void test_no_intent_asks_nothing(void **state)
{
    struct scene *scene = *state;
    struct error err;

    expect_ok(recover(scene, &err));
    assert_string_equal(scene_requests(scene), "");
}

static void test_a_job_that_succeeded_moves_the_watermark_now(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    assert_string_equal(last_row_id(scene), "2");
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 200, .body = DONE}});
    expect_ok(recover(scene, &err));

    assert_string_equal(scene_requests(scene), "1 get job\n0 delete staging\n");
    expect_open(scene, "0");
    assert_string_equal(last_row_id(scene), "3");
    assert_int_equal(scene->tasks[0].source.watermark.last_synced_row_id, 3);
}

static void test_a_merge_that_carried_its_rows_is_recovered_by_its_job_alone(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open_with(scene, "'x'");
    SCENE_ANSWERS(scene, {.match = "get job", .reply = GONE, .times = 1});
    expect_ok(recover(scene, &err));
    assert_string_equal(scene_requests(scene), "1 get job\n1 query claim\n");
    expect_open(scene, "0");
    assert_string_equal(last_row_id(scene), "2");

    scene_sync(scene, "accounts");
    assert_string_equal(last_row_id(scene), "3");
}

static void test_what_the_job_billed_is_added_however_it_ended(void **state)
{
    static const char *const ends[] = {"", ",\"errorResult\":{\"reason\":\"invalid\"}"};
    struct scene *scene = *state;
    char body[300];
    struct error err;

    for (int i = 0; i < 2; i++) {
        leave_open_with(scene, i == 0 ? "'x'" : "'y'");
        snprintf(
            body, sizeof body,
            "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\"%s},"
            "\"statistics\":{\"query\":{\"totalBytesBilled\":\"9007199254740993\"}}}",
            ends[i]);
        struct scene_answer answer = {
            .match = "get job", .reply = {.status = 200, .body = body}, .times = 1};
        scene_answers(scene, &answer, 1);
        expect_ok(recover(scene, &err));
        expect_open(scene, "0");
        assert_int_equal(scene->outcomes[0].bytes_billed, INT64_C(9007199254740993));
        scene_run(scene, "delete from accounts");
    }
    assert_string_equal(
        scene_state(scene, "select table_name || ' ' || day || ' ' || bytes from bq_sync_billed"),
        "accounts 2026-01-02 18014398509481986");
}

static void test_a_job_that_failed_withdraws_the_intent(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(scene, {.match = "get job", .reply = FAILED_JOB("invalid")});
    expect_ok(recover(scene, &err));

    assert_string_equal(scene_requests(scene), "1 get job\n0 delete staging\n");
    expect_open(scene, "0");
    assert_string_equal(last_row_id(scene), "2");
    // The generation that was used up is not used again.
    assert_int_equal(scene->tasks[0].source.watermark.generation, 2);
}

static void test_a_job_that_runs_is_waited_for(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(
        scene, {.match = "get job", .reply = {.status = 200, .body = RUNS}, .times = 3},
        {.match = "get job", .reply = {.status = 200, .body = DONE}});
    expect_ok(recover(scene, &err));

    assert_string_equal(
        scene_requests(scene), "1 get job\n1 get job\n1 get job\n1 get job\n0 delete staging\n");
    assert_string_equal(last_row_id(scene), "3");
}

/* The label that BigQuery has if the process died before it was raised. */
static struct label before_the_intent(struct scene *scene)
{
    struct watermark watermark;
    struct error err;

    expect_ok(tracking_load(&scene->tracking, "accounts", &watermark, &err));
    assert_int_equal(watermark.label_before.generation, watermark.generation - 1);
    return watermark.label_before;
}

static void test_a_label_that_was_not_raised_is_raised_before_the_intent_is_withdrawn(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 404, .body = "{}"}});
    struct task *task = next_pass(scene);
    task->warehouse.label = before_the_intent(scene);
    expect_ok(recover_table(&scene->worker, task, NULL, &err));

    assert_non_null(strstr(scene_requests(scene), "1 patch accounts\n"));
    assert_false(task_label_is_strange(task));
    expect_open(scene, "0");
}

/* Somebody has put another table there, or an older version of it, or has synced a copy. */
static void test_a_label_that_the_intent_did_not_find_is_left_as_it_is(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    const struct label before = before_the_intent(scene);
    const struct label others[] = {
        {0}, {.generation = before.generation - 1}, {before.generation, "of_another_copy"}};
    for (size_t i = 0; i < 3; i++) {
        SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 404, .body = "{}"}});
        struct task *task = next_pass(scene);
        task->warehouse.label = others[i];
        expect_ok(recover_table(&scene->worker, task, NULL, &err));

        assert_null(strstr(scene_requests(scene), "patch"));
        assert_true(task_label_is_strange(task));
        scene_plan(scene);
        assert_int_equal(task->plan.mode, SEND_REPLACE);
        scene_run(scene, "update accounts set note = hex(zeroblob(600000)) where id = 1");
        SCENE_ANSWERS(scene, {.match = "query merge", .reply = {.failure = HTTP_BROKEN}});
        next_pass(scene);
        scene_plan(scene);
        scene_read(scene);
        scene_commit(scene);
        scene_requests(scene);
    }
}

static void test_a_job_that_goes_on_running_leaves_the_intent_open(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 200, .body = RUNS}});
    expect_error(recover(scene, &err), ERROR_TRANSIENT, "is still running after ");

    // The other tables wait for it no longer than for an answer.
    assert_in_range(
        scene->clock.ms, scene->worker.retry_budget_ms, scene->worker.retry_budget_ms + 11000);
    expect_open(scene, "1");
}

static void test_a_job_that_nobody_knows_is_claimed_before_the_intent_is_withdrawn(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(scene, {.match = "get job", .reply = GONE});
    expect_ok(recover(scene, &err));

    assert_string_equal(scene_requests(scene), "1 get job\n1 query claim\n0 delete staging\n");
    expect_open(scene, "0");
    assert_string_equal(last_row_id(scene), "2");
}

static void test_a_claim_that_comes_too_late_finds_the_job_and_its_end(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(
        scene, {.match = "get job", .reply = GONE, .times = 1},
        {.match = "query claim", .reply = EXISTS},
        {.match = "get job", .reply = {.status = 200, .body = DONE}});
    expect_ok(recover(scene, &err));

    assert_string_equal(
        scene_requests(scene),
        "1 get job\n1 query claim\n1 get job\n1 get job\n0 delete staging\n");
    assert_string_equal(last_row_id(scene), "3");
}

static void test_a_claim_of_an_earlier_recovery_has_done_no_work(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 200, .body = CLAIM}});
    expect_ok(recover(scene, &err));

    expect_open(scene, "0");
    assert_string_equal(last_row_id(scene), "2");
}

static void test_an_answer_that_does_not_come_leaves_the_intent_open(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.failure = HTTP_BROKEN}});
    assert_false(recover(scene, &err));
    assert_non_null(strstr(err.message, "resolving the open intent of an earlier run"));
    expect_open(scene, "1");

    SCENE_ANSWERS(
        scene, {.match = "get job", .reply = GONE},
        {.match = "query claim", .reply = {.failure = HTTP_BROKEN}});
    assert_false(recover(scene, &err));
    expect_open(scene, "1");
    assert_string_equal(last_row_id(scene), "2");
}

/* Where requests went. */
static void expect_asked(struct scene *scene, const char *words)
{
    const char *urls = buffer_text(&scene->urls);

    if (strstr(urls, words) == NULL)
        fail_msg("\"%s\" is not in\n%s", words, urls);
}

static void test_a_job_that_another_login_started_is_named_with_the_fix(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 403, .body = "{}"}});
    assert_false(recover(scene, &err));

    assert_non_null(
        strstr(err.message, "accounts waits for an intent that an earlier sync has left"));
    assert_non_null(strstr(err.message, "give this one roles/bigquery.resourceAdmin on project p"));
    expect_open(scene, "1");
}

#define DENIED(permission)                                                                         \
    {                                                                                              \
        .status = 403, .body = "{\"error\":{\"message\":\"needs " permission                       \
                               "\",\"errors\":[{\"reason\":"                                       \
                               "\"accessDenied\"}]}}"                                              \
    }

/* The login may see its jobs, so a role for the jobs of others would not help. */
static void test_what_else_bigquery_refuses_is_named_before_all(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    SCENE_ANSWERS(
        scene, {.match = "get job", .reply = {.status = 404, .body = "{}"}},
        {.match = "patch accounts", .reply = DENIED("bigquery.tables.update")});
    struct task *task = next_pass(scene);
    task->warehouse.label = before_the_intent(scene);
    assert_false(recover_table(&scene->worker, task, NULL, &err));
    assert_non_null(strstr(err.message, "needs bigquery.tables.update"));
    assert_null(strstr(err.message, "intent"));

    SCENE_ANSWERS(
        scene, {.match = "get job", .reply = {.status = 404, .body = "{}"}},
        {.match = "query claim", .reply = DENIED("bigquery.jobs.create")});
    assert_false(recover(scene, &err));
    assert_non_null(strstr(err.message, "needs bigquery.jobs.create"));
    assert_null(strstr(err.message, "resourceAdmin"));
    expect_open(scene, "1");
}

static void test_an_intent_of_another_dataset_is_resolved_there(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    scene->worker.dataset = "other";
    scene->worker.location = "US";
    SCENE_ANSWERS(scene, {.match = "get job", .reply = GONE});
    expect_ok(recover(scene, &err));

    assert_string_equal(scene_requests(scene), "1 get job\n1 query claim\n0 delete staging\n");
    expect_asked(scene, "location=EU");
    expect_asked(scene, "/datasets/d/tables/bqsync_staging");
    expect_open(scene, "0");
    assert_string_equal(last_row_id(scene), "2");
}

static void test_an_intent_of_another_dataset_whose_job_succeeded_is_acknowledged(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    scene->worker.dataset = "other";
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 200, .body = DONE}});
    expect_ok(recover(scene, &err));

    assert_string_equal(last_row_id(scene), "3");
    assert_string_equal(scene->tasks[0].source.watermark.target, "p.d.accounts");
}

static void test_an_intent_without_a_place_is_resolved_in_the_dataset_of_its_target(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    scene_run(
        scene, "update bq_sync_intents set project = '', dataset = '', location = '',"
               " target = 'example.com:old.e.accounts'");
    SCENE_ANSWERS(scene, {.match = "get job", .reply = GONE});
    expect_ok(recover(scene, &err));

    expect_asked(scene, "/projects/example.com");
    expect_asked(scene, "/datasets/e");
    expect_open(scene, "0");
}

static void test_an_intent_that_cannot_be_resolved_where_it_belongs_stands_in_the_way(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    scene->worker.dataset = "other";
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 403, .body = "{}"}});
    assert_false(recover(scene, &err));

    assert_non_null(strstr(err.message, "has left open for p.d.accounts (job bqsync_accounts_2_"));
    assert_non_null(strstr(err.message, "Let this login run queries in project p again, or"));
    assert_non_null(strstr(err.message, "is gone for good, run bqsync reset accounts"));
    expect_open(scene, "1");
}

/* The names of its dataset do not say where that is, and it does not say so itself. */
static void test_an_intent_whose_dataset_cannot_be_asked_stands_in_the_way(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    scene_run(
        scene, "update bq_sync_intents set project = '', dataset = '', location = '',"
               " target = 'old.e.accounts'");
    SCENE_ANSWERS(scene, {.match = "get ", .reply = {.status = 404, .body = "{}"}});
    assert_false(recover(scene, &err));

    assert_string_equal(scene_requests(scene), "1 get \n");
    expect_open(scene, "1");
}

static void test_an_intent_of_an_unknown_place_asks_where_its_dataset_is(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    scene_run(
        scene, "update bq_sync_intents set dataset = 'e', location = '', target = 'p.e.accounts'");
    SCENE_ANSWERS(
        scene, {.match = "get job", .reply = GONE},
        {.match = "get ", .reply = {.status = 200, .body = "{\"location\":\"ASIA\"}"}});
    expect_ok(recover(scene, &err));

    assert_string_equal(
        scene_requests(scene), "1 get \n1 get job\n1 query claim\n0 delete staging\n");
    expect_asked(scene, "location=ASIA");
    assert_null(strstr(buffer_text(&scene->urls), "location=&"));
}

/* Its dataset may be gone for good. */
static void test_an_intent_that_is_refused_elsewhere_is_given_up_after_a_reset(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    scene_run(scene, "update bq_sync_intents set bytes_reserved = 10485760");
    expect_ok(tracking_reset(&scene->tracking, "accounts", &err));
    scene->worker.dataset = "other";
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 401, .body = "{}"}});
    assert_false(recover(scene, &err));
    expect_open(scene, "1");
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 403, .body = "{}"}});
    expect_ok(recover(scene, &err));

    expect_open(scene, "0");
    // Nobody knows what it has billed.
    assert_string_equal(scene_state(scene, "select bytes from bq_sync_billed"), "10485760");
}

#define CHILD(table, billed)                                                                       \
    "{\"configuration\":{\"query\":{\"destinationTable\":{\"datasetId\":\"d\",\"tableId\":"        \
    "\"" table "\"}}},\"statistics\":{\"query\":{\"statementType\":\"MERGE\","                     \
    "\"totalBytesBilled\":\"" billed "\"}}}"

static void test_of_the_bill_of_a_transaction_a_table_has_its_own_part(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    scene_run(
        scene, "update bq_sync_intents set commit_job = 'bqsync_atomic_0123456789abcdef_1_commit'");
    SCENE_ANSWERS(
        scene,
        {.match = "get job",
         .reply =
             {.status = 200,
              .body = "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\"},"
                      "\"statistics\":{\"query\":{\"totalBytesBilled\":\"1000\"}}}"}},
        {.match = "list jobs",
         .reply = {
             .status = 200,
             .body = "{\"jobs\":[" CHILD("accounts", "200") "," CHILD("settings", "300") "," CHILD(
                 "accounts", "10") "]}"}});
    expect_ok(recover(scene, &err));

    assert_int_equal(scene->outcomes[0].bytes_billed, 210);
    expect_open(scene, "0");
}

static void test_a_reset_while_the_job_ran_stands(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_open(scene);
    expect_ok(tracking_reset(&scene->tracking, "accounts", &err));
    SCENE_ANSWERS(scene, {.match = "get job", .reply = {.status = 200, .body = DONE}});
    expect_ok(recover(scene, &err));

    expect_open(scene, "0");
    assert_false(scene->tasks[0].source.watermark.found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_no_intent_asks_nothing),
        SCENE_TEST(test_a_job_that_succeeded_moves_the_watermark_now),
        SCENE_TEST(test_a_merge_that_carried_its_rows_is_recovered_by_its_job_alone),
        SCENE_TEST(test_what_the_job_billed_is_added_however_it_ended),
        SCENE_TEST(test_a_job_that_failed_withdraws_the_intent),
        SCENE_TEST(test_a_job_that_runs_is_waited_for),
        SCENE_TEST(test_a_label_that_was_not_raised_is_raised_before_the_intent_is_withdrawn),
        SCENE_TEST(test_a_label_that_the_intent_did_not_find_is_left_as_it_is),
        SCENE_TEST(test_a_job_that_goes_on_running_leaves_the_intent_open),
        SCENE_TEST(test_a_job_that_nobody_knows_is_claimed_before_the_intent_is_withdrawn),
        SCENE_TEST(test_a_claim_that_comes_too_late_finds_the_job_and_its_end),
        SCENE_TEST(test_a_claim_of_an_earlier_recovery_has_done_no_work),
        SCENE_TEST(test_an_answer_that_does_not_come_leaves_the_intent_open),
        SCENE_TEST(test_a_job_that_another_login_started_is_named_with_the_fix),
        SCENE_TEST(test_what_else_bigquery_refuses_is_named_before_all),
        SCENE_TEST(test_an_intent_of_another_dataset_is_resolved_there),
        SCENE_TEST(test_an_intent_of_another_dataset_whose_job_succeeded_is_acknowledged),
        SCENE_TEST(test_an_intent_without_a_place_is_resolved_in_the_dataset_of_its_target),
        SCENE_TEST(test_an_intent_that_cannot_be_resolved_where_it_belongs_stands_in_the_way),
        SCENE_TEST(test_an_intent_whose_dataset_cannot_be_asked_stands_in_the_way),
        SCENE_TEST(test_an_intent_of_an_unknown_place_asks_where_its_dataset_is),
        SCENE_TEST(test_an_intent_that_is_refused_elsewhere_is_given_up_after_a_reset),
        SCENE_TEST(test_of_the_bill_of_a_transaction_a_table_has_its_own_part),
        SCENE_TEST(test_a_reset_while_the_job_ran_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
