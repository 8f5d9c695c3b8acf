#include "support/prelude.h"

#include "base/json_exact.h"
#include "service/verifier.h"
#include "support/manual_clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const struct table users = {.name = "users", .target = "users"};
static const struct table tasks = {.name = "tasks", .target = "tasks"};
static const struct table *const tables[] = {&users, &tasks};

/* Verifications that find what the test says, and end when it says so. */
struct world {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool held;
    bool fails;
    int64_t missing;   /* keys of users */
    bool broken;       /* tasks cannot be compared */
    int64_t judged[2]; /* differences that it has told of, UNTOLD: none */
    struct manual_clock clock;
    struct verifier *verifier;
};

#define UNTOLD (-1)

static void judged(void *context, const struct verify_table *table)
{
    struct world *world = context;

    pthread_mutex_lock(&world->mutex);
    world->judged[table->table == &users ? 0 : 1] = verify_report_differences(table);
    pthread_mutex_unlock(&world->mutex);
}

static bool run(
    void *context, const struct table *const *chosen, size_t count,
    const struct verify_watch *watch, struct verify_table **out_tables, struct error *err)
{
    struct world *world = context;
    struct verify_table *out = calloc(count + 1, sizeof *out);

    pthread_mutex_lock(&world->mutex);
    for (size_t i = 0; i < count; i++) {
        watch->table_begins(watch->context, i);
        out[i].table = chosen[i];
        out[i].missing_count = chosen[i] == &users ? world->missing : 0;
        if (chosen[i] == &tasks && world->broken)
            error_set(&out[i].error, ERROR_SCHEMA, "does not fit");
        out[i].equal = out[i].missing_count == 0 && out[i].error.code == ERROR_NONE;
    }
    while (world->held)
        pthread_cond_wait(&world->changed, &world->mutex);
    bool fails = world->fails;
    pthread_mutex_unlock(&world->mutex);
    for (size_t i = 0; !fails && i < count; i++)
        watch->table_ends(watch->context, &out[i]);
    if (fails) {
        verify_report_free(out, count);
        return error_set(err, ERROR_SOURCE, "no such file");
    }
    *out_tables = out;
    return true;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct error err;

    pthread_mutex_init(&world->mutex, NULL);
    pthread_cond_init(&world->changed, NULL);
    world->judged[0] = world->judged[1] = UNTOLD;
    manual_clock_init(&world->clock);
    expect_ok(verifier_new(
        &(struct verifier_options){
            .run = run,
            .judged = judged,
            .context = world,
            .clock = &world->clock.clock,
            .tables = tables,
            .table_count = 2,
        },
        &world->verifier, &err));
    expect_ok(verifier_start(world->verifier, &err));
    *state = world;
    return 0;
}

static void hold(struct world *world, bool held)
{
    pthread_mutex_lock(&world->mutex);
    world->held = held;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

static int tear_down(void **state)
{
    struct world *world = *state;

    hold(world, false);
    verifier_free(world->verifier);
    pthread_cond_destroy(&world->changed);
    pthread_mutex_destroy(&world->mutex);
    free(world);
    return 0;
}

/* The verifier's document, once none runs, or once one has got to this table. */
static cJSON *wait_for(struct world *world, const char *table)
{
    for (;;) {
        cJSON *json = verifier_json(world->verifier);
        const cJSON *running = cJSON_GetObjectItemCaseSensitive(json, "running");
        const char *at = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(running, "table"));
        if (table == NULL ? cJSON_IsNull(running) : at != NULL && strcmp(at, table) == 0)
            return json;
        cJSON_Delete(json);
        sched_yield();
    }
}

static void verify(struct world *world, const struct table *const *chosen, size_t count)
{
    char id[RUN_ID_SIZE];

    assert_int_equal(verifier_request(world->verifier, chosen, count, id), VERIFIER_ACCEPTED);
    cJSON *json = wait_for(world, NULL);
    const cJSON *last = cJSON_GetObjectItemCaseSensitive(json, "last");
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(last, "verify_id")), id);
    cJSON_Delete(json);
}

