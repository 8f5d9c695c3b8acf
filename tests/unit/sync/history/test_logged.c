/* Tables with a history: what is sent to their logs, and what is made again beside them. */
#include "scene.h"

#include <stdio.h>
#include <string.h>

static const char three_users[] =
    "create table users(id integer primary key, name text, email text, age integer, pay, doc);"
    "insert into users(id, name) values (1, 'a'), (2, 'b'), (3, 'c')";

static const char three_changes[] =
    "update users set name = 'x' where id = 1; delete from users where id = 2;"
    "insert into users(id, name) values (4, 'd')";

static int setup(void **state)
{
    scene_setup(state);
    scene_run(*state, three_users);
    scene_sync(*state, "users");
    return 0;
}

static int setup_apart(void **state)
{
    scene_setup_apart(state);
    scene_run(*state, three_users);
    scene_sync(*state, "users");
    return 0;
}

/* A pass over users, of which so many rows were rejected before. */
static void sync_users(struct scene *scene, int64_t rejected_before)
{
    scene_pass(scene, "users", NULL);
    scene->outcomes[0].rows_rejected_before = rejected_before;
    scene_plan(scene);
    scene_read(scene);
    scene_commit(scene);
    if (task_failed(&scene->tasks[0]))
        fail_msg("%s", scene->outcomes[0].error.message);
}

/* What becomes of each row is the last of its values, behind the mark of a tombstone. */
static void test_what_triggers_know_of_a_row_is_logged_without_a_look_at_the_target(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_changes);
    sync_users(scene, 0);

    assert_string_equal(
        scene_sent_rows(scene), "4 d null null null null false insert\n"
                                "1 x null null null null false update\n"
                                "2 null null null null null true delete\n");
    assert_null(strstr(scene->last_sql, "exists ("));
}

static void test_what_a_scan_knows_of_a_row_is_logged_without_a_look_at_the_target(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_changes);
    sync_users(scene, 0);

    assert_string_equal(
        scene_sent_rows(scene), "1 x null null null null false update\n"
                                "4 d null null null null false insert\n"
                                "2 null null null null null true delete\n");
    assert_null(strstr(scene->last_sql, "exists ("));
}

/* A row that was rejected may be new to the target. */
static void test_beside_rejected_rows_the_target_says_what_becomes_of_a_row(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "update users set name = 'x' where id = 1; delete from users where id = 2");
    sync_users(scene, 1);

    assert_string_equal(
        scene_sent_rows(scene), "1 x null null null null false null\n"
                                "2 null null null null null true null\n");
    assert_non_null(strstr(scene->last_sql, "exists ("));
}

/* Which a restore of the source has undone. */
static void test_versions_beyond_those_of_the_database_are_abandoned(void **state)
{
    static const char abandoned[] =
        "update `p`.`d`.`users_changes` set `_bqsync_abandoned` = true\n"
        "where `_bqsync_generation` > 1 ";
    struct scene *scene = *state;

    scene_pass(scene, "users", NULL);
    scene->tasks[0].warehouse.label.generation = 2;
    scene_plan(scene);
    scene_read(scene);
    scene_commit(scene);

    assert_int_equal(scene->outcomes[0].status, TABLE_SYNCED);
    assert_non_null(strstr(scene->last_sql, abandoned));

    // The next replacement follows the versions that are known.
    scene_run(scene, "update bq_sync_tracking set content_hash = ''");
    sync_users(scene, 0);
    assert_non_null(strstr(scene->last_sql, "truncate table `p`.`d`.`users`"));
    assert_null(strstr(scene->last_sql, "abandoned` = true"));
}

#define LISTED(name, shape)                                                                        \
    "{\"tableReference\":{\"tableId\":\"" name "\"},\"labels\":{\"bqsync_generation\":\"1\","      \
    "\"bqsync_shape\":\"" shape "\"}}"

/* Of an idle table, whose log and target are there. */
static void test_a_view_that_was_dropped_is_made_again_with_its_function(void **state)
{
    struct scene *scene = *state;
    const struct table *users = scene->tasks[0].table;
    char list[1000];

    snprintf(
        list, sizeof list,
        "{\"tables\":[" LISTED("users", "%s") "," LISTED("users_changes", "%s") "]}",
        users->shape_hash, users->history->shape_hash);
    struct scene_answer answer = {.match = "list tables", .reply = {.status = 200, .body = list}};
    scene_answers(scene, &answer, 1);
    scene_pass_run(scene, "users", NULL);

    assert_int_equal(scene->result.tables[0].status, TABLE_UNCHANGED);
    assert_non_null(strstr(scene_requests(scene), "0 get users_changes\n"));
    const char *view = strstr(scene->last_sql, "create or replace view `p`.`d`.`users_history`");
    const char *function =
        strstr(scene->last_sql, "create or replace table function `p`.`d`.`users_at`");
    assert_true(view != NULL && view < function);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)
#define SCAN(name) cmocka_unit_test_setup_teardown(name, setup_apart, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_triggers_know_of_a_row_is_logged_without_a_look_at_the_target),
        SCAN(test_what_a_scan_knows_of_a_row_is_logged_without_a_look_at_the_target),
        TEST(test_beside_rejected_rows_the_target_says_what_becomes_of_a_row),
        TEST(test_versions_beyond_those_of_the_database_are_abandoned),
        TEST(test_a_view_that_was_dropped_is_made_again_with_its_function),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
