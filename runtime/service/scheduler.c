#include "service/scheduler.h"

#include "base/log.h"
#include "service/background.h"
#include "service/run_progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The thread reads the wall clock at least this often: a jump of the clock or a sleep of the
 * machine does not wake a waiting thread. */
#define LOOK_MS 1000

/* Delay after a pass that found the lock held by another process. */
#define LOCKED_RETRY_MS 5000

/* Delay after a pass that failed for a retryable reason: one minute, doubled up to 16. Commits are
 * not followed that long after any failure of a whole pass, nor in tables that failed. */
#define FAILED_RETRY_MS   60000
#define FAILED_RETRY_BITS 4

struct request {
    bool wanted;
    char run_id[RUN_ID_SIZE];
    enum run_kind kind;
    const struct table **tables; /* owned; NULL: all */
    size_t table_count;
    enum schedule_job job; /* SCHEDULE_NONE: the pass was requested */
};

struct scheduler {
    struct scheduler_ops ops;
    const struct clock *clock;

    struct background background; /* its mutex protects the members below */
    struct zone *zone;
    struct schedule schedule;
    struct scheduler_view texts; /* only the texts */
    struct request current;      /* queued, or running once `running` is set */
    bool running;
    bool again; /* one more incremental pass afterwards */
    int failures;
    struct follow follow;
    const struct table *const *tables; /* all */
    size_t table_count;
    bool *failed;  /* of each, whether its last sync failed */
    cJSON *recent; /* array, newest first */
    uint64_t version;

    struct pass_progress progress; /* of the running pass; has a mutex of its own */
};

/* --- the rules --------------------------------------------------------------------------- */

static void interval_text(int64_t ms, char *out, size_t size)
{
    char duration[32];

    if (ms <= 0)
        snprintf(out, size, "off");
    else
        snprintf(out, size, "every %s", schedule_duration(ms, duration, sizeof duration));
}

static void describe(const struct config *config, struct scheduler_view *view)
{
    int minute = config->daily_minute;

    interval_text(config->sync_interval_ms, view->incremental_text, sizeof view->incremental_text);
    follow_text(config->sync_follow_ms, view->follow_text, sizeof view->follow_text);
    if (minute < 0)
        snprintf(view->full_text, sizeof view->full_text, "off");
    else
        snprintf(
            view->full_text, sizeof view->full_text, "%02d:%02d %.64s", minute / 60, minute % 60,
            config->timezone);
}

static bool make_rules(
    const struct config *config, struct schedule_rules *out_rules, struct zone **out_zone,
    struct error *err)
{
    const char *const texts[] = {config->project, config->dataset, config->sqlite_path};
    struct zone *zone = NULL;

    if (config->daily_minute >= 0 && !zone_load(config->timezone, &zone, err))
        return false;
    *out_zone = zone;
    *out_rules = (struct schedule_rules){
        .interval_ms = config->sync_interval_ms,
        .daily_minute = config->daily_minute,
        .zone = zone,
        .seed = schedule_seed(texts, 3),
    };
    return true;
}

bool scheduler_forecast(
    const struct config *config, int64_t now_us, struct scheduler_view *out_view, struct error *err)
{
    struct schedule_rules rules;
    struct zone *zone = NULL;

    if (!make_rules(config, &rules, &zone, err))
        return false;
    describe(config, out_view);
    out_view->incremental_us = schedule_next_incremental(&rules, now_us);
    out_view->full_us = schedule_next_full(&rules, now_us);
    out_view->follow_us = SCHEDULE_NEVER;
    zone_free(zone);
    return true;
}

static int64_t wall_us(const struct scheduler *scheduler)
{
    return scheduler->clock->wall_us(scheduler->clock->context);
}

static int64_t monotonic_ms(const struct scheduler *scheduler)
{
    return scheduler->clock->monotonic_ms(scheduler->clock->context);
}

