/* When the label of a table is raised, and what is asked about a series that another process left.
 */
#include "scene.h"

#include "registry.h"
#include "sync/commit/intent.h"
#include "sync/commit/settle.h"
#include "sync/series.h"

#include <stdio.h>
#include <string.h>

#define LABELLED   "1 patch accounts\n1 query merge\n"
#define UNLABELLED "1 query merge\n"
#define EXISTS                                                                                     \
    {                                                                                              \
        .status = 409, .body = "{\"error\":{\"errors\":[{\"reason\":\"duplicate\"}]}}"             \
    }
#define CLAIMED                                                                                    \
    "{\"configuration\":{\"query\":{\"query\":\"select 1 as claimed_by_bqsync\"}},"                \
    "\"status\":{\"state\":\"DONE\"}}"
#define DONE "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\"}}"
#define FAILED                                                                                     \
    "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\",\"errorResult\":{"           \
    "\"reason\":\"invalidQuery\"}}}"

static int setup(void **state)
{
    struct error err;

    scene_setup(state);
    struct scene *scene = *state;
    expect_ok(series_new(
        &scene->clock.clock, registry_tables, registry_count, &scene->deployment.series, &err));
    scene->worker.series = scene->deployment.series;
    scene->worker.follows = true;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    series_free(scene->deployment.series);
    return scene_teardown(state);
}

static int count(const char *text, const char *part)
{
    int times = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        times++;
    return times;
}

/* The pass that follows a commit to accounts. */
static void follow_commit(struct scene *scene)
{
    scene_run(
        scene, "insert into accounts(email) values ((select count(*) || '@x' from accounts))");
    scene_pass(scene, "accounts", NULL);
    scene_plan(scene);
    scene_read(scene);
    scene_commit(scene);
}

/* What it asks. */
static const char *commit(struct scene *scene)
{
    follow_commit(scene);
    assert_false(task_failed(&scene->tasks[0]));
    return scene_requests(scene);
}

/* Up to a label that has stayed behind once. */
static void leave_behind(struct scene *scene)
{
    commit(scene);
    assert_string_equal(commit(scene), LABELLED);
    assert_string_equal(commit(scene), UNLABELLED);
}

static const struct task *next_pass(struct scene *scene)
{
    scene_pass(scene, "accounts", NULL);
    scene_plan(scene);
    return &scene->tasks[0];
}

static bool is_doubtful(struct scene *scene)
{
    return settle_is_doubtful(scene->deployment.series, next_pass(scene));
}

/* As another process sees it. */
static void forget(struct scene *scene)
{
    series_forget(scene->deployment.series, scene->tasks[0].table);
}

static void test_a_single_commit_begins_none(void **state)
{
    struct scene *scene = *state;

    commit(scene);
    scene->clock.ms += SERIES_MS;
    assert_string_equal(commit(scene), LABELLED);
    assert_string_equal(next_pass(scene)->source.watermark.series, "");
    scene->clock.ms += SERIES_MS;
    assert_string_equal(commit(scene), LABELLED);
}

static void test_the_label_stays_behind_for_ten_seconds(void **state)
{
    struct scene *scene = *state;

    leave_behind(scene);
    const struct watermark *watermark = &next_pass(scene)->source.watermark;
    assert_int_equal(watermark->label.generation, 2);
    assert_int_equal(watermark->generation, 3);
    scene->clock.ms += SERIES_MS - 1;
    assert_string_equal(commit(scene), UNLABELLED);
    scene->clock.ms += 1;
    assert_string_equal(commit(scene), LABELLED);
    watermark = &next_pass(scene)->source.watermark;
    assert_int_equal(watermark->label.generation, 5);
    assert_int_equal(watermark->generation, 5);
}

static void test_a_pass_that_follows_nothing_raises_the_label(void **state)
{
    struct scene *scene = *state;

    leave_behind(scene);
    scene->worker.follows = false;
    assert_string_equal(commit(scene), LABELLED);
    assert_string_equal(next_pass(scene)->source.watermark.series, "");
    assert_string_equal(commit(scene), LABELLED);
}

static void test_a_replacement_raises_the_label(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_behind(scene);
    expect_ok(tracking_invalidate(&scene->tracking, "accounts", &err));
    assert_non_null(strstr(commit(scene), "1 patch accounts\n1 upload replace\n"));
}

/* The id of such a job follows from nothing but the state before it. */
static void test_the_commit_job_is_named_by_series_and_generation(void **state)
{
    struct scene *scene = *state;
    char id[LABEL_JOB_ID_SIZE];

    leave_behind(scene);
    struct watermark before = next_pass(scene)->source.watermark;
    label_jobs_id(before.series, "accounts", before.generation + 1, id);
    commit(scene);
    assert_non_null(strstr(scene->last_body, id));
    assert_int_equal(strlen(before.series), TRACKING_NONCE_SIZE - 1);
}

static void test_a_job_that_failed_ends_the_series(void **state)
{
    struct scene *scene = *state;

    leave_behind(scene);
    SCENE_ANSWERS(scene, {.match = "query merge", .reply = FAILED_JOB("invalid"), .times = 1});
    follow_commit(scene);
    scene_requests(scene);
    scene_answers(scene, NULL, 0);
    assert_true(is_doubtful(scene));
    assert_non_null(strstr(commit(scene), "1 patch accounts\n"));
}

