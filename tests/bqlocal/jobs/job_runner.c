#include "bqlocal/jobs/job_record.h"

#include "bqlocal/http/exchange.h"
#include "bqlocal/jobs/job_check.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BUCKETS 4096

/* So many query results are kept; older jobs have lost theirs, as BigQuery's have after a day. */
#define RESULTS_MAX 256

struct jobs {
    struct server *server;
    struct job *buckets[BUCKETS];
    struct job **list; /* in order of creation */
    size_t count;
    size_t capacity;
    size_t active; /* jobs that are not done */
    size_t result_count;
    uint64_t result_number;
    pthread_t worker;
    bool worker_started;
};

void media_clear(struct media *media)
{
    spool_free(media->spool);
    *media = (struct media){.forgotten_rows = -1};
}

static size_t bucket_of(const char *id)
{
    uint32_t hash = 2166136261U; // FNV-1a

    for (; *id != '\0'; id++)
        hash = (hash ^ (uint8_t)*id) * 16777619U;
    return hash % BUCKETS;
}

static struct job *find(const struct jobs *jobs, const char *id)
{
    struct job *job = jobs->buckets[bucket_of(id)];

    while (job != NULL && strcmp(job->id, id) != 0)
        job = job->next;
    return job;
}

static void job_free(struct server *server, struct job *job)
{
    if (job->has_result)
        sql_result_clear(&server->store, &job->result);
    media_clear(&job->media);
    cJSON_Delete(job->configuration);
    cJSON_Delete(job->statistics);
    free(job->id);
    free(job->location);
    free(job->parent_id);
    free(job->request_id);
    free(job);
}

static bool add(struct jobs *jobs, struct job *job, struct error *err)
{
    if (jobs->count == jobs->capacity) {
        size_t capacity = jobs->capacity == 0 ? 64 : jobs->capacity * 2;
        struct job **list = realloc(jobs->list, capacity * sizeof *list);
        if (list == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory for a job");
        jobs->list = list;
        jobs->capacity = capacity;
    }
    size_t bucket = bucket_of(job->id);
    job->next = jobs->buckets[bucket];
    jobs->buckets[bucket] = job;
    jobs->list[jobs->count++] = job;
    return true;
}

static char *make_id(void)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char random[24];
    char id[5 + sizeof random] = "job_";

    sqlite3_randomness(sizeof random, random);
    for (size_t i = 0; i < sizeof random; i++)
        id[4 + i] = letters[random[i] % (sizeof letters - 1)];
    id[4 + sizeof random] = '\0';
    return strdup(id);
}

/* Keeps only the newest results. */
static void forget_old_results(struct jobs *jobs)
{
    for (size_t i = 0; jobs->result_count > RESULTS_MAX && i < jobs->count; i++) {
        struct job *job = jobs->list[i];
        if (!job->has_result)
            continue;
        sql_result_clear(&jobs->server->store, &job->result);
        job->has_result = false;
        jobs->result_count--;
    }
}

void jobs_name_result(struct jobs *jobs, struct job *job)
{
    snprintf(
        job->result_name, sizeof job->result_name, "anon%llu",
        (unsigned long long)++jobs->result_number);
}

static void finish(struct server *server, struct job *job)
{
    struct jobs *jobs = server->jobs;

    if (job->started_ms == 0)
        job->started_ms = store_now_ms(&server->store);
    job->ended_ms = store_now_ms(&server->store);
    job->state = JOB_DONE;
    media_clear(&job->media);
    if (job->has_result) {
        jobs->result_count++;
        forget_old_results(jobs);
    }
    job_save(server, job);
    pthread_cond_broadcast(&server->changed);
}

static void run(struct server *server, struct job *job)
{
    struct error *err = &job->failure;
    bool ok;

    job->started_ms = store_now_ms(&server->store);
    if (job->fault.kind == FAULT_JOB_FAIL) {
        failure_set(err, job->fault.reason, "%s", job->fault.message);
        job->failed = true;
    } else {
        switch (job->kind) {
        case JOB_LOAD:
            ok = job_run_load(server, job, err);
            break;
        case JOB_COPY:
            ok = job_run_copy(server, job, err);
            break;
        default:
            ok = job_run_query(server, job, err);
        }
        job->failed = !ok;
    }
    if (job->failed)
        failure_complete(err);
    finish(server, job);
}