/* Milliseconds until a pass has to follow a commit, 0 if it is due; FOLLOW_NEVER. */
static int64_t follow_wait_ms(const struct scheduler *scheduler)
{
    const struct scheduler_ops *ops = &scheduler->ops;

    if (scheduler->follow.delay_ms <= 0 || ops->commit_since_ms == NULL)
        return FOLLOW_NEVER;
    int64_t due_ms = follow_due_ms(&scheduler->follow, ops->commit_since_ms(ops->context));
    int64_t left_ms = due_ms == FOLLOW_NEVER ? due_ms : due_ms - monotonic_ms(scheduler);

    return left_ms > 0 ? left_ms : 0;
}

/* --- making and ending ------------------------------------------------------------------- */

bool scheduler_new(
    const struct scheduler_options *options, struct scheduler **out_scheduler, struct error *err)
{
    struct scheduler *scheduler = calloc(1, sizeof *scheduler);
    struct schedule_rules rules;

    if (scheduler == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    background_init(&scheduler->background);
    progress_init(&scheduler->progress);
    scheduler->ops = options->ops;
    scheduler->clock = options->clock;
    scheduler->recent = cJSON_CreateArray();
    scheduler->tables = options->tables;
    scheduler->table_count = options->table_count;
    scheduler->failed = calloc(options->table_count + 1, sizeof *scheduler->failed);
    if (scheduler->failed == NULL) {
        scheduler_free(scheduler);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    if (!make_rules(options->config, &rules, &scheduler->zone, err)) {
        scheduler_free(scheduler);
        return false;
    }
    describe(options->config, &scheduler->texts);
    scheduler->follow.delay_ms = options->config->sync_follow_ms;
    schedule_start(&scheduler->schedule, &rules, wall_us(scheduler), options->full_since_us);
    *out_scheduler = scheduler;
    return true;
}

void scheduler_free(struct scheduler *scheduler)
{
    if (scheduler == NULL)
        return;
    background_end(&scheduler->background);
    free(scheduler->current.tables);
    cJSON_Delete(scheduler->recent);
    free(scheduler->failed);
    zone_free(scheduler->zone);
    progress_clear(&scheduler->progress);
    background_clear(&scheduler->background);
    free(scheduler);
}

void scheduler_stop(struct scheduler *scheduler)
{
    background_stop(&scheduler->background);
}

bool scheduler_join(struct scheduler *scheduler, int64_t timeout_ms)
{
    return background_join(&scheduler->background, timeout_ms);
}

bool scheduler_reload(struct scheduler *scheduler, const struct config *config, struct error *err)
{
    struct schedule_rules rules;
    struct zone *zone = NULL;

    if (!make_rules(config, &rules, &zone, err))
        return false;
    pthread_mutex_lock(&scheduler->background.mutex);
    struct zone *old = scheduler->zone;
    const struct schedule_rules *now = &scheduler->schedule.rules;
    bool differs = rules.interval_ms != now->interval_ms ||
                   rules.daily_minute != now->daily_minute ||
                   strcmp(scheduler->texts.full_text, "") == 0;
    struct scheduler_view texts = {0};
    describe(config, &texts);
    differs = differs || strcmp(texts.full_text, scheduler->texts.full_text) != 0;
    scheduler->zone = zone;
    scheduler->texts = texts;
    scheduler->follow.delay_ms = config->sync_follow_ms;
    // The next times stay as they are unless the rules have changed.
    if (differs)
        schedule_change(&scheduler->schedule, &rules, wall_us(scheduler));
    else
        scheduler->schedule.rules = rules;
    scheduler->version++;
    pthread_cond_broadcast(&scheduler->background.changed);
    pthread_mutex_unlock(&scheduler->background.mutex);
    zone_free(old);
    return true;
}

/* --- requests ---------------------------------------------------------------------------- */

/* The caller holds the mutex, and nothing is queued or running. */
static bool queue(
    struct scheduler *scheduler, enum run_kind kind, const struct table *const *tables,
    size_t table_count, enum schedule_job job)
{
    struct request request = {.wanted = true, .kind = kind, .job = job};

    if (tables != NULL) {
        request.tables = calloc(table_count + 1, sizeof *request.tables);
        if (request.tables == NULL)
            return false;
        memcpy(request.tables, tables, table_count * sizeof *request.tables);
        request.table_count = table_count;
    }
    run_id_make(wall_us(scheduler), request.run_id);
    scheduler->current = request;
    scheduler->version++;
    pthread_cond_broadcast(&scheduler->background.changed);
    return true;
}

enum scheduler_answer scheduler_request(
    struct scheduler *scheduler, enum run_kind kind, const struct table *const *tables,
    size_t table_count, char out_run_id[RUN_ID_SIZE])
{
    enum scheduler_answer answer = SCHEDULER_ACCEPTED;

    pthread_mutex_lock(&scheduler->background.mutex);
    if (scheduler->background.stopping)
        answer = SCHEDULER_STOPPING;
    else if (scheduler->current.wanted)
        answer = SCHEDULER_BUSY;
    else if (!queue(scheduler, kind, tables, table_count, SCHEDULE_NONE))
        answer = SCHEDULER_STOPPING;
    memcpy(out_run_id, scheduler->current.run_id, RUN_ID_SIZE);
    pthread_mutex_unlock(&scheduler->background.mutex);
    return answer;
}

void scheduler_sync_now(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->background.mutex);
    scheduler->again = true;
    pthread_cond_broadcast(&scheduler->background.changed);
    pthread_mutex_unlock(&scheduler->background.mutex);
}

void scheduler_committed(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->background.mutex);
    scheduler->version++;
    pthread_cond_broadcast(&scheduler->background.changed);
    pthread_mutex_unlock(&scheduler->background.mutex);
}

