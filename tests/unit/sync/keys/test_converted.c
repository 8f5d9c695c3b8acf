/* Keys that two rows of SQLite share in BigQuery: one of the rows is sent, the other is rejected.
 */
#include "scene.h"

#include "sync/verify/comparison.h"
#include "sync/verify/source_rows.h"

#include <stdio.h>
#include <string.h>

static const char table_of_numbers[] =
    "create table numbers(k not null primary key, v text, n integer);"
    "insert into numbers values (1, 'a', 1), ('1', 'b', 2), (2, 'c', 3)";

static int setup(void **state)
{
    scene_setup(state);
    scene_run(*state, table_of_numbers);
    scene_sync(*state, "numbers");
    return 0;
}

static int setup_apart(void **state)
{
    scene_setup_apart(state);
    scene_run(*state, table_of_numbers);
    scene_sync(*state, "numbers");
    return 0;
}

static void sync_numbers(struct scene *scene)
{
    scene_sync(scene, "numbers");
}

static const char *rejects(struct scene *scene)
{
    return scene_state(
        scene, "select group_concat(key_json || ' ' || storage_class) from bq_sync_rejects");
}

static void test_the_first_row_of_a_key_is_sent_and_the_other_is_rejected(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(scene->outcomes[0].rows_inserted, 2);
    assert_int_equal(scene->outcomes[0].rows_rejected, 1);
    assert_string_equal(rejects(scene), "{\"k\":\"1\"} text");
}

static void test_a_changed_row_is_sent_under_its_key_and_the_other_stays_rejected(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "update numbers set v = v || 'x'");
    sync_numbers(scene);

    assert_string_equal(scene_sent_rows(scene), "1 ax 1 false\n2 cx 3 false\n");
    assert_string_equal(rejects(scene), "{\"k\":\"1\"} text");
}

static void test_the_other_row_takes_the_place_of_one_that_is_deleted(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "delete from numbers where typeof(k) = 'integer' and k = 1");
    sync_numbers(scene);

    assert_string_equal(scene_sent_rows(scene), "1 b 2 false\n");
    assert_string_equal(rejects(scene), "");
}

/* Keys are data: the message does not have them. */
static void test_a_row_that_fails_its_table_is_named_beside_the_one_that_has_its_key(void **state)
{
    struct scene *scene = *state;

    scene_pass(scene, "numbers", NULL);
    struct table fails = *scene->tasks[0].table;
    fails.reject_fails = true;
    scene->tasks[0].table = &fails;
    scene_plan(scene);
    scene_read(scene);
    const struct error *err = &scene->outcomes[0].error;

    assert_string_equal(
        err->message, "numbers.k: text value and that of another row are one key in BigQuery. Fix "
                      "the row, or let `on_reject` be \"reject\"");
    assert_string_equal(
        err->row, "the row with k = 1; its value and that of the row with k = 1 are one key in "
                  "BigQuery");
}

static bool note(void *context, struct column_reader *in, bool fits, struct error *err)
{
    char *text = context;
    size_t used = strlen(text);

    (void)err;
    snprintf(
        text + used, 200 - used, "%s %s%s\n", sqlite3_column_text(in->row, 1),
        sqlite3_column_text(in->row, 0), fits ? "" : " rejected");
    return true;
}

static void test_a_comparison_expects_no_row_that_was_rejected_for_the_key_of_another(void **state)
{
    struct scene *scene = *state;
    struct source_rows rows;
    char synced[200] = "";
    const struct source_rows_visitor visitor = {.context = synced, .synced = note};
    struct error err;

    expect_ok(source_rows_init(
        &rows, &scene->config, &scene->source, &scene->tracking, scene->tasks[0].table, &err));
    expect_ok(source_rows_read(&rows, ROW_TEXT_ALL, &visitor, &err));
    source_rows_clear(&rows);

    assert_string_equal(synced, "a 1\nb 1 rejected\nc 2\n");
    assert_true(rows.owners_known);
}

/* BigQuery's answer to each query of the comparison. */
#define NO_ROWS                                                                                    \
    {                                                                                              \
        .status = 200, .body = "{\"jobComplete\":true,\"totalBytesBilled\":\"0\",\"schema\":{"     \
                               "\"fields\":[]},\"rows\":[]}"                                       \
    }

/* Its key is listed as changed, but no row of it can be in BigQuery. */
static void test_a_new_row_whose_key_does_not_fit_is_not_pending(void **state)
{
    struct scene *scene = *state;
    const struct table *const tables[] = {scene->tasks[0].table};
    const struct comparison_sides sides = {
        .config = &scene->config,
        .source = &scene->source,
        .tracking = &scene->tracking,
        .bigquery = scene->worker.bigquery,
        .clock = &scene->clock.clock,
    };
    struct verify_table *found = NULL;
    struct error err;

    scene_run(scene, "insert into numbers values ('no number', 'd', 4), (5, 'e', 5)");
    SCENE_ANSWERS(scene, {.match = "", .reply = NO_ROWS});
    expect_ok(verify_report_new(tables, 1, &found, &err));
    expect_ok(comparison_run(&sides, found, &err));

    assert_int_equal(found->missing_count, 2);
    assert_int_equal(found->pending, 1);
    assert_int_equal(found->rejected, 2);
    verify_report_free(found, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)
#define SCAN(name) cmocka_unit_test_setup_teardown(name, setup_apart, scene_teardown)
#define BOTH(name) TEST(name), SCAN(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_the_first_row_of_a_key_is_sent_and_the_other_is_rejected),
        BOTH(test_a_changed_row_is_sent_under_its_key_and_the_other_stays_rejected),
        BOTH(test_the_other_row_takes_the_place_of_one_that_is_deleted),
        TEST(test_a_row_that_fails_its_table_is_named_beside_the_one_that_has_its_key),
        BOTH(test_a_comparison_expects_no_row_that_was_rejected_for_the_key_of_another),
        BOTH(test_a_new_row_whose_key_does_not_fit_is_not_pending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
