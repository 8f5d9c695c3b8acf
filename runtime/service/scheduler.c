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
    bool slow_told; /* in the log */
    cJSON *recent;  /* array, newest first */
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
    out_view->slowed_until_us = SCHEDULE_NEVER;
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
static int64_t follow_left_ms(const struct scheduler *scheduler)
{
    const struct scheduler_ops *ops = &scheduler->ops;

    if (scheduler->follow.delay_ms <= 0 || ops->commit_since_ms == NULL)
        return FOLLOW_NEVER;
    return follow_wait_ms(
        &scheduler->follow, ops->commit_since_ms(ops->context),
        (struct follow_now){
            .wall_us = wall_us(scheduler), .monotonic_ms = monotonic_ms(scheduler)});
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
    if (!follow_init(&scheduler->follow, options->tables, options->table_count, err) ||
        !make_rules(options->config, &rules, &scheduler->zone, err)) {
        scheduler_free(scheduler);
        return false;
    }
    describe(options->config, &scheduler->texts);
    scheduler->follow.delay_ms = options->config->sync_follow_ms;
    scheduler->follow.together = options->config->sync_atomic;
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
    follow_clear(&scheduler->follow);
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

/* What a pass that follows a commit leaves out is in the next pass over all tables. Tables that
 * failed have one soon (reschedule_followed); if all have failed, it is due now. For tables that
 * are slowed down it comes when that ends, or at its next time. The caller holds the mutex. */
static bool queue_follow(struct scheduler *scheduler, int64_t now_us)
{
    const struct follow *follow = &scheduler->follow;
    const struct table **tables = calloc(follow->count + 1, sizeof *tables);

    if (tables == NULL)
        return false;
    size_t count = follow_pick(follow, now_us, tables);
    bool some = count > 0 && count < follow->count;
    bool ok = queue(
        scheduler, some ? RUN_TABLES : RUN_INCREMENTAL, some ? tables : NULL, some ? count : 0,
        SCHEDULE_FOLLOW);
    if (ok && some && follow_is_slowed(follow, now_us))
        schedule_retry(
            &scheduler->schedule, SCHEDULE_INCREMENTAL, now_us,
            (follow->slowed_until_us - now_us + 999) / 1000);
    free(tables);
    return ok;
}

/* The caller holds the mutex. */
static bool queue_job(struct scheduler *scheduler, enum schedule_job job, int64_t now_us)
{
    if (job == SCHEDULE_FOLLOW)
        return queue_follow(scheduler, now_us);
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
        int64_t follow_ms = follow_left_ms(scheduler);
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

static int64_t next_delay_ms(struct scheduler *scheduler)
{
    int bits = scheduler->failures < FAILED_RETRY_BITS ? scheduler->failures : FAILED_RETRY_BITS;

    scheduler->failures++;
    return (int64_t)FAILED_RETRY_MS << bits;
}

/* While the day's budget runs out, the next pass over tables that bill waits for as long as the
 * bytes of this one last. spending: NULL if there is no budget, or if it is not known. */
static void slow_down(
    struct scheduler *scheduler, const struct run_result *result, const struct spending *spending)
{
    int64_t now_us = wall_us(scheduler);
    char until[CLOCK_TEXT_SIZE];

    if (spending == NULL)
        return;
    int64_t for_ms = spending_lasts_ms(spending, now_us, run_result_bytes_billed(result));
    if (for_ms > 0)
        follow_slow_down(&scheduler->follow, now_us, for_ms);
    // The end of the budget has a line of its own.
    if (for_ms > 0 && !spending_is_over(spending))
        log_warn(
            "the day's budget runs out: tables whose queries are billed are followed less often",
            LOG_NUMBER("bytes_left", spending_left(spending)),
            LOG_TEXT("next", clock_format(scheduler->follow.slowed_until_us, until)));
    if (scheduler->slow_told && !spending_runs_out(spending))
        log_info(
            "tables whose queries are billed are followed as before",
            LOG_NUMBER("bytes_left", spending_left(spending)));
    scheduler->slow_told = spending_runs_out(spending);
}

/* While commits are followed, tables that failed do not wait for the interval, which may be off;
 * nor do those that wait for the next day's budget. The caller holds the mutex. */
static void reschedule_followed(
    struct scheduler *scheduler, const struct request *request, const struct run_result *result,
    const struct spending *spending)
{
    enum error_code code = result->error.code;
    bool over = spending != NULL && spending_is_over(spending);
    struct follow_seen seen = follow_note(&scheduler->follow, result, over);
    int64_t now_us = wall_us(scheduler);

    slow_down(scheduler, result, spending);
    if (spending != NULL && seen.waits)
        schedule_retry(
            &scheduler->schedule, SCHEDULE_INCREMENTAL, now_us,
            (spending->day_ends_us - now_us + 999) / 1000);
    if (code == ERROR_STOPPED)
        return;
    if (code == ERROR_NONE && !seen.failed) {
        scheduler->failures = follow_has_failed(&scheduler->follow) ? scheduler->failures : 0;
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
            now_us, delay_ms);
}

/* The caller holds the mutex. */
static void reschedule(
    struct scheduler *scheduler, const struct request *request, const struct run_result *result,
    const struct spending *spending)
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
        reschedule_followed(scheduler, request, result, spending);
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

/* False if there is none, or if nothing is followed. */
static bool read_budget(struct scheduler *scheduler, struct spending *out_spending)
{
    const struct scheduler_ops *ops = &scheduler->ops;

    pthread_mutex_lock(&scheduler->background.mutex);
    bool follows = scheduler->follow.delay_ms > 0;
    pthread_mutex_unlock(&scheduler->background.mutex);
    return follows && ops->budget != NULL && ops->budget(ops->context, out_spending);
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
    struct spending spending;
    bool known = !postponed && read_budget(scheduler, &spending);

    pthread_mutex_lock(&scheduler->background.mutex);
    if (!postponed)
        remember(scheduler, &result);
    reschedule(scheduler, request, &result, known ? &spending : NULL);
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
    int64_t follow_ms = follow_left_ms(scheduler);
    out_view->follow_us =
        follow_ms == FOLLOW_NEVER ? SCHEDULE_NEVER : wall_us(scheduler) + follow_ms * 1000;
    out_view->slowed_until_us = follow_is_slowed(&scheduler->follow, wall_us(scheduler))
                                    ? scheduler->follow.slowed_until_us
                                    : SCHEDULE_NEVER;
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