/* --- the thread -------------------------------------------------------------------------- */

/* A pass that follows a commit leaves out tables that failed, or each commit would try them again:
 * they wait for the next pass over all tables, which is soon (reschedule). If all have failed, that
 * one is due now. The caller holds the mutex. */
static bool queue_follow(struct scheduler *scheduler)
{
    const struct table **tables = calloc(scheduler->table_count + 1, sizeof *tables);
    size_t count = 0;

    if (tables == NULL)
        return false;
    for (size_t i = 0; i < scheduler->table_count; i++)
        if (!scheduler->failed[i])
            tables[count++] = scheduler->tables[i];
    bool some = count > 0 && count < scheduler->table_count;
    bool ok = queue(
        scheduler, some ? RUN_TABLES : RUN_INCREMENTAL, some ? tables : NULL, some ? count : 0,
        SCHEDULE_FOLLOW);
    free(tables);
    return ok;
}

/* The caller holds the mutex. */
static bool queue_job(struct scheduler *scheduler, enum schedule_job job, int64_t now_us)
{
    if (job == SCHEDULE_FOLLOW)
        return queue_follow(scheduler);
    scheduler->again = false;
    schedule_took(&scheduler->schedule, job, now_us);
    return queue(scheduler, job == SCHEDULE_FULL ? RUN_FULL : RUN_INCREMENTAL, NULL, 0, job);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Waits until there is a request in `current`; false when the thread should end. The caller holds
 * the mutex. */
static bool next_request(struct scheduler *scheduler)
{
    for (;;) {
        if (scheduler->background.stopping)
            return false;
        if (scheduler->current.wanted)
            return true;
        int64_t now_us = wall_us(scheduler);
        enum schedule_job job = schedule_due(&scheduler->schedule, now_us);
        int64_t follow_ms = follow_wait_ms(scheduler);
        if (job == SCHEDULE_NONE && scheduler->again)
            job = SCHEDULE_INCREMENTAL;
        if (job == SCHEDULE_NONE && follow_ms == 0)
            job = SCHEDULE_FOLLOW;
        if (job != SCHEDULE_NONE && queue_job(scheduler, job, now_us))
            continue;
        int64_t wait_ms = least(schedule_wait_ms(&scheduler->schedule, now_us), follow_ms);
        background_wait(&scheduler->background, least(wait_ms, LOOK_MS));
    }
}

static bool is_postponed(const struct request *request, const struct run_result *result)
{
    return result->error.code == ERROR_LOCKED && request->job != SCHEDULE_NONE;
}

/* Notes which tables of the run failed, and returns whether any did. The caller holds the mutex. */
static bool note_tables(struct scheduler *scheduler, const struct run_result *result)
{
    bool any = false;

    for (size_t i = 0; i < result->table_count; i++)
        for (size_t j = 0; j < scheduler->table_count; j++)
            if (scheduler->tables[j] == result->tables[i].table) {
                scheduler->failed[j] = result->tables[i].status == TABLE_FAILED;
                any = any || scheduler->failed[j];
            }
    return any;
}

static bool has_failed_table(const struct scheduler *scheduler)
{
    for (size_t i = 0; i < scheduler->table_count; i++)
        if (scheduler->failed[i])
            return true;
    return false;
}

static int64_t next_delay_ms(struct scheduler *scheduler)
{
    int bits = scheduler->failures < FAILED_RETRY_BITS ? scheduler->failures : FAILED_RETRY_BITS;

    scheduler->failures++;
    return (int64_t)FAILED_RETRY_MS << bits;
}

/* While commits are followed, tables that failed do not wait for the interval, which may be off.
 * The caller holds the mutex. */
static void reschedule_followed(
    struct scheduler *scheduler, const struct request *request, const struct run_result *result)
{
    enum error_code code = result->error.code;
    bool failed = note_tables(scheduler, result);

    if (code == ERROR_STOPPED)
        return;
    if (code == ERROR_NONE && !failed) {
        scheduler->failures = has_failed_table(scheduler) ? scheduler->failures : 0;
        return;
    }
    int64_t delay_ms = next_delay_ms(scheduler);
    if (code != ERROR_NONE)
        follow_hold(&scheduler->follow, monotonic_ms(scheduler), delay_ms);
    if (code == ERROR_NONE || (request->job != SCHEDULE_NONE && error_is_retryable(code)))
        schedule_retry(
            &scheduler->schedule,
            request->job == SCHEDULE_FULL && code != ERROR_NONE ? SCHEDULE_FULL
                                                                : SCHEDULE_INCREMENTAL,
            wall_us(scheduler), delay_ms);
}

/* The caller holds the mutex. */
static void reschedule(
    struct scheduler *scheduler, const struct request *request, const struct run_result *result)
{
    enum error_code code = result->error.code;
    int64_t now_us = wall_us(scheduler);
    bool follows = scheduler->follow.delay_ms > 0;

    if (is_postponed(request, result)) {
        if (follows)
            follow_hold(&scheduler->follow, monotonic_ms(scheduler), LOCKED_RETRY_MS);
        if (request->job != SCHEDULE_FOLLOW)
            schedule_retry(&scheduler->schedule, request->job, now_us, LOCKED_RETRY_MS);
        return;
    }
    if (follows) {
        reschedule_followed(scheduler, request, result);
        return;
    }
    if (code == ERROR_NONE || code == ERROR_STOPPED || !error_is_retryable(code)) {
        scheduler->failures = 0;
        return;
    }
    schedule_retry(&scheduler->schedule, request->job, now_us, next_delay_ms(scheduler));
}

/* The document of a run that has ended: that of `sync --json` with its state. Returned owned. */
static cJSON *run_json(const struct run_result *run)
{
    cJSON *json = run_result_json(run);

    cJSON_AddStringToObject(json, "state", run_result_ok(run) ? "done" : "failed");
    return json;
}

/* The caller holds the mutex. */
static void remember(struct scheduler *scheduler, const struct run_result *result)
{
    cJSON_InsertItemInArray(scheduler->recent, 0, run_json(result));
    if (cJSON_GetArraySize(scheduler->recent) > SCHEDULER_RECENT_MAX)
        cJSON_DeleteItemFromArray(scheduler->recent, SCHEDULER_RECENT_MAX);
}

static void run_request(struct scheduler *scheduler, const struct request *request)
{
    struct run_result result = {0};
    struct pass_options options = {
        .kind = request->kind,
        .full = request->kind == RUN_FULL,
        .tables = request->tables,
        .table_count = request->table_count,
        .follow = request->job == SCHEDULE_FOLLOW,
        .run_id = request->run_id,
        .progress = &scheduler->progress,
        .command = "bqsync serve",
    };

    scheduler->ops.run(scheduler->ops.context, &options, &result);
    bool postponed = is_postponed(request, &result);
    if (postponed)
        log_warn(
            "pass postponed", LOG_TEXT("kind", run_kind_name(request->kind)),
            LOG_TEXT("reason", result.error.message), LOG_NUMBER("retry_ms", LOCKED_RETRY_MS));
    if (scheduler->ops.ended != NULL)
        scheduler->ops.ended(scheduler->ops.context, &result, postponed);

    pthread_mutex_lock(&scheduler->background.mutex);
    if (!postponed)
        remember(scheduler, &result);
    reschedule(scheduler, request, &result);
    free(scheduler->current.tables);
    scheduler->current = (struct request){0};
    scheduler->running = false;
    scheduler->version++;
    pthread_cond_broadcast(&scheduler->background.changed);
    pthread_mutex_unlock(&scheduler->background.mutex);
    run_result_clear(&result);
}

static void *work(void *context)
{
    struct scheduler *scheduler = context;

    for (;;) {
        pthread_mutex_lock(&scheduler->background.mutex);
        if (!next_request(scheduler))
            break;
        struct request request = scheduler->current;
        scheduler->running = true;
        scheduler->version++;
        pthread_mutex_unlock(&scheduler->background.mutex);
        run_request(scheduler, &request);
    }
    background_leave(&scheduler->background);
    return NULL;
}

bool scheduler_start(struct scheduler *scheduler, struct error *err)
{
    return background_start(&scheduler->background, work, scheduler, err);
}

/* --- what others see --------------------------------------------------------------------- */

void scheduler_view(struct scheduler *scheduler, struct scheduler_view *out_view)
{
    pthread_mutex_lock(&scheduler->background.mutex);
    *out_view = scheduler->texts;
    out_view->incremental_us = scheduler->schedule.incremental_us;
    out_view->full_us = scheduler->schedule.full_us;
    int64_t follow_ms = follow_wait_ms(scheduler);
    out_view->follow_us =
        follow_ms == FOLLOW_NEVER ? SCHEDULE_NEVER : wall_us(scheduler) + follow_ms * 1000;
    pthread_mutex_unlock(&scheduler->background.mutex);
}

cJSON *scheduler_running(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->background.mutex);
    struct request request = scheduler->current;
    bool running = scheduler->running;
    pthread_mutex_unlock(&scheduler->background.mutex);

    if (!request.wanted)
        return NULL;
    return run_progress_json(&scheduler->progress, request.run_id, request.kind, running);
}

cJSON *scheduler_recent(struct scheduler *scheduler, int limit)
{
    cJSON *copy = cJSON_CreateArray();
    int count = 0;
    const cJSON *run = NULL;

    pthread_mutex_lock(&scheduler->background.mutex);
    cJSON_ArrayForEach(run, scheduler->recent)
    {
        if (count++ == limit)
            break;
        cJSON_AddItemToArray(copy, cJSON_Duplicate(run, true));
    }
    pthread_mutex_unlock(&scheduler->background.mutex);
    return copy;
}

uint64_t scheduler_version(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->background.mutex);
    uint64_t version = scheduler->version;
    pthread_mutex_unlock(&scheduler->background.mutex);
    pthread_mutex_lock(&scheduler->progress.mutex);
    version += scheduler->progress.version;
    pthread_mutex_unlock(&scheduler->progress.mutex);
    return version;
}
