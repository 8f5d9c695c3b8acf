/* All batches of a pass in one transaction. */
#include "scene.h"

#include "sync/commit/transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* accounts has a changed row and settings is replaced. */
static void ready(struct scene *scene)
{
    scene_run(
        scene, "insert into accounts values (1, 'a@x', 1, 'one');"
               "insert into settings values ('k', 'v')");
    scene_sync(scene, "accounts");
    scene_sync(scene, "settings");
    scene_run(scene, "update accounts set note = 'x'; update settings set value = 'w'");
    scene->config.sync_atomic = true;
    snprintf(scene->worker.transaction, sizeof scene->worker.transaction, "00ff");
    scene_pass(scene, "accounts", "settings", NULL);
    scene_plan(scene);
    scene_read(scene);
    scene_requests(scene);
}

static void commit(struct scene *scene)
{
    const struct transaction_snapshot snapshot = {.run_id = "run1", .taken_us = 5};

    transaction_commit(&scene->workers, scene->order, scene->count, &snapshot);
}

static const char *intents(struct scene *scene)
{
    return scene_state(
        scene, "select group_concat(table_name || ' ' || kind, ', ') from"
               " (select * from bq_sync_intents order by 1)");
}

/* Whether the script was sent with these words; its request is not the last one. */
static bool was_sent(struct scene *scene, const char *words)
{
    for (size_t i = 0; i < scene->http.request_count; i++)
        if (strstr(scene->http.requests[i].body, words) != NULL)
            return true;
    return false;
}

#define STAGED                                                                                     \
    "1 patch accounts\n1 insert staging\n1 upload load\n"                                          \
    "2 patch settings\n2 insert staging\n2 upload load\n"

static void test_all_tables_are_staged_and_then_changed_by_one_script(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    commit(scene);

    assert_string_equal(
        scene_requests(scene),
        STAGED "2 query atomic\n2 list jobs\n1 delete staging\n0 delete staging\n");
    const char *begin = strstr(scene->last_sql, "begin transaction;");
    const char *merge = strstr(scene->last_sql, "merge");
    const char *truncate = strstr(scene->last_sql, "truncate table `p`.`d`.`settings`;");
    const char *note = strstr(scene->last_sql, "insert into `p`.`d`.`_bqsync_snapshots`");
    const char *end = strstr(scene->last_sql, "commit transaction;");
    assert_true(begin != NULL && begin < merge && merge < truncate && truncate < note);
    assert_true(note < end);
    // Each table's parameters have a prefix of their own.
    assert_non_null(strstr(merge, "t.`id` between @t1_low_1 and @t1_high_1"));
    assert_true(was_sent(scene, "\"name\":\"t1_low_1\""));
    assert_non_null(strstr(note, "\"run1\", \"accounts\""));
    assert_non_null(strstr(note, "\"run1\", \"settings\""));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(scene->outcomes[i].status, TABLE_SYNCED);
    assert_int_equal(scene->outcomes[1].rows_inserted, 1);
    assert_string_equal(intents(scene), "");
}

#define CHILD(table, type, billed, inserted)                                                       \
    "{\"configuration\":{\"query\":{\"destinationTable\":{\"datasetId\":\"d\",\"tableId\":"        \
    "\"" table "\"}}},\"statistics\":{\"query\":{\"statementType\":\"" type                        \
    "\",\"totalBytesBilled\":\"" billed "\",\"dmlStats\":{\"insertedRowCount\":\"" inserted        \
    "\",\"updatedRowCount\":\"3\",\"deletedRowCount\":\"4\"}}}}"

static void test_a_table_without_rows_is_emptied_without_a_staging_table(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    scene_run(scene, "delete from settings");
    scene_pass(scene, "accounts", "settings", NULL);
    scene_plan(scene);
    scene_read(scene);
    scene_requests(scene);
    commit(scene);

    assert_string_equal(
        scene_requests(scene), "1 patch accounts\n1 insert staging\n1 upload load\n"
                               "2 patch settings\n2 query atomic\n2 list jobs\n1 delete staging\n");
    assert_non_null(strstr(
        scene->last_sql, "truncate table `p`.`d`.`settings`;\ninsert into `p`."
                         "`d`.`_bqsync_snapshots`"));
    assert_int_equal(scene->outcomes[1].status, TABLE_SYNCED);
}

