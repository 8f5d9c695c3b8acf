#include "service/report.h"

#include "base/clock.h"
#include "base/log.h"
#include "service/report_body.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_MAX  64
#define SEEN_MAX   128
#define REPEAT_MS  INT64_C(3600000)
#define CONNECT_MS 3000
#define STALL_MS   5000
#define GOODBYE_MS 1000
#define PAUSE_MS   60000 /* after a refusal that says nothing of when to come back */

enum service { SERVICE_BUGSNAG, SERVICE_SENTRY, SERVICE_COUNT };

static const char *const service_names[] = {"bugsnag", "sentry"};

/* A failure that was reported, by hash of table, code and reason. */
struct seen {
    uint64_t hash;
    int64_t at_ms;
};

struct reporter {
    pthread_mutex_t mutex; /* of everything below */
    pthread_cond_t changed;
    pthread_t thread;
    bool started;
    bool stopping;
    char *bugsnag_key;
    char *bugsnag_endpoint;
    char *sentry_dsn;
    char environment[64];
    struct report queue[QUEUE_MAX];
    size_t first;
    size_t count;
    int64_t dropped;
    struct seen seen[SEEN_MAX];
    int64_t silent_until_ms[SERVICE_COUNT]; /* the thread's own */
};

static int64_t monotonic_ms(void)
{
    const struct clock *clock = clock_system();

    return clock->monotonic_ms(clock->context);
}

/* --- what is reported -------------------------------------------------------------------- */

/* BigQuery quotes values in some of its messages, and those come from rows: what stands between
 * quotes goes. Names are told by other fields. */
static void scrub(char *text)
{
    char *out = text;

    for (const char *at = text; *at != '\0'; at++) {
        const char *end = *at == '\'' || *at == '"' || *at == '`' ? strchr(at + 1, *at) : NULL;
        if (end == NULL || end - at < 4) {
            *out++ = *at;
            continue;
        }
        *out++ = *at;
        memcpy(out, "..", 2);
        out += 2;
        *out++ = *at;
        at = end;
    }
    *out = '\0';
}

static void make_id(char out_id[33])
{
    unsigned char bytes[16] = {0};

    if (getrandom(bytes, sizeof bytes, 0) < 0) {
        int64_t now = clock_system()->wall_us(NULL);
        memcpy(bytes, &now, sizeof now);
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out_id + 2 * i, 3, "%02x", bytes[i]);
}

static void fill(
    struct report *report, const struct reporter *reporter, const struct run_result *run,
    const struct error *error)
{
    *report = (struct report){
        .at_us = run->finished_us,
        .http_status = error->http_status,
        .retryable = error_is_retryable(error->code),
    };
    make_id(report->event_id);
    snprintf(report->run_id, sizeof report->run_id, "%s", run->id);
    snprintf(report->kind, sizeof report->kind, "%s", run_kind_name(run->kind));
    snprintf(report->code, sizeof report->code, "%s", error_code_name(error->code));
    snprintf(report->reason, sizeof report->reason, "%s", error->reason);
    snprintf(report->message, sizeof report->message, "%s", error->message);
    if (error->code == ERROR_WAREHOUSE || error->code == ERROR_REJECTED)
        scrub(report->message);
    memcpy(report->environment, reporter->environment, sizeof report->environment);
    gethostname(report->host, sizeof report->host - 1);
}

static uint64_t hash_of(const struct report *report)
{
    const char *const texts[] = {report->table, report->code, report->reason};
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < 3; i++) {
        const char *at = texts[i];
        do {
            hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
        } while (*at++ != '\0');
    }
    return hash;
}

/* Whether an equal failure was reported within the hour; notes this one. With the mutex held. */
static bool is_repeated(struct reporter *reporter, const struct report *report)
{
    uint64_t hash = hash_of(report);
    int64_t now_ms = monotonic_ms();
    struct seen *oldest = &reporter->seen[0];

    for (size_t i = 0; i < SEEN_MAX; i++) {
        struct seen *seen = &reporter->seen[i];
        if (seen->at_ms != 0 && seen->hash == hash) {
            if (now_ms - seen->at_ms < REPEAT_MS)
                return true;
            oldest = seen;
            break;
        }
        if (seen->at_ms < oldest->at_ms)
            oldest = seen;
    }
    *oldest = (struct seen){hash, now_ms};
    return false;
}

