#include "sync/pass/workers.h"

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* One more thread with its two connections. */
static bool open_worker(struct workers *workers, struct error *err)
{
    const struct deployment *deployment = workers->deployment;
    const char *state = deployment->config->state_path;
    struct worker *worker = &workers->each[workers->count];

    *worker = (struct worker){
        .clock = deployment->clock,
        .project = deployment->config->project,
        .dataset = deployment->config->dataset,
        .progress = workers->progress,
        .tracking = calloc(1, sizeof *worker->tracking),
    };
    if (worker->tracking == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!(workers->reads_only ? tracking_open_read(state, worker->tracking, err)
                              : tracking_open(state, worker->tracking, err))) {
        free(worker->tracking);
        return false;
    }
    const char *location = workers->location[0] == '\0' ? NULL : workers->location;
    if (!deployment_bigquery(deployment, location, workers->run_id, &worker->bigquery, err)) {
        tracking_close(worker->tracking);
        free(worker->tracking);
        return false;
    }
    workers->count++;
    return true;
}

bool workers_open(
    struct workers *workers, const struct deployment *deployment, size_t size, const char *run_id,
    struct pass_progress *progress, bool reads_only, struct error *err)
{
    *workers = (struct workers){
        .each = calloc(size, sizeof *workers->each),
        .size = size,
        .deployment = deployment,
        .run_id = run_id,
        .progress = progress,
        .reads_only = reads_only,
    };
    if (workers->each == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (open_worker(workers, err))
        return true;
    workers_close(workers);
    return false;
}

void workers_set_location(struct workers *workers, const char *location)
{
    snprintf(workers->location, sizeof workers->location, "%s", location);
    for (size_t i = 0; i < workers->count; i++)
        bigquery_set_location(workers->each[i].bigquery, location);
}

void workers_close(struct workers *workers)
{
    for (size_t i = 0; i < workers->count; i++) {
        bigquery_close(workers->each[i].bigquery);
        tracking_close(workers->each[i].tracking);
        free(workers->each[i].tracking);
    }
    free(workers->each);
    *workers = (struct workers){0};
}

struct bigquery_counters workers_counters(const struct workers *workers)
{
    struct bigquery_counters sum = {0};

    for (size_t i = 0; i < workers->count; i++) {
        struct bigquery_counters one = bigquery_counters(workers->each[i].bigquery);
        traffic_add(&sum.traffic, &one.traffic);
        sum.bytes_sent += one.bytes_sent;
        sum.bytes_received += one.bytes_received;
    }
    return sum;
}

void workers_fail(struct worker *worker, struct task *task, const struct error *why)
{
    struct error ignored;

    task->result->status = TABLE_FAILED;
    task->result->error = *why;
    log_error(
        "table failed", LOG_TEXT("table", task->table->name),
        LOG_TEXT("code", error_code_name(why->code)), LOG_TEXT("error", why->message));
    if (worker != NULL &&
        !tracking_note(worker->tracking, task->table->name, why->message, &ignored))
        log_warn(
            "error not recorded", LOG_TEXT("table", task->table->name),
            LOG_TEXT("reason", ignored.message));
}

struct shift {
    struct task *const *tasks;
    size_t count;
    bool (*wanted)(const struct task *task);
    worker_step *step;
    atomic_size_t next;
};

struct thread {
    struct shift *shift;
    struct worker *worker;
    pthread_t thread;
};

static void *work(void *argument)
{
    struct thread *thread = argument;
    struct shift *shift = thread->shift;

    for (;;) {
        size_t i = atomic_fetch_add(&shift->next, 1);
        if (i >= shift->count)
            return NULL;
        struct task *task = shift->tasks[i];
        if (task_failed(task) || !shift->wanted(task))
            continue;

        struct error err;
        const struct clock *clock = thread->worker->clock;
        int64_t began = clock->monotonic_ms(clock->context);
        if (!shift->step(thread->worker, task, &err))
            workers_fail(thread->worker, task, &err);
        task->result->duration_ms += clock->monotonic_ms(clock->context) - began;
    }
}

void workers_run(
    struct workers *workers, struct task *const *tasks, size_t count,
    bool (*wanted)(const struct task *task), worker_step *step)
{
    struct shift shift = {.tasks = tasks, .count = count, .wanted = wanted, .step = step};
    size_t todo = 0;

    for (size_t i = 0; i < count; i++)
        if (!task_failed(tasks[i]) && wanted(tasks[i]))
            todo++;
    if (todo == 0)
        return;

    // The caller is the first thread; a connection that cannot be opened or a thread that cannot be
    // started is one thread less, not a failure.
    struct error ignored;
    while (workers->count < workers->size && workers->count < todo &&
           open_worker(workers, &ignored))
        continue;
    struct thread *threads = calloc(workers->count + 1, sizeof *threads);
    size_t started = 0;
    while (threads != NULL && started + 1 < workers->count && started + 1 < todo) {
        threads[started] = (struct thread){&shift, &workers->each[started + 1], 0};
        if (pthread_create(&threads[started].thread, NULL, work, &threads[started]) != 0)
            break;
        started++;
    }
    work(&(struct thread){.shift = &shift, .worker = &workers->each[0]});
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i].thread, NULL);
    free(threads);
}