static void test_rows_and_bytes_of_the_script_are_counted_for_their_tables(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    SCENE_ANSWERS(
        scene,
        {.match = "query atomic",
         .reply =
             {.status = 200,
              .body = "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\"},"
                      "\"statistics\":{\"query\":{\"totalBytesBilled\":\"1000\"}}}"}},
        {.match = "list jobs",
         .reply = {
             .status = 200,
             .body = "{\"jobs\":[" CHILD("accounts", "SELECT", "10", "7") "," CHILD(
                 "accounts", "MERGE", "200",
                 "5") "," CHILD("settings", "INSERT", "300", "6") "," CHILD("other", "INSERT", "400", "8") "]}"}});
    commit(scene);

    // A replacement has counted its rows when it was read.
    assert_int_equal(scene->outcomes[0].rows_inserted, 5);
    assert_int_equal(scene->outcomes[0].rows_updated, 3);
    assert_int_equal(scene->outcomes[0].rows_deleted, 4);
    assert_int_equal(scene->outcomes[1].rows_inserted, 1);
    // What no table of the pass has billed is on the bill of the first.
    assert_int_equal(scene->outcomes[0].bytes_billed, 210 + 490);
    assert_int_equal(scene->outcomes[1].bytes_billed, 300);
}

/* However little of it no statement says. */
static void test_every_byte_that_the_script_bills_is_on_one_bill(void **state)
{
    static const int rests[] = {0, 1, 2};
    struct scene *scene = *state;
    char body[300];

    ready(scene);
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        snprintf(
            body, sizeof body,
            "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\"},"
            "\"statistics\":{\"query\":{\"totalBytesBilled\":\"%d\"}}}",
            500 + rests[i]);
        struct scene_answer answers[] = {
            {.match = "query atomic", .reply = {.status = 200, .body = body}},
            {.match = "list jobs",
             .reply = {
                 .status = 200,
                 .body = "{\"jobs\":[" CHILD("accounts", "MERGE", "200", "5") "," CHILD(
                     "settings", "INSERT", "300", "6") "]}"}}};
        scene_answers(scene, answers, 2);
        scene_pass(scene, "accounts", "settings", NULL);
        scene_plan(scene);
        scene_read(scene);
        commit(scene);
        assert_int_equal(scene->outcomes[0].bytes_billed, 200 + rests[i]);
        assert_int_equal(scene->outcomes[1].bytes_billed, 300);
        scene_run(scene, "update accounts set note = note || 'x'; update settings set value = 'x'");
    }
    assert_string_equal(scene_state(scene, "select sum(bytes) from bq_sync_billed"), "1503");
}

/* A batch of no rows of a table that nobody knows, ready for the script. */
struct staged {
    struct table table;
    struct table_history history;
    struct table_result outcome;
    struct task task;
    char name[16];
};

static void stage(struct staged *staged, int number, bool logged)
{
    snprintf(staged->name, sizeof staged->name, "t%d", number);
    staged->table.name = staged->table.target = staged->name;
    staged->table.history = logged ? &staged->history : NULL;
    staged->task.table = &staged->table;
    staged->task.outcome = &staged->outcome;
    staged->task.batch.mode = SEND_REPLACE;
    staged->task.intent = calloc(1, sizeof *staged->task.intent);
    assert_non_null(staged->task.intent);
    snprintf(staged->task.intent->table, sizeof staged->task.intent->table, "%s", staged->name);
}