static void expect_view(struct world *world, bool compared, int64_t of_users, int64_t of_tasks)
{
    struct verifier_view view;

    verifier_view(world->verifier, &view);
    assert_int_equal(view.compared, compared);
    assert_int_equal(world->judged[0], of_users);
    assert_int_equal(world->judged[1], of_tasks);
    world->judged[0] = world->judged[1] = UNTOLD;
}

static void test_before_the_first_one_nothing_is_claimed(void **state)
{
    struct world *world = *state;
    struct verifier_view view;

    cJSON *json = wait_for(world, NULL);
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, "last")));
    cJSON_Delete(json);
    verifier_view(world->verifier, &view);
    assert_int_equal(view.finished_us, 0);
    expect_view(world, false, UNTOLD, UNTOLD);
}

static void test_it_tells_of_the_tables_that_it_has_looked_at(void **state)
{
    struct world *world = *state;
    static const struct table *const only_tasks[] = {&tasks};

    world->missing = 3;
    verify(world, NULL, 0);
    expect_view(world, true, 3, 0);
    verify(world, only_tasks, 1);
    expect_view(world, true, UNTOLD, 0);
}

static void test_a_table_that_cannot_be_compared_is_neither_equal_nor_different(void **state)
{
    struct world *world = *state;

    world->broken = true;
    verify(world, NULL, 0);
    expect_view(world, false, 0, UNTOLD);
}

static void test_a_failure_replaces_the_result_and_not_what_is_known(void **state)
{
    struct world *world = *state;

    world->missing = 2;
    verify(world, NULL, 0);
    expect_view(world, true, 2, 0);
    world->fails = true;
    verify(world, NULL, 0);

    cJSON *json = wait_for(world, NULL);
    const cJSON *last = cJSON_GetObjectItemCaseSensitive(json, "last");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(last, "error");
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "code")), "source");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(last, "tables")), 0);
    cJSON_Delete(json);
    expect_view(world, false, UNTOLD, UNTOLD);
}

static void test_one_runs_at_a_time_and_can_be_followed(void **state)
{
    struct world *world = *state;
    char first[RUN_ID_SIZE];
    char second[RUN_ID_SIZE];

    hold(world, true);
    assert_int_equal(verifier_request(world->verifier, NULL, 0, first), VERIFIER_ACCEPTED);
    cJSON *json = wait_for(world, "tasks");
    const cJSON *running = cJSON_GetObjectItemCaseSensitive(json, "running");
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(running, "verify_id")), first);
    assert_int_equal(
        json_int64_of(cJSON_GetObjectItemCaseSensitive(running, "tables_done"), -1), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(running, "tables")), 2);
    cJSON_Delete(json);

    assert_int_equal(verifier_request(world->verifier, NULL, 0, second), VERIFIER_BUSY);
    assert_string_equal(second, first);
    hold(world, false);
    cJSON_Delete(wait_for(world, NULL));
    verify(world, NULL, 0);
}

static void test_a_stop_refuses_new_ones_and_waits_no_longer_than_told(void **state)
{
    struct world *world = *state;
    char id[RUN_ID_SIZE];

    hold(world, true);
    assert_int_equal(verifier_request(world->verifier, NULL, 0, id), VERIFIER_ACCEPTED);
    cJSON_Delete(wait_for(world, "tasks"));
    verifier_stop(world->verifier);
    assert_int_equal(verifier_request(world->verifier, NULL, 0, id), VERIFIER_STOPPING);
    assert_false(verifier_join(world->verifier, 1));
    hold(world, false);
    assert_true(verifier_join(world->verifier, 60000));
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(test_before_the_first_one_nothing_is_claimed),
        WORLD(test_it_tells_of_the_tables_that_it_has_looked_at),
        WORLD(test_a_table_that_cannot_be_compared_is_neither_equal_nor_different),
        WORLD(test_a_failure_replaces_the_result_and_not_what_is_known),
        WORLD(test_one_runs_at_a_time_and_can_be_followed),
        WORLD(test_a_stop_refuses_new_ones_and_waits_no_longer_than_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