/* Moves a job on as far as its time allows; returns when to look again. */
static int64_t advance(struct server *server, struct job *job, int64_t now)
{
    if (job->fault.kind == FAULT_JOB_HANG && !faults_exists(server->faults, job->fault.rule))
        job->fault.kind = FAULT_NONE;
    bool hangs = job->fault.kind == FAULT_JOB_HANG;
    if (job->state == JOB_PENDING && now >= job->run_at && !(hangs && job->fault.at_pending)) {
        if (job->fault.kind == FAULT_JOB_FAIL && job->fault.at_pending) {
            run(server, job);
            return INT64_MAX;
        }
        job->state = JOB_RUNNING;
        job->started_ms = store_now_ms(&server->store);
    }
    if (job->state == JOB_RUNNING && now >= job->done_at && !hangs)
        run(server, job);
    // Where it hangs, replaced faults wake the worker.
    bool stuck = hangs && (job->state == JOB_RUNNING || job->fault.at_pending);
    if (job->state == JOB_DONE || stuck)
        return INT64_MAX;
    return job->state == JOB_PENDING ? job->run_at : job->done_at;
}

static void *work(void *context)
{
    struct jobs *jobs = context;
    struct server *server = jobs->server;

    pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        int64_t now = server_monotonic_ms();
        int64_t next = INT64_MAX;
        size_t active = 0;
        // The oldest first, so that effects follow the order of arrival.
        for (size_t i = 0; jobs->active > 0 && i < jobs->count; i++) {
            struct job *job = jobs->list[i];
            if (job->state == JOB_DONE)
                continue;
            int64_t at = advance(server, job, now);
            active += job->state != JOB_DONE;
            next = at < next ? at : next;
        }
        jobs->active = active;
        if (next == INT64_MAX)
            pthread_cond_wait(&server->changed, &server->lock);
        else
            server_wait(server, next);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

bool jobs_start(struct server *server, struct jobs **out_jobs, struct error *err)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);

    if (jobs == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for jobs");
    jobs->server = server;
    *out_jobs = jobs;
    if (!jobs_restore(server, jobs, err))
        return false;
    if (pthread_create(&jobs->worker, NULL, work, jobs) != 0)
        return error_set(err, ERROR_MEMORY, "cannot start a thread");
    jobs->worker_started = true;
    return true;
}

void jobs_stop(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    if (jobs->worker_started)
        pthread_join(jobs->worker, NULL);
    for (size_t i = 0; i < jobs->count; i++)
        job_free(jobs->server, jobs->list[i]);
    free(jobs->list);
    free(jobs);
}

bool jobs_add_done(struct server *server, struct jobs *jobs, struct job *job, struct error *err)
{
    (void)server;
    job->state = JOB_DONE;
    return add(jobs, job, err);
}