/* Whether so many tables, of which some have a log, are too many for one transaction. */
static bool are_too_many(struct scene *scene, size_t count, size_t logged)
{
    static struct staged each[TRANSACTION_TABLES_MAX];
    struct task *tasks[TRANSACTION_TABLES_MAX] = {NULL};
    const struct transaction_snapshot snapshot = {.run_id = "run1"};
    char words[100];
    bool refused = true;

    memset(each, 0, sizeof each);
    for (size_t i = 0; i < count; i++) {
        // A log at the end counts as one at the beginning.
        stage(&each[i], (int)i, i >= count - logged);
        tasks[i] = &each[i].task;
    }
    transaction_commit(&scene->workers, tasks, count, &snapshot);
    snprintf(words, sizeof words, "%zu tables would change, change logs included", count + logged);
    for (size_t i = 0; i < count; i++) {
        refused = refused && strstr(each[i].outcome.error.message, words) != NULL;
        free(each[i].task.intent);
    }
    return refused;
}

/* A hundred, with the one that says what was changed. */
static void test_more_tables_than_a_transaction_takes_are_refused(void **state)
{
    struct scene *scene = *state;

    assert_false(are_too_many(scene, 99, 0));
    assert_true(are_too_many(scene, 100, 0));
    assert_true(are_too_many(scene, 99, 1));
    assert_true(are_too_many(scene, 50, 50));
    assert_string_equal(scene_requests(scene), "");
}

static void test_a_budget_that_one_run_was_too_small_for_is_reserved_for_the_next(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    scene->config.max_bytes_a_day = 100 * CONFIG_LEAST_BILLED_BYTES;
    SCENE_ANSWERS(
        scene, {.match = "query atomic",
                .reply =
                    {.status = 200,
                     .body = "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\","
                             "\"errorResult\":{\"reason\":\"bytesBilledLimitExceeded\","
                             "\"message\":\"Query exceeded limit for bytes billed: 62914560. "
                             "629145600 or higher required.\"}}}"},
                .times = 1});
    commit(scene);

    assert_non_null(strstr(scene_requests(scene), "2 query atomic\n2 query atomic\n2 list jobs\n"));
    assert_int_equal(scene->outcomes[0].status, TABLE_SYNCED);
    assert_int_equal(scene->outcomes[1].status, TABLE_SYNCED);
}

static void test_a_budget_that_is_too_small_ends_the_transaction(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    scene->config.max_bytes_a_day = 20 * CONFIG_LEAST_BILLED_BYTES;
    SCENE_ANSWERS(
        scene, {.match = "query atomic",
                .reply = {
                    .status = 200,
                    .body = "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\","
                            "\"errorResult\":{\"reason\":\"bytesBilledLimitExceeded\","
                            "\"message\":\"Query exceeded limit for bytes billed: 62914560. "
                            "629145600 or higher required.\"}}}"}});
    commit(scene);

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(scene->outcomes[i].error.code, ERROR_BUDGET);
    assert_string_equal(intents(scene), "");
}

static void test_every_intent_names_the_script_before_it_is_sent(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    SCENE_ANSWERS(scene, {.match = "query atomic", .reply = {.failure = HTTP_BROKEN}});
    commit(scene);

    // The answer is lost: all that is known is on disk, and nothing is dropped.
    assert_string_equal(intents(scene), "accounts merge, settings replace");
    assert_string_equal(
        scene_state(scene, "select group_concat(distinct commit_job) from bq_sync_intents"),
        "bqsync_atomic_00ff_1_commit");
    assert_null(strstr(scene_requests(scene), "delete"));
    for (size_t i = 0; i < 2; i++)
        assert_true(task_failed(&scene->tasks[i]));
}

/* As after a comparison of the target. */
static void know_columns(struct task *task)
{
    cJSON_Delete(task->warehouse.fields);
    task->warehouse.fields = cJSON_CreateArray();
}

