/* BigQuery counts by the name of the target, which may not be that of the table in SQLite. */
#include "scene.h"

#include "sync/commit/transaction.h"
#include "sync/pass/target.h"
#include "warehouse/call.h"
#include "warehouse/quota.h"

#include <string.h>

/* The scene answers for the tables of tests/schemas. */
#define ELSEWHERE "people"
/* accounts with a balance that has to be widened. */
#define NARROW                                                                                     \
    "{\"schema\":{\"fields\":[{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"},"       \
    "{\"name\":\"email\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"},"                              \
    "{\"name\":\"balance\",\"type\":\"INTEGER\"},{\"name\":\"note\",\"type\":\"STRING\"}]},"       \
    "\"labels\":{}}"

/* The table's batch is ready, and its target has another name. */
static void ready(struct scene *scene, const char *table, struct table *out_renamed)
{
    scene_run(
        scene, "insert or replace into accounts values (1, 'a@x', 1, 'one');"
               "insert or replace into settings values ('k', 'v')");
    scene_sync(scene, table);
    scene_run(scene, "update accounts set note = 'x'; update settings set value = 'w'");
    scene_pass(scene, table, NULL);
    scene_plan(scene);
    scene_read(scene);
    *out_renamed = *scene->tasks[0].table;
    out_renamed->target = ELSEWHERE;
    scene->tasks[0].table = out_renamed;
    quota_free(scene->deployment.quota);
    scene->deployment.quota = quota_new(&scene->clock.clock);
    scene->worker.bigquery->quota = scene->deployment.quota;
    // From here on nobody waits.
    scene->clock.stop_at_ms = scene->clock.ms + 1;
}

static void forget_quota(struct scene *scene)
{
    scene->worker.bigquery->quota = NULL;
    quota_free(scene->deployment.quota);
    scene->deployment.quota = NULL;
}

static void use_up(struct scene *scene, const char *name, enum quota_kind kind, int times)
{
    struct error err;

    while (times-- > 0)
        expect_ok(quota_enter(scene->deployment.quota, name, kind, &err));
}

static void expect_paced(struct scene *scene, const char *name)
{
    assert_non_null(strstr(scene->outcomes[0].error.message, name));
    forget_quota(scene);
}

/* A commit of accounts when so many actions of a kind have been taken on its target. */
static void expect_commit_paced(struct scene *scene, enum quota_kind kind, int taken)
{
    struct table renamed;

    ready(scene, "accounts", &renamed);
    use_up(scene, ELSEWHERE, kind, taken);
    scene_commit(scene);
    expect_paced(scene, "asked to stop while pacing table " ELSEWHERE);
}

static void test_a_merge(void **state)
{
    expect_commit_paced(*state, QUOTA_DML, QUOTA_DML_AT_ONCE);
}

static void test_a_patch(void **state)
{
    expect_commit_paced(*state, QUOTA_METADATA, QUOTA_METADATA_LIMIT);
}

static void test_a_load(void **state)
{
    struct scene *scene = *state;
    const struct quota_load all = {QUOTA_DAILY_LIMIT, QUOTA_DAILY_LIMIT};
    struct table renamed;
    struct error err;

    ready(scene, "settings", &renamed);
    expect_ok(quota_modify(scene->deployment.quota, ELSEWHERE, &all, &err));
    scene_commit(scene);
    expect_paced(scene, "table " ELSEWHERE ": 1500 loads and copies in the last 24 hours");
}

static void test_an_alter(void **state)
{
    struct scene *scene = *state;
    struct table renamed;
    struct error err;

    ready(scene, "accounts", &renamed);
    scene->tasks[0].plan.inspect_target = true;
    use_up(scene, ELSEWHERE, QUOTA_METADATA, QUOTA_METADATA_LIMIT);
    SCENE_ANSWERS(scene, {.match = "get " ELSEWHERE, .reply = {.status = 200, .body = NARROW}});
    expect_error(
        target_prepare(&scene->worker, &scene->tasks[0], NULL, &err), ERROR_STOPPED,
        "asked to stop while pacing table " ELSEWHERE);
    forget_quota(scene);
}

static void test_a_transaction_is_dml_though_it_begins_with_create_table(void **state)
{
    struct scene *scene = *state;
    const struct transaction_snapshot snapshot = {.run_id = "run1", .taken_us = 5};
    struct table renamed;

    scene->config.sync_atomic = true;
    ready(scene, "accounts", &renamed);
    use_up(scene, SNAPSHOTS_TABLE, QUOTA_METADATA, QUOTA_METADATA_LIMIT);
    transaction_commit(&scene->workers, scene->order, scene->count, &snapshot);
    assert_int_equal(scene->outcomes[0].status, TABLE_SYNCED);
    forget_quota(scene);

    scene->clock.stop_at_ms = 0;
    ready(scene, "accounts", &renamed);
    use_up(scene, SNAPSHOTS_TABLE, QUOTA_DML, QUOTA_DML_AT_ONCE);
    transaction_commit(&scene->workers, scene->order, scene->count, &snapshot);
    expect_paced(scene, "asked to stop while pacing table " SNAPSHOTS_TABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_a_merge),
        SCENE_TEST(test_a_patch),
        SCENE_TEST(test_a_load),
        SCENE_TEST(test_an_alter),
        SCENE_TEST(test_a_transaction_is_dml_though_it_begins_with_create_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