/* With the mutex held. */
static void enqueue(struct reporter *reporter, const struct report *report)
{
    if (is_repeated(reporter, report))
        return;
    if (reporter->count == QUEUE_MAX) {
        reporter->dropped++;
        return;
    }
    reporter->queue[(reporter->first + reporter->count++) % QUEUE_MAX] = *report;
}

static bool is_configured(const struct reporter *reporter)
{
    return reporter->bugsnag_key != NULL || reporter->sentry_dsn != NULL;
}

/* Being asked to stop, or finding another process at work, is no failure. */
static bool is_worth_telling(const struct error *error)
{
    return error->code != ERROR_NONE && error->code != ERROR_STOPPED && error->code != ERROR_LOCKED;
}

void reporter_run(struct reporter *reporter, const struct run_result *run)
{
    struct report report;

    if (reporter == NULL)
        return;
    pthread_mutex_lock(&reporter->mutex);
    if (is_configured(reporter)) {
        if (is_worth_telling(&run->error)) {
            fill(&report, reporter, run, &run->error);
            enqueue(reporter, &report);
        }
        for (size_t i = 0; i < run->table_count; i++) {
            const struct table_result *table = &run->tables[i];
            if (table->status != TABLE_FAILED || !is_worth_telling(&table->error))
                continue;
            fill(&report, reporter, run, &table->error);
            snprintf(report.table, sizeof report.table, "%s", table->table->name);
            snprintf(report.mode, sizeof report.mode, "%s", send_mode_name(table->mode));
            report.attempts = table->attempts;
            enqueue(reporter, &report);
        }
        pthread_cond_signal(&reporter->changed);
    }
    pthread_mutex_unlock(&reporter->mutex);
}

/* --- the thread -------------------------------------------------------------------------- */

static bool make_body(
    enum service service, const struct report *report, const char *key, const char *endpoint,
    struct report_body *out_body, struct error *err)
{
    return service == SERVICE_BUGSNAG ? bugsnag_body(report, key, endpoint, out_body, err)
                                      : sentry_body(report, key, out_body, err);
}

static void post(
    struct reporter *reporter, const struct http_ops *http, enum service service,
    const struct report_body *body)
{
    struct http_request request = {
        .method = "POST",
        .url = body->url,
        .body = {body->text, body->length},
        .connect_timeout_ms = CONNECT_MS,
        .stall_timeout_ms = STALL_MS,
    };
    struct http_answer answer;
    struct error err = {0};

    for (size_t i = 0; i < body->header_count; i++)
        request.headers[i] = body->headers[i];
    http_answer_init(&answer);
    bool ok = http->perform(http->context, &request, &answer, &err);
    if (!ok || answer.status >= 300) {
        if (ok)
            error_set(&err, ERROR_WAREHOUSE, "http %d", answer.status);
        log_warn(
            "report not sent", LOG_TEXT("to", service_names[service]),
            LOG_NUMBER("status", answer.status), LOG_TEXT("reason", err.message));
        bool refused = ok && answer.status != 429 && answer.status < 500;
        int64_t pause_ms = answer.retry_after_ms > 0 ? answer.retry_after_ms : PAUSE_MS;
        // A report that is refused for what it is says nothing about the next.
        if (!refused)
            reporter->silent_until_ms[service] = monotonic_ms() + pause_ms;
    }
    http_answer_clear(&answer);
}

static void deliver(
    struct reporter *reporter, const struct http_ops *http, enum service service,
    const struct report *report)
{
    struct report_body body;
    struct error err;
    char *key = NULL;
    char *endpoint = NULL;

    if (monotonic_ms() < reporter->silent_until_ms[service])
        return;
    pthread_mutex_lock(&reporter->mutex);
    const char *from = service == SERVICE_BUGSNAG ? reporter->bugsnag_key : reporter->sentry_dsn;
    if (from != NULL)
        key = strdup(from);
    if (reporter->bugsnag_endpoint != NULL)
        endpoint = strdup(reporter->bugsnag_endpoint);
    pthread_mutex_unlock(&reporter->mutex);
    if (key != NULL && make_body(service, report, key, endpoint, &body, &err)) {
        post(reporter, http, service, &body);
        report_body_clear(&body);
    } else if (key != NULL) {
        log_warn(
            "report not made", LOG_TEXT("for", service_names[service]),
            LOG_TEXT("reason", err.message));
    }
    if (key != NULL)
        explicit_bzero(key, strlen(key));
    free(key);
    free(endpoint);
}