static void test_a_transaction_that_failed_fails_and_withdraws_every_table(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    for (size_t i = 0; i < 2; i++)
        know_columns(&scene->tasks[i]);
    SCENE_ANSWERS(scene, {.match = "query atomic", .reply = FAILED_JOB("invalid")});
    commit(scene);

    assert_string_equal(
        scene_requests(scene), STAGED "2 query atomic\n1 delete staging\n0 delete staging\n");
    assert_string_equal(intents(scene), "");
    for (size_t i = 0; i < 2; i++) {
        assert_true(task_failed(&scene->tasks[i]));
        assert_non_null(strstr(scene->outcomes[i].error.message, "no luck"));
    }
}

static void test_a_transaction_that_failed_on_targets_that_were_not_compared_is_planned_again(
    void **state)
{
    struct scene *scene = *state;

    ready(scene);
    know_columns(&scene->tasks[1]);
    SCENE_ANSWERS(scene, {.match = "query atomic", .reply = FAILED_JOB("invalidQuery")});
    commit(scene);

    assert_string_equal(
        scene_requests(scene), STAGED "2 query atomic\n1 delete staging\n0 delete staging\n");
    assert_string_equal(intents(scene), "");
    assert_true(task_is_outdated(&scene->tasks[0]));
    assert_true(scene->tasks[0].warehouse.doubtful);
    assert_false(scene->tasks[1].warehouse.doubtful);
    assert_false(task_failed(&scene->tasks[0]));
    assert_string_equal(
        scene_state(
            scene, "select count(*) from bq_sync_tracking where coalesce(last_error, '') <> ''"),
        "0");
}

static void test_a_transaction_that_another_one_got_in_the_way_of_is_run_again(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    SCENE_ANSWERS(
        scene, {.match = "query atomic", .reply = FAILED_JOB("backendError"), .times = 1});
    commit(scene);

    assert_string_equal(
        scene_requests(scene), STAGED "2 query atomic\n2 query atomic\n2 list jobs\n"
                                      "1 delete staging\n0 delete staging\n");
    assert_int_equal(scene->outcomes[0].status, TABLE_SYNCED);
    assert_in_range(scene->clock.sleeps[scene->clock.sleep_count - 1], 500, 1000);
}

static void test_a_table_that_cannot_be_staged_is_left_out(void **state)
{
    struct scene *scene = *state;

    ready(scene);
    SCENE_ANSWERS(scene, {.match = "upload load", .reply = FAILED_JOB("invalid"), .times = 1});
    commit(scene);

    assert_true(task_failed(&scene->tasks[0]));
    assert_int_equal(scene->outcomes[1].status, TABLE_SYNCED);
    assert_null(strstr(scene->last_sql, "\"accounts\""));
    assert_non_null(strstr(scene->last_sql, "\"settings\""));
    assert_string_equal(intents(scene), "");
}

static void test_nothing_to_send_starts_no_transaction(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "accounts");
    scene->config.sync_atomic = true;
    scene_pass(scene, "accounts", NULL);
    scene_plan(scene);
    scene_read(scene);
    commit(scene);
    assert_string_equal(scene_requests(scene), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_all_tables_are_staged_and_then_changed_by_one_script),
        SCENE_TEST(test_a_table_without_rows_is_emptied_without_a_staging_table),
        SCENE_TEST(test_rows_and_bytes_of_the_script_are_counted_for_their_tables),
        SCENE_TEST(test_every_byte_that_the_script_bills_is_on_one_bill),
        SCENE_TEST(test_more_tables_than_a_transaction_takes_are_refused),
        SCENE_TEST(test_a_budget_that_one_run_was_too_small_for_is_reserved_for_the_next),
        SCENE_TEST(test_a_budget_that_is_too_small_ends_the_transaction),
        SCENE_TEST(test_every_intent_names_the_script_before_it_is_sent),
        SCENE_TEST(test_a_transaction_that_failed_fails_and_withdraws_every_table),
        SCENE_TEST(
            test_a_transaction_that_failed_on_targets_that_were_not_compared_is_planned_again),
        SCENE_TEST(test_a_transaction_that_another_one_got_in_the_way_of_is_run_again),
        SCENE_TEST(test_a_table_that_cannot_be_staged_is_left_out),
        SCENE_TEST(test_nothing_to_send_starts_no_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
