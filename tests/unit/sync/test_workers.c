/* One step done to many tasks at once. */
#include "scene.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* What the threads of a step share. */
struct shared {
    atomic_int done;
    pthread_barrier_t together;
    struct worker *_Atomic seen[SCENE_TASKS_MAX];
};

static bool is_any(const struct task *task)
{
    (void)task;
    return true;
}

static bool is_not_settings(const struct task *task)
{
    return strcmp(task->table->name, "settings") != 0;
}

static bool note(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct shared *shared = context;

    shared->seen[task->index] = worker;
    atomic_fetch_add(&shared->done, 1);
    return strcmp(task->table->name, "events") != 0 ||
           error_set(err, ERROR_REJECTED, "no events today");
}

/* Ends only when all tasks are in it at the same time. */
static bool meet(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct shared *shared = context;

    (void)err;
    pthread_barrier_wait(&shared->together);
    shared->seen[task->index] = worker;
    return true;
}

static void open_workers(struct scene *scene, struct workers *workers, size_t size, bool reads_only)
{
    const struct workers_options options = {
        .deployment = &scene->deployment,
        .tracking = &scene->tracking,
        .size = size,
        .reads_only = reads_only};
    static char host[] = "http://127.0.0.1:1";
    struct error err;

    scene->config.emulator_host = host;
    expect_ok(workers_open(workers, &options, &err));
    assert_int_equal(workers->count, 1);
}

static void test_a_failure_fails_its_own_task_alone_and_is_recorded(void **state)
{
    struct scene *scene = *state;
    struct shared shared = {0};
    struct workers workers;
    struct step step = {.wanted = is_any, .run = note, .context = &shared};

    scene_sync(scene, "events");
    scene_pass(scene, "accounts", "events", "settings", NULL);
    open_workers(scene, &workers, 2, false);
    workers_run(&workers, scene->order, 3, &step);

    assert_int_equal(shared.done, 3);
    assert_false(task_failed(&scene->tasks[0]));
    assert_true(task_failed(&scene->tasks[1]));
    assert_string_equal(scene->outcomes[1].error.message, "no events today");
    assert_string_equal(
        scene_state(scene, "select last_error from bq_sync_tracking"), "no events today");

    // A task that has failed takes no further step, and one that is not wanted neither.
    step.wanted = is_not_settings;
    workers_run(&workers, scene->order, 3, &step);
    assert_int_equal(shared.done, 4);
    workers_close(&workers);
}

static void test_a_worker_that_only_reads_records_no_failure(void **state)
{
    struct scene *scene = *state;
    struct shared shared = {0};
    struct workers workers;
    const struct step step = {.wanted = is_any, .run = note, .context = &shared};

    scene_sync(scene, "events");
    scene_pass(scene, "events", NULL);
    open_workers(scene, &workers, 1, true);
    workers_run(&workers, scene->order, 1, &step);

    assert_true(task_failed(&scene->tasks[0]));
    assert_string_equal(scene_state(scene, "select last_error from bq_sync_tracking"), "");
    workers_close(&workers);
}

static void test_as_many_tasks_are_worked_on_at_once_as_there_are_workers(void **state)
{
    struct scene *scene = *state;
    struct shared shared = {0};
    struct workers workers;
    const struct step step = {.wanted = is_any, .run = meet, .context = &shared};

    assert_int_equal(pthread_barrier_init(&shared.together, NULL, 3), 0);
    scene_pass(scene, "accounts", "events", "settings", NULL);
    open_workers(scene, &workers, 3, false);
    workers_run(&workers, scene->order, 3, &step);

    assert_int_equal(workers.count, 3);
    assert_ptr_not_equal(shared.seen[0], shared.seen[1]);
    assert_ptr_not_equal(shared.seen[1], shared.seen[2]);
    assert_ptr_not_equal(shared.seen[0], shared.seen[2]);
    workers_close(&workers);
    pthread_barrier_destroy(&shared.together);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_a_failure_fails_its_own_task_alone_and_is_recorded),
        SCENE_TEST(test_a_worker_that_only_reads_records_no_failure),
        SCENE_TEST(test_as_many_tasks_are_worked_on_at_once_as_there_are_workers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
