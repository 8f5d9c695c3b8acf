#include "bqlocal/jobs/job_runner.h"

#include "bqlocal/jobs/job_check.h"
#include "bqlocal/jobs/job_copy.h"
#include "bqlocal/jobs/job_permission.h"
#include "bqlocal/jobs/job_query.h"
#include "bqlocal/jobs/load.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdlib.h>

/* What is read and stored in a moment. */
#define SMALL_LOAD_BYTES ((uint64_t)1 << 20)

static void finish(struct jobs *jobs, struct job *job)
{
    job->ended_ms = store_now_ms(jobs->store);
    if (job->started_ms == 0)
        job->started_ms = job->ended_ms;
    job->state = JOB_DONE;
    media_clear(&job->media);
    if (job->has_result)
        jobs_keep_result(jobs);
    jobs_save(jobs, job);
    monitor_notify(jobs->monitor);
}

static bool has_effect(struct jobs *jobs, struct job *job, struct error *err)
{
    if (job->fault.kind == FAULT_JOB_FAIL)
        return failure_set(err, job->fault.reason, "%s", job->fault.message);
    if (job->kind != JOB_QUERY && !job_check_permissions(jobs, job->kind, job_part(job), NULL, err))
        return false;
    if (job->kind == JOB_QUERY)
        return job_run_query(jobs, job, err);
    struct store writer = {0};
    if (job->computing)
        writer = store_take_writer(jobs->store);
    struct store *store = job->computing ? &writer : jobs->store;
    bool ok = job->kind == JOB_LOAD ? job_run_load(jobs, job, store, err)
                                    : job_run_copy(jobs, job, store, err);
    if (job->computing)
        store_give_back_writer(jobs->store, &writer);
    return ok;
}

static void set_cancelled(struct jobs *jobs, struct job *job)
{
    if (job->timed_out)
        failure_set(
            &job->failure, "stopped", "Job execution was cancelled: Job timed out after %gs",
            (double)json_number(job->configuration, "jobTimeoutMs", 0) / 1000);
    else
        failure_set(
            &job->failure, "stopped", "Job execution was cancelled: User requested cancellation");
    job->failed = true;
    if (job->has_result)
        sql_result_clear(jobs->store, &job->result);
    job->has_result = false;
}

static void run(struct jobs *jobs, struct job *job)
{
    job->started_ms = store_now_ms(jobs->store);
    job->failed = job->cancelled || !has_effect(jobs, job, &job->failure);
    if (job->cancelled)
        set_cancelled(jobs, job);
    if (job->failed)
        failure_complete(&job->failure);
    finish(jobs, job);
}

struct computation {
    struct jobs *jobs;
    struct job *job;
};

static struct job *first_queued(const struct jobs *jobs)
{
    for (size_t i = 0; jobs->queued > 0 && i < jobs->count; i++)
        if (jobs->list[i]->queued)
            return jobs->list[i];
    return NULL;
}

/* A job that changes tables waits for those that came first; a SELECT for the reader. */
static bool has_turn(struct jobs *jobs, struct job *job)
{
    if (job->queued)
        return !jobs->store->writing && first_queued(jobs) == job;
    if (!job->has_reader)
        job->has_reader = sql_reader_take(jobs->store);
    return job->has_reader;
}

static void leave_queue(struct jobs *jobs, struct job *job)
{
    jobs->queued -= job->queued;
    job->queued = false;
}

static void *compute(void *context)
{
    const struct computation computation = *(struct computation *)context;
    struct jobs *jobs = computation.jobs;
    struct job *job = computation.job;

    free(context);
    monitor_enter(jobs->monitor);
    while (!job->cancelled && !has_turn(jobs, job))
        monitor_wait(jobs->monitor, INT64_MAX);
    leave_queue(jobs, job);
    run(jobs, job);
    if (job->has_reader)
        sql_reader_give_back(jobs->store);
    job->has_reader = false;
    while (job->deleted && jobs->store->writing)
        monitor_wait(jobs->monitor, INT64_MAX);
    job->computing = false;
    jobs->computing--;
    if (job->deleted)
        jobs_delete(jobs, job);
    monitor_notify(jobs->monitor);
    monitor_leave(jobs->monitor);
    return NULL;
}