static void test_its_own_series_is_not_doubted(void **state)
{
    struct scene *scene = *state;

    leave_behind(scene);
    assert_false(is_doubtful(scene));
    scene->clock.ms += SERIES_MS;
    assert_false(is_doubtful(scene));
    forget(scene);
    assert_true(is_doubtful(scene));
}

/* A backup of the very moment in which the label was raised: nothing in it is behind yet. */
static void test_a_series_that_has_only_begun_is_doubted_too(void **state)
{
    struct scene *scene = *state;

    commit(scene);
    commit(scene);
    forget(scene);
    const struct watermark *watermark = &next_pass(scene)->source.watermark;
    assert_int_equal(watermark->label.generation, watermark->generation);
    assert_true(settle_is_doubtful(scene->deployment.series, &scene->tasks[0]));
}

static void test_a_state_that_is_older_than_what_the_process_left_is_doubted(void **state)
{
    struct scene *scene = *state;

    leave_behind(scene);
    scene_run(scene, "update bq_sync_generations set generation = generation - 1");
    assert_true(is_doubtful(scene));
}

/* As a process finds a series that another one left open. */
static void find_open_series(struct scene *scene)
{
    leave_behind(scene);
    forget(scene);
    next_pass(scene);
}

static void test_a_job_that_nobody_knows_is_claimed(void **state)
{
    struct scene *scene = *state;
    struct error err;

    find_open_series(scene);
    expect_ok(settle_doubt(&scene->worker, &scene->tasks[0], NULL, &err));
    assert_string_equal(scene_requests(scene), "0 query claim\n");
    assert_null(scene->tasks[0].outdated);
    assert_false(scene->tasks[0].warehouse.ahead);
    // The next commit uses no id that was claimed.
    assert_string_equal(commit(scene), LABELLED);
}

static void test_a_job_that_is_there_leads_to_a_replacement(void **state)
{
    struct scene *scene = *state;
    struct error err;

    find_open_series(scene);
    SCENE_ANSWERS(
        scene, {.match = "query claim", .reply = EXISTS, .times = 2},
        {.match = "get job", .reply = {.status = 200, .body = DONE}});
    struct task *task = &scene->tasks[0];
    expect_ok(settle_doubt(&scene->worker, task, NULL, &err));
    assert_non_null(task->outdated);
    // Two that have ended, and the one after them, of which nobody knows.
    assert_int_equal(count(scene_requests(scene), "query claim"), 3);

    task->outdated = NULL;
    scene_plan(scene);
    assert_int_equal(task->plan.mode, SEND_REPLACE);
    assert_non_null(strstr(task->plan.why, "restored from a backup"));
    assert_false(settle_is_doubtful(scene->deployment.series, task));
}

static void test_a_job_that_failed_leads_to_no_replacement(void **state)
{
    struct scene *scene = *state;
    struct error err;

    find_open_series(scene);
    SCENE_ANSWERS(
        scene, {.match = "query claim", .reply = EXISTS, .times = 1},
        {.match = "get job", .reply = {.status = 200, .body = FAILED}});
    expect_ok(settle_doubt(&scene->worker, &scene->tasks[0], NULL, &err));
    assert_int_equal(count(scene_requests(scene), "query claim"), 2);
    assert_null(scene->tasks[0].outdated);
}

/* An earlier run has claimed it, so that it can do nothing and has none after it. */
static void test_a_job_that_was_claimed_leads_to_no_replacement(void **state)
{
    struct scene *scene = *state;
    struct error err;

    find_open_series(scene);
    SCENE_ANSWERS(
        scene, {.match = "query claim", .reply = EXISTS},
        {.match = "get job", .reply = {.status = 200, .body = CLAIMED}});
    expect_ok(settle_doubt(&scene->worker, &scene->tasks[0], NULL, &err));
    assert_null(scene->tasks[0].outdated);
}

/* As a source that was restored from a backup finds it. */
static struct task *find_label(struct scene *scene, int64_t generation, const char *jobs)
{
    struct task *task = &scene->tasks[0];

    scene_pass(scene, "accounts", NULL);
    task->warehouse.label.generation = generation;
    snprintf(task->warehouse.label.jobs, sizeof task->warehouse.label.jobs, "%s", jobs);
    scene_plan(scene);
    scene_requests(scene);
    return task;
}