static bool make_job(
    const cJSON *body, enum job_kind kind, char *location, struct job **out_job, struct error *err)
{
    static const char *const types[] = {"LOAD", "QUERY", "COPY"};
    const char *id = json_text(json_at(body, "jobReference"), "jobId");
    struct job *job = calloc(1, sizeof *job);

    if (job != NULL)
        *job = (struct job){
            .id = id == NULL ? make_id() : strdup(id),
            .location = location,
            .kind = kind,
            .configuration = cJSON_Duplicate(json_at(body, "configuration"), true),
            .media.forgotten_rows = -1,
        };
    if (job == NULL || job->id == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a job");
    cJSON_DeleteItemFromObjectCaseSensitive(job->configuration, "jobType");
    cJSON_AddStringToObject(job->configuration, "jobType", types[kind]);
    *out_job = job;
    return true;
}

bool job_check_free(struct server *server, const cJSON *body, struct error *err)
{
    const char *id = json_text(json_at(body, "jobReference"), "jobId");
    struct job *job = id == NULL ? NULL : find(server->jobs, id);

    if (job != NULL)
        return failure_set(
            err, "duplicate", "Already Exists: Job %s:%s.%s", server->store.project, job->location,
            id);
    return true;
}

/* How long it takes, and what faults say to it. */
static void schedule(struct server *server, const struct request *request, struct job *job)
{
    int64_t now = server_monotonic_ms();
    int64_t latency = server->options.job_latency_ms;

    job->fault = faults_on_job(
        server->faults, request == NULL ? "" : request->method,
        request == NULL ? "" : request->target, job_kind_name(job->kind), job->id);
    if (job->fault.kind == FAULT_JOB_DELAY)
        latency = job->fault.ms;
    job->created_ms = store_now_ms(&server->store);
    job->run_at = now + latency / 2;
    job->done_at = now + latency;
}

bool job_insert(
    struct server *server, const struct request *request, const cJSON *body, struct media *media,
    struct job **out_job, struct error *err)
{
    struct jobs *jobs = server->jobs;
    struct job *job = NULL;
    enum job_kind kind;
    char *location = NULL;

    if (!job_check(server, body, media != NULL, &kind, &location, err))
        return false;
    if (!job_check_free(server, body, err) || !make_job(body, kind, location, &job, err)) {
        free(location);
        return false;
    }
    if (!add(jobs, job, err)) {
        job_free(server, job);
        return false;
    }
    if (media != NULL) {
        job->media = *media;
        *media = (struct media){.forgotten_rows = -1};
    }
    schedule(server, request, job);
    jobs->active++;
    job_save(server, job);
    advance(server, job, server_monotonic_ms());
    if (job->state == JOB_DONE)
        jobs->active--;
    else
        pthread_cond_broadcast(&server->changed);
    *out_job = job;
    return true;
}

bool job_add_child(
    struct server *server, struct job *parent, const struct sql_statement *statement,
    struct error *err)
{
    struct job *child = calloc(1, sizeof *child);

    if (child == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a job");
    *child = (struct job){
        .id = make_id(),
        .location = strdup(parent->location),
        .kind = JOB_QUERY,
        .state = JOB_DONE,
        .configuration = cJSON_CreateObject(),
        .parent_id = strdup(parent->id),
        .created_ms = parent->started_ms,
        .started_ms = parent->started_ms,
        .ended_ms = store_now_ms(&server->store),
        .statistics = cJSON_CreateObject(),
        .media.forgotten_rows = -1,
    };
    cJSON_AddStringToObject(child->configuration, "jobType", "QUERY");
    cJSON *query = cJSON_AddObjectToObject(child->configuration, "query");
    if (statement->target_table[0] != '\0') {
        cJSON *target = cJSON_AddObjectToObject(query, "destinationTable");
        cJSON_AddStringToObject(target, "projectId", server->store.project);
        cJSON_AddStringToObject(target, "datasetId", statement->target_dataset);
        cJSON_AddStringToObject(target, "tableId", statement->target_table);
    }
    cJSON_AddStringToObject(child->statistics, "statementType", statement->type);
    if (statement->ddl[0] != '\0')
        cJSON_AddStringToObject(child->statistics, "ddlOperationPerformed", statement->ddl);
    if (statement->is_dml) {
        json_add_number(
            child->statistics, "numDmlAffectedRows",
            statement->inserted + statement->updated + statement->deleted);
        cJSON_AddItemToObject(child->statistics, "dmlStats", job_dml_statistics(statement));
    }
    if (child->id == NULL || !add(server->jobs, child, err)) {
        job_free(server, child);
        return error_set(err, ERROR_MEMORY, "out of memory for a job");
    }
    parent->child_count++;
    job_save(server, child);
    return true;
}

bool jobs_find(
    struct server *server, const char *id, const char *location, struct job **out_job,
    struct error *err)
{
    struct job *job = find(server->jobs, id);
    const char *where = location == NULL || location[0] == '\0' ? NULL : location;

    if (job != NULL && (where != NULL ? strcasecmp(where, job->location) == 0
                                      : strcasecmp(job->location, "US") == 0 ||
                                            strcasecmp(job->location, "EU") == 0)) {
        *out_job = job;
        return true;
    }
    return failure_set(
        err, "notFound", "Not found: Job %s:%s%s%s", server->store.project,
        where == NULL ? "" : where, where == NULL ? "" : ".", id);
}

struct job *jobs_at(const struct jobs *jobs, size_t index)
{
    return index < jobs->count ? jobs->list[index] : NULL;
}

struct job *jobs_find_result(const struct jobs *jobs, const char *dataset, const char *table)
{
    if (strcmp(dataset, JOB_RESULT_DATASET) != 0)
        return NULL;
    for (size_t i = jobs->count; i-- > 0;)
        if (jobs->list[i]->has_result && strcmp(jobs->list[i]->result_name, table) == 0)
            return jobs->list[i];
    return NULL;
}

void jobs_delete(struct server *server, struct job *job)
{
    struct jobs *jobs = server->jobs;
    struct job **link = &jobs->buckets[bucket_of(job->id)];

    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    size_t index = 0;
    while (jobs->list[index] != job)
        index++;
    memmove(&jobs->list[index], &jobs->list[index + 1], (--jobs->count - index) * sizeof job);
    jobs->result_count -= job->has_result;
    job_unsave(server, job);
    job_free(server, job);
}

void job_cancel(struct server *server, struct job *job)
{
    // A copy job cannot be cancelled, and neither can what is done.
    if (job->state == JOB_DONE || job->kind == JOB_COPY)
        return;
    failure_set(
        &job->failure, "stopped", "Job execution was cancelled: User requested cancellation");
    job->failed = true;
    finish(server, job);
}

bool job_wait(struct server *server, const char *id, int64_t deadline_ms)
{
    struct job *job;

    while ((job = find(server->jobs, id)) != NULL && job->state != JOB_DONE && !server->stopping)
        if (!server_wait(server, deadline_ms) && server_monotonic_ms() >= deadline_ms)
            break;
    return find(server->jobs, id) != NULL;
}