/* What may take long has a thread, so that others need not wait for it. A small load happens at
 * once, unless it has to wait. */
static bool needs_thread(const struct jobs *jobs, const struct job *job)
{
    bool small = job->kind == JOB_LOAD && job->media.length <= SMALL_LOAD_BYTES;

    return small ? jobs->store->writing || jobs->queued > 0 : job->fault.kind != FAULT_JOB_FAIL;
}

static bool start_computing(struct jobs *jobs, struct job *job)
{
    const char *text = json_text(job_part(job), "query");
    pthread_t thread;

    if (!needs_thread(jobs, job))
        return false;
    struct computation *computation = malloc(sizeof *computation);
    if (computation == NULL)
        return false;
    *computation = (struct computation){jobs, job};
    job->computing = true;
    // Here, so that a SELECT sees the moment of its start; if others are first, the one after them.
    if (job->kind == JOB_QUERY && text != NULL && sql_is_query(text)) {
        job->has_reader = sql_reader_take(jobs->store);
        job->late = !job->has_reader;
    } else {
        job->late = jobs->store->writing || jobs->queued > 0;
        job->queued = true;
        jobs->queued++;
    }
    if (pthread_create(&thread, NULL, compute, computation) != 0) {
        if (job->has_reader)
            sql_reader_give_back(jobs->store);
        leave_queue(jobs, job);
        free(computation);
        job->computing = job->has_reader = false;
        return false;
    }
    pthread_detach(thread);
    jobs->computing++;
    return true;
}

/* Ends a job whose jobTimeoutMs have passed; one that is computing, soon. */
static void stop(struct jobs *jobs, struct job *job)
{
    job->timed_out = true;
    job->cancelled = true;
    if (job->computing) {
        monitor_notify(jobs->monitor);
        return;
    }
    set_cancelled(jobs, job);
    finish(jobs, job);
}

/* Moves a job on as far as its time allows; returns when to look again. */
static int64_t advance(struct jobs *jobs, struct job *job, int64_t now)
{
    if (now >= job->stops_at && !job->timed_out)
        stop(jobs, job);
    if (job->computing || job->state == JOB_DONE)
        return job->timed_out ? INT64_MAX : job->stops_at;
    if (job->fault.kind == FAULT_JOB_HANG && !faults_exists(jobs->faults, job->fault.rule))
        job->fault.kind = FAULT_NONE;
    bool hangs = job->fault.kind == FAULT_JOB_HANG;
    if (job->state == JOB_PENDING && now >= job->run_at && !(hangs && job->fault.at_pending)) {
        if (job->fault.kind == FAULT_JOB_FAIL && job->fault.at_pending) {
            run(jobs, job);
            return INT64_MAX;
        }
        job->state = JOB_RUNNING;
        job->started_ms = store_now_ms(jobs->store);
    }
    if (job->state == JOB_RUNNING && now >= job->done_at && !hangs && !start_computing(jobs, job))
        run(jobs, job);
    // Replaced faults wake the worker for a job that hangs.
    bool stuck = hangs && (job->state == JOB_RUNNING || job->fault.at_pending);
    if (job->state == JOB_DONE)
        return INT64_MAX;
    int64_t next = job->computing || stuck     ? INT64_MAX
                   : job->state == JOB_PENDING ? job->run_at
                                               : job->done_at;
    return next < job->stops_at ? next : job->stops_at;
}

/* One round over all jobs, the oldest first, so that effects follow the order of arrival. */
static int64_t advance_all(struct jobs *jobs)
{
    int64_t now = monitor_now_ms();
    int64_t next = INT64_MAX;
    size_t active = 0;

    for (size_t i = 0; jobs->active > 0 && i < jobs->count; i++) {
        struct job *job = jobs->list[i];
        if (job->state == JOB_DONE)
            continue;
        int64_t at = advance(jobs, job, now);
        active += job->state != JOB_DONE;
        next = at < next ? at : next;
    }
    jobs->active = active;
    return next;
}