static void test_jobs_after_a_strange_label_are_ended(void **state)
{
    struct scene *scene = *state;
    struct error err;
    static const char *const named[][2] = {
        {"00ff", "bqsync_accounts_9_00ff_commit"},
        {"atomic_00ff", "bqsync_atomic_00ff_1_commit"},
    };

    commit(scene);
    assert_false(is_doubtful(scene));
    assert_false(settle_is_doubtful(scene->deployment.series, find_label(scene, 1, "")));
    // Another copy of the state has reached the same number.
    assert_true(settle_is_doubtful(scene->deployment.series, find_label(scene, 1, "00ff")));
    assert_non_null(strstr(scene->tasks[0].plan.why, "another copy"));
    for (size_t i = 0; i < 2; i++) {
        struct task *task = find_label(scene, 9, named[i][0]);
        assert_int_equal(task->plan.mode, SEND_REPLACE);
        assert_true(settle_is_doubtful(scene->deployment.series, task));
        expect_ok(settle_doubt(&scene->worker, task, NULL, &err));
        assert_non_null(strstr(scene->last_body, named[i][1]));
        assert_false(settle_is_doubtful(scene->deployment.series, task));
        // It is replaced already.
        assert_null(task->outdated);
        task->warehouse.settled = false;
    }
}

/* Of a version that did not name them. */
static void test_a_strange_label_without_jobs_is_taken_as_it_is(void **state)
{
    struct scene *scene = *state;

    commit(scene);
    const struct task *task = find_label(scene, 9, "");
    assert_int_equal(task->plan.mode, SEND_REPLACE);
    assert_false(settle_is_doubtful(scene->deployment.series, task));
}

static void test_without_an_answer_the_table_fails(void **state)
{
    struct scene *scene = *state;
    struct error err;

    find_open_series(scene);
    SCENE_ANSWERS(scene, {.match = "query claim", .reply = {.failure = HTTP_BROKEN}});
    assert_false(settle_doubt(&scene->worker, &scene->tasks[0], NULL, &err));
    assert_non_null(strstr(err.message, "of which this database knows nothing"));
}

static void test_the_label_of_a_table_without_changes_is_raised(void **state)
{
    struct scene *scene = *state;
    struct error err;

    leave_behind(scene);
    const struct task *task = next_pass(scene);
    scene->outcomes[0].status = TABLE_UNCHANGED;
    assert_false(settle_is_due(scene->deployment.series, task, true));
    assert_true(settle_is_due(scene->deployment.series, task, false));
    scene->clock.ms += SERIES_MS;
    assert_true(settle_is_due(scene->deployment.series, task, true));

    expect_ok(settle_label(&scene->worker, &scene->tasks[0], NULL, &err));
    assert_string_equal(scene_requests(scene), "1 patch accounts\n");
    assert_non_null(strstr(scene->last_body, "\"bqsync_generation\":\"4\""));
    assert_non_null(strstr(scene->last_body, "\"bqsync_jobs\":\""));
    task = next_pass(scene);
    scene->outcomes[0].status = TABLE_UNCHANGED;
    assert_int_equal(task->source.watermark.label.generation, 4);
    assert_int_equal(task->source.watermark.generation, 4);
    assert_false(settle_is_due(scene->deployment.series, task, false));
    assert_false(is_doubtful(scene));
    assert_string_equal(scene_state(scene, "select count(*) from bq_sync_intents"), "0");
}

/* As the pass does it. */
static const char *append(struct scene *scene)
{
    scene_run(scene, "insert into events(kind) values ('k')");
    scene_pass(scene, "events", NULL);
    scene->tasks[0].warehouse.frequent =
        series_is_worthwhile(scene->deployment.series, scene->tasks[0].table);
    scene_plan(scene);
    scene_read(scene);
    scene_commit(scene);
    assert_false(task_failed(&scene->tasks[0]));
    return scene_requests(scene);
}

static void test_new_rows_travel_in_the_statement_while_passes_follow_each_other(void **state)
{
    struct scene *scene = *state;

    append(scene);
    assert_non_null(strstr(append(scene), "1 patch events\n1 query merge\n"));
    assert_string_equal(append(scene), UNLABELLED);
    scene->clock.ms += SERIES_MS;
    assert_non_null(strstr(append(scene), "1 upload append\n"));
}

#define SERIES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERIES_TEST(test_a_single_commit_begins_none),
        SERIES_TEST(test_the_label_stays_behind_for_ten_seconds),
        SERIES_TEST(test_a_pass_that_follows_nothing_raises_the_label),
        SERIES_TEST(test_a_replacement_raises_the_label),
        SERIES_TEST(test_the_commit_job_is_named_by_series_and_generation),
        SERIES_TEST(test_a_job_that_failed_ends_the_series),
        SERIES_TEST(test_its_own_series_is_not_doubted),
        SERIES_TEST(test_a_series_that_has_only_begun_is_doubted_too),
        SERIES_TEST(test_a_state_that_is_older_than_what_the_process_left_is_doubted),
        SERIES_TEST(test_a_job_that_nobody_knows_is_claimed),
        SERIES_TEST(test_a_job_that_is_there_leads_to_a_replacement),
        SERIES_TEST(test_a_job_that_failed_leads_to_no_replacement),
        SERIES_TEST(test_a_job_that_was_claimed_leads_to_no_replacement),
        SERIES_TEST(test_jobs_after_a_strange_label_are_ended),
        SERIES_TEST(test_a_strange_label_without_jobs_is_taken_as_it_is),
        SERIES_TEST(test_without_an_answer_the_table_fails),
        SERIES_TEST(test_the_label_of_a_table_without_changes_is_raised),
        SERIES_TEST(test_new_rows_travel_in_the_statement_while_passes_follow_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