/* Waits for a report; false when it is time to end. */
static bool next(struct reporter *reporter, struct report *out_report)
{
    pthread_mutex_lock(&reporter->mutex);
    while (reporter->count == 0 && !reporter->stopping)
        pthread_cond_wait(&reporter->changed, &reporter->mutex);
    bool found = reporter->count > 0;
    if (found) {
        *out_report = reporter->queue[reporter->first];
        reporter->first = (reporter->first + 1) % QUEUE_MAX;
        reporter->count--;
    }
    int64_t dropped = reporter->dropped;
    reporter->dropped = 0;
    pthread_mutex_unlock(&reporter->mutex);
    if (dropped > 0)
        log_warn("reports dropped", LOG_NUMBER("count", dropped));
    return found;
}

static void *work(void *context)
{
    struct reporter *reporter = context;
    struct http_client *client = NULL;
    struct report report;
    struct error err;

    if (!http_client_open(&client, &err)) {
        log_error("reports are off", LOG_TEXT("reason", err.message));
        return NULL;
    }
    const struct http_ops *http = http_client_ops(client);
    while (next(reporter, &report))
        for (int service = 0; service < SERVICE_COUNT; service++)
            deliver(reporter, http, (enum service)service, &report);
    http_client_close(client);
    return NULL;
}

/* --- life -------------------------------------------------------------------------------- */

static char *copy_text(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : strdup(text);
}

static void wipe(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

/* With the mutex held, or before the thread exists. */
static void set_keys(struct reporter *reporter, const struct config *config)
{
    wipe(&reporter->bugsnag_key);
    wipe(&reporter->bugsnag_endpoint);
    wipe(&reporter->sentry_dsn);
    reporter->bugsnag_key = copy_text(config->bugsnag_api_key);
    reporter->bugsnag_endpoint = copy_text(config->bugsnag_endpoint);
    reporter->sentry_dsn = copy_text(config->sentry_dsn);
    snprintf(
        reporter->environment, sizeof reporter->environment, "%s",
        config->environment == NULL ? "production" : config->environment);
}

bool reporter_new(const struct config *config, struct reporter **out_reporter, struct error *err)
{
    struct reporter *reporter = calloc(1, sizeof *reporter);

    if (reporter == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    pthread_mutex_init(&reporter->mutex, NULL);
    pthread_cond_init(&reporter->changed, NULL);
    set_keys(reporter, config);
    if (pthread_create(&reporter->thread, NULL, work, reporter) != 0) {
        reporter_free(reporter);
        return error_set(err, ERROR_MEMORY, "cannot start a thread");
    }
    reporter->started = true;
    *out_reporter = reporter;
    return true;
}

void reporter_configure(struct reporter *reporter, const struct config *config)
{
    pthread_mutex_lock(&reporter->mutex);
    set_keys(reporter, config);
    pthread_mutex_unlock(&reporter->mutex);
}

static bool join_within(pthread_t thread, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(ms / 1000);
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

void reporter_free(struct reporter *reporter)
{
    if (reporter == NULL)
        return;
    pthread_mutex_lock(&reporter->mutex);
    reporter->stopping = true;
    pthread_cond_signal(&reporter->changed);
    pthread_mutex_unlock(&reporter->mutex);
    // A service that does not answer keeps its thread and this memory; the process ends anyway.
    if (reporter->started && !join_within(reporter->thread, GOODBYE_MS))
        return;
    set_keys(reporter, &(struct config){0});
    pthread_cond_destroy(&reporter->changed);
    pthread_mutex_destroy(&reporter->mutex);
    free(reporter);
}