static void *work(void *context)
{
    struct jobs *jobs = context;

    monitor_enter(jobs->monitor);
    while (!jobs->monitor->stopping)
        monitor_wait(jobs->monitor, advance_all(jobs));
    monitor_leave(jobs->monitor);
    return NULL;
}

bool jobs_start(struct jobs *jobs, struct error *err)
{
    jobs->worker_started = pthread_create(&jobs->worker, NULL, work, jobs) == 0;
    return jobs->worker_started || error_set(err, ERROR_MEMORY, "cannot start a thread");
}

void jobs_stop(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    monitor_enter(jobs->monitor);
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->list[i]->computing)
            jobs->list[i]->cancelled = true;
    monitor_notify(jobs->monitor);
    while (jobs->computing > 0)
        monitor_wait(jobs->monitor, INT64_MAX);
    monitor_leave(jobs->monitor);
    if (jobs != NULL && jobs->worker_started)
        pthread_join(jobs->worker, NULL);
}

/* How long it takes, and which fault meets it. */
static void schedule(struct jobs *jobs, const struct job_origin *origin, struct job *job)
{
    int64_t now = monitor_now_ms();
    int64_t latency = jobs->settings.latency_ms;

    job->fault = faults_on_job(
        jobs->faults, origin->method, origin->target, job_kind_name(job->kind), job->id);
    if (job->fault.kind == FAULT_JOB_DELAY)
        latency = job->fault.ms;
    job->created_ms = store_now_ms(jobs->store);
    job->run_at = now + latency / 2;
    job->done_at = now + latency;
    int64_t timeout = json_number(job->configuration, "jobTimeoutMs", 0);
    job->stops_at = timeout > 0 && timeout < INT64_MAX - now ? now + timeout : INT64_MAX;
}

static bool make_job(
    struct jobs *jobs, const cJSON *body, bool has_media, struct job **out_job, struct error *err)
{
    const char *id = json_text(json_at(body, "jobReference"), "jobId");
    struct job *job = NULL;
    char *location = NULL;
    enum job_kind kind;

    if (!job_check(jobs, body, has_media, &kind, &location, err))
        return false;
    bool ok = jobs_check_id_free(jobs, body, err) &&
              job_new(kind, id, location, json_at(body, "configuration"), &job, err);
    free(location);
    if (ok && !jobs_add(jobs, job, err)) {
        job_free(jobs->store, job);
        return false;
    }
    *out_job = job;
    return ok;
}

bool jobs_insert(
    struct jobs *jobs, const struct job_origin *origin, const cJSON *body, struct media *media,
    struct job **out_job, struct error *err)
{
    struct job *job = NULL;

    if (!make_job(jobs, body, media != NULL, &job, err))
        return false;
    if (media != NULL) {
        job->media = *media;
        *media = (struct media){.forgotten_rows = -1};
    }
    schedule(jobs, origin, job);
    jobs->active++;
    jobs_save(jobs, job);
    advance(jobs, job, monitor_now_ms());
    if (job->state == JOB_DONE)
        jobs->active--;
    else
        monitor_notify(jobs->monitor);
    *out_job = job;
    return true;
}

void jobs_cancel(struct jobs *jobs, struct job *job)
{
    // A copy job cannot be cancelled, and neither can what is done.
    if (job->state == JOB_DONE || job->kind == JOB_COPY)
        return;
    job->cancelled = true;
    if (job->computing) {
        monitor_notify(jobs->monitor);
        return;
    }
    set_cancelled(jobs, job);
    finish(jobs, job);
}

bool jobs_wait(struct jobs *jobs, const char *id, int64_t deadline_ms)
{
    const struct job *job;

    while ((job = jobs_get(jobs, id)) != NULL && job->state != JOB_DONE && !jobs->monitor->stopping)
        if (!monitor_wait(jobs->monitor, deadline_ms) && monitor_now_ms() >= deadline_ms)
            break;
    return jobs_get(jobs, id) != NULL;
}
