/* What a refusal of BigQuery, or of the day's budget, changes about how a table is sent. */
#include "scene.h"

#include "sync/commit/staging.h"
#include "sync/pass/codec_record.h"

#include <stdio.h>
#include <string.h>

#define FAILED_WITH(message)                                                                       \
    {                                                                                              \
        .status = 200,                                                                             \
        .body =                                                                                    \
            "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\",\"errorResult\":"    \
            "{\"reason\":\"invalid\",\"message\":\"" message "\"}}}"                               \
    }

static const char one_account[] = "insert into accounts values (1, 'a@x', 1, 'one')";

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

static bool packs_with_deflate(struct scene *scene)
{
    struct extract_codec choice;
    struct error err;

    expect_ok(codec_record_load(&scene->deployment, &scene->tracking, &choice, &err));
    return choice.deflate_only;
}

static void test_a_codec_that_is_refused_is_not_used_again(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, one_account);
    struct task *task = ready(scene, "accounts");
    task->batch.codec = CODEC_ZSTD;
    SCENE_ANSWERS(scene, {.match = "upload", .reply = FAILED_WITH("no luck")});
    scene_commit(scene);
    assert_true(task_failed(task));
    assert_false(packs_with_deflate(scene));

    task = ready(scene, "accounts");
    task->batch.codec = CODEC_DEFLATE;
    SCENE_ANSWERS(scene, {.match = "upload", .reply = FAILED_WITH("Avro codec unknown")});
    scene_commit(scene);
    assert_true(task_failed(task));
    assert_false(packs_with_deflate(scene));

    task = ready(scene, "accounts");
    task->batch.codec = CODEC_ZSTD;
    scene_commit(scene);
    assert_false(task_failed(task));
    assert_true(task_is_outdated(task));
    assert_true(packs_with_deflate(scene));
}

/* The rows are in the statement. */
static void test_a_statement_without_a_file_says_nothing_of_its_codec(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, one_account);
    scene_sync(scene, "accounts");
    scene_run(scene, "update accounts set note = 'x'");
    struct task *task = ready(scene, "accounts");
    task->batch.codec = CODEC_ZSTD;
    SCENE_ANSWERS(scene, {.match = "query merge", .reply = FAILED_WITH("codec zstandard")});
    scene_commit(scene);

    assert_false(packs_with_deflate(scene));
}

static void test_many_partitions_are_changed_in_parts_from_then_on(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 8; bits++) {
        const bool partitioned = bits & 1, known = bits & 2, says = bits & 4;
        const bool expected = partitioned && !known && says;
        struct error failure = {.message = "no luck"};
        struct task task = {.warehouse.many_partitions = known};
        task.batch.partitions.unit = partitioned ? PARTITION_DAY : PARTITION_NONE;
        if (says)
            strcpy(failure.message, "Too many partitions produced by query, allowed 4000");

        if (staging_adopt_parts(&task, &failure) != expected)
            fail_msg("%u", bits);
        assert_int_equal(task.warehouse.many_partitions, known || expected);
        assert_int_equal(task_is_outdated(&task), expected);
    }
}

static void test_a_row_that_left_its_immutable_column_is_looked_for_everywhere(void **state)
{
    const struct table table = {.name = "t"};

    (void)state;
    for (unsigned bits = 0; bits < 4; bits++) {
        const bool within = bits & 1, says = bits & 2;
        struct error failure = {.message = "no luck"};
        struct task task = {.table = &table};
        task.batch.bounds.within = within;
        if (says)
            strcpy(failure.message, "t.made_at is declared immutable");

        if (staging_adopt_unbounded(&task, &failure) != (within && says))
            fail_msg("%u", bits);
        assert_int_equal(task.warehouse.unbounded, within && says);
        assert_int_equal(task_is_outdated(&task), within && says);
    }
}

/* --- the budget -------------------------------------------------------------------------- */

/* A MERGE of one row, with so much of a budget used today. */
static struct task *merge_of(struct scene *scene, int64_t budget, int64_t used)
{
    char sql[200];

    scene_run(scene, "update accounts set note = note || 'x'; delete from bq_sync_billed");
    snprintf(
        sql, sizeof sql,
        "insert into bq_sync_billed(table_name, day, bytes) values ('x', '2026-01-02', %lld)",
        (long long)used);
    scene_run(scene, sql);
    scene->config.max_bytes_a_day = budget;
    return ready(scene, "accounts");
}

static void expect_refusal(struct scene *scene, bool names_the_way_out)
{
    scene_commit(scene);
    const struct error *why = &scene->outcomes[0].error;

    assert_int_equal(why->code, ERROR_BUDGET);
    assert_string_equal(scene_requests(scene), "");
    assert_int_equal(
        strstr(why->message, "bqsync sync --full accounts") != NULL, names_the_way_out);
}

static void test_a_table_that_never_fits_the_budget_can_be_replaced_for_nothing(void **state)
{
    struct scene *scene = *state;
    const int64_t least = CONFIG_LEAST_BILLED_BYTES;
    struct table kept;

    scene_run(scene, one_account);
    scene_sync(scene, "accounts");
    merge_of(scene, least, 0);
    scene_commit(scene);
    assert_int_equal(scene->outcomes[0].status, TABLE_SYNCED);
    scene_requests(scene);

    merge_of(scene, least - 1, 0);
    expect_refusal(scene, true);
    // Tomorrow it fits.
    merge_of(scene, 2 * least, least + 1);
    expect_refusal(scene, false);
    // A replacement would be billed, too.
    merge_of(scene, least - 1, 0)->outcome->rows_rejected_before = 1;
    expect_refusal(scene, false);
    merge_of(scene, least - 1, 0)->source.json_as_text = true;
    expect_refusal(scene, false);
    struct task *task = merge_of(scene, least - 1, 0);
    kept = *task->table;
    kept.deletes = DELETES_KEEP;
    task->table = &kept;
    expect_refusal(scene, false);
    merge_of(scene, least - 1, 0);
    scene->config.sync_atomic = true;
    expect_refusal(scene, false);
}

/* --- trying again ------------------------------------------------------------------------ */

static void test_the_last_millisecond_of_the_time_for_retries_is_used(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, one_account);
    struct task *task = ready(scene, "accounts");
    SCENE_ANSWERS(scene, {.match = "upload replace", .reply = FAILED_JOB("backendError")});
    scene->worker.retry_budget_ms = 1;
    scene_commit(scene);

    assert_true(task_failed(task));
    assert_int_equal(task->outcome->attempts, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_a_codec_that_is_refused_is_not_used_again),
        SCENE_TEST(test_a_statement_without_a_file_says_nothing_of_its_codec),
        cmocka_unit_test(test_many_partitions_are_changed_in_parts_from_then_on),
        cmocka_unit_test(test_a_row_that_left_its_immutable_column_is_looked_for_everywhere),
        SCENE_TEST(test_a_table_that_never_fits_the_budget_can_be_replaced_for_nothing),
        SCENE_TEST(test_the_last_millisecond_of_the_time_for_retries_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
