#include "sync/pass/workers.h"

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One more worker with its connection to BigQuery. */
static bool open_worker(struct workers *workers, struct error *err)
{
    const struct workers_options *options = &workers->options;
    const char *location = workers->location[0] == '\0' ? NULL : workers->location;
    struct worker *worker = &workers->each[workers->count];

    *worker = (struct worker){
        .tracking = options->tracking,
        .turn = &workers->turn,
        .reads_only = options->reads_only,
        .clock = options->deployment->clock,
        .retry_budget_ms = options->deployment->retry_budget_ms,
        .config = options->deployment->config,
        .run_id = options->run_id,
        .project = options->deployment->config->project,
        .dataset = options->deployment->config->dataset,
        .location = workers->location,
        .progress = options->progress,
        .follows = options->follows,
        .series = options->deployment->series,
    };
    memcpy(worker->transaction, workers->transaction, sizeof worker->transaction);
    if (!deployment_bigquery(
            options->deployment, location, options->run_id, &worker->bigquery, err))
        return false;
    workers->count++;
    return true;
}

bool workers_open(struct workers *workers, const struct workers_options *options, struct error *err)
{
    *workers = (struct workers){
        .each = calloc(options->size, sizeof *workers->each),
        .options = *options,
        .turn = PTHREAD_MUTEX_INITIALIZER,
    };
    if (workers->each == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if ((!options->deployment->config->sync_atomic || job_id_nonce(workers->transaction, err)) &&
        open_worker(workers, err))
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
    for (size_t i = 0; i < workers->count; i++)
        bigquery_close(workers->each[i].bigquery);
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

void workers_fail_unnoted(struct task *task, const struct error *why)
{
    task->outcome->status = TABLE_FAILED;
    task->outcome->error = *why;
    task->unnoted = true;
    log_error(
        "table failed", LOG_TEXT("table", task->table->name),
        LOG_TEXT("code", error_code_name(why->code)), LOG_TEXT("error", why->message));
}

void workers_note(struct worker *worker, struct task *task)
{
    char text[ERROR_TEXT_SIZE];
    struct error ignored;

    if (!task->unnoted)
        return;
    task->unnoted = false;
    bool ok = worker->reads_only || tracking_note(
                                        worker_take_state(worker), task->table->name,
                                        error_text(&task->outcome->error, text), &ignored);
    if (!worker->reads_only)
        worker_give_state(worker);
    if (!ok)
        log_warn(
            "error not recorded", LOG_TEXT("table", task->table->name),
            LOG_TEXT("reason", ignored.message));
}

void workers_fail(struct worker *worker, struct task *task, const struct error *why)
{
    workers_fail_unnoted(task, why);
    workers_note(worker, task);
}

/* The tasks of one step, and the first that nobody has taken yet. */
struct queue {
    struct task *const *tasks;
    size_t count;
    const struct step *step;
    atomic_size_t next;
};

/* One thread that works on a queue. */
struct runner {
    struct queue *queue;
    struct worker *worker;
    pthread_t thread;
};

static bool is_due(const struct step *step, const struct task *task)
{
    return !task_failed(task) && step->wanted(task);
}

static void *work(void *argument)
{
    struct runner *runner = argument;
    struct queue *queue = runner->queue;
    const struct step *step = queue->step;
    const struct clock *clock = runner->worker->clock;

    for (;;) {
        size_t i = atomic_fetch_add(&queue->next, 1);
        if (i >= queue->count)
            return NULL;
        struct task *task = queue->tasks[i];
        if (!is_due(step, task))
            continue;

        struct error err;
        int64_t began = clock->monotonic_ms(clock->context);
        if (!step->run(runner->worker, task, step->context, &err))
            workers_fail(runner->worker, task, &err);
        task->outcome->duration_ms += clock->monotonic_ms(clock->context) - began;
    }
}

/* A connection that cannot be opened is one worker less, not a failure. */
static void open_workers(struct workers *workers, size_t due)
{
    struct error ignored;

    while (workers->count < workers->options.size && workers->count < due &&
           open_worker(workers, &ignored))
        continue;
}

void workers_run(
    struct workers *workers, struct task *const *tasks, size_t count, const struct step *step)
{
    struct queue queue = {.tasks = tasks, .count = count, .step = step};
    size_t due = 0;

    for (size_t i = 0; i < count; i++)
        due += is_due(step, tasks[i]) ? 1 : 0;
    if (due == 0)
        return;
    open_workers(workers, due);

    // The calling thread is the first runner. A thread that cannot be started is one runner less.
    struct runner *runners = calloc(workers->count + 1, sizeof *runners);
    size_t started = 0;
    while (runners != NULL && started + 1 < workers->count && started + 1 < due) {
        struct runner *runner = &runners[started];
        *runner = (struct runner){.queue = &queue, .worker = &workers->each[started + 1]};
        if (pthread_create(&runner->thread, NULL, work, runner) != 0)
            break;
        started++;
    }
    work(&(struct runner){.queue = &queue, .worker = &workers->each[0]});
    for (size_t i = 0; i < started; i++)
        pthread_join(runners[i].thread, NULL);
    free(runners);
}
