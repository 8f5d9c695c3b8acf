#include "service/error_reporter.h"

#include "base/clock.h"
#include "base/fnv.h"
#include "base/log.h"
#include "base/shell_word.h"
#include "service/background.h"
#include "service/error_report.h"
#include "service/error_report_body.h"
#include "warehouse/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE_MAX  64
#define SEEN_MAX   128
#define REPEAT_MS  INT64_C(3600000)
#define CONNECT_MS 3000
#define STALL_MS   5000
#define GOODBYE_MS 1000
/* Pause after an answer without Retry-After. */
#define PAUSE_MS 60000

enum service { SERVICE_BUGSNAG, SERVICE_SENTRY, SERVICE_COUNT };

static const char *const service_names[] = {"bugsnag", "sentry"};
_Static_assert(
    sizeof service_names / sizeof service_names[0] == SERVICE_COUNT, "a name for each service");

/* A failure that was reported: the hash of table, code and reason. */
struct seen {
    uint64_t hash;
    int64_t at_ms;
};

struct error_reporter {
    /* Its mutex protects everything below it. */
    struct background background;
    char *bugsnag_key;
    char *bugsnag_endpoint;
    char *sentry_dsn;
    char environment[ERROR_REPORT_ENVIRONMENT_SIZE];
    struct error_report queue[QUEUE_MAX];
    size_t first;
    size_t count;
    int64_t dropped;
    struct seen seen[SEEN_MAX];
    /* Used by the thread only. */
    int64_t silent_until_ms[SERVICE_COUNT];
};

static int64_t monotonic_ms(void)
{
    const struct clock *clock = clock_system();

    return clock->monotonic_ms(clock->context);
}

/* --- the queue --------------------------------------------------------------------------- */

/* The message of rejected rows says how many there are: more of them are another failure. */
static uint64_t hash_of(const struct error_report *report)
{
    bool rejected = strcmp(report->code, error_code_name(ERROR_REJECTED)) == 0;
    const char *const texts[] = {
        report->table, report->code, report->reason, rejected ? report->message : ""};
    uint64_t hash = FNV_OFFSET;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        hash = fnv_add_text(hash, texts[i]);
    return hash;
}

/* Whether the same failure was reported within the hour; remembers this one. The caller holds the
 * mutex. */
static bool is_repeated(struct error_reporter *reporter, const struct error_report *report)
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

/* The caller holds the mutex. */
static void enqueue(struct error_reporter *reporter, const struct error_report *report)
{
    if (is_repeated(reporter, report))
        return;
    if (reporter->count == QUEUE_MAX) {
        reporter->dropped++;
        return;
    }
    reporter->queue[(reporter->first + reporter->count++) % QUEUE_MAX] = *report;
}

static bool is_configured(const struct error_reporter *reporter)
{
    return reporter->bugsnag_key != NULL || reporter->sentry_dsn != NULL;
}

/* A stop that was asked for, and a lock that another process holds, are not failures. */
static bool is_worth_telling(const struct error *error)
{
    return error->code != ERROR_NONE && error->code != ERROR_STOPPED && error->code != ERROR_LOCKED;
}

/* Reports rows that do not fit when there are more of them than before the pass. */
static void tell_rejects(
    struct error_reporter *reporter, const struct run_result *run, const struct table_result *table)
{
    struct table_result told = *table;
    struct error_report report;
    char word[SHELL_WORD_SIZE];

    if (table->status == TABLE_FAILED || table->rows_rejected <= table->rows_rejected_before)
        return;
    error_set(
        &told.error, ERROR_REJECTED,
        "%lld rows of %s do not fit their columns, %lld before: bqsync rejects %s lists them",
        (long long)table->rows_rejected, table->table->name, (long long)table->rows_rejected_before,
        shell_word(table->table->name, word));
    error_report_of_table(&report, reporter->environment, run, &told);
    enqueue(reporter, &report);
}

void error_reporter_run(struct error_reporter *reporter, const struct run_result *run)
{
    struct error_report report;

    if (reporter == NULL)
        return;
    pthread_mutex_lock(&reporter->background.mutex);
    if (is_configured(reporter)) {
        if (is_worth_telling(&run->error)) {
            error_report_of_run(&report, reporter->environment, run);
            enqueue(reporter, &report);
        }
        for (size_t i = 0; i < run->table_count; i++) {
            const struct table_result *table = &run->tables[i];
            tell_rejects(reporter, run, table);
            if (table->status != TABLE_FAILED || !is_worth_telling(&table->error))
                continue;
            error_report_of_table(&report, reporter->environment, run, table);
            enqueue(reporter, &report);
        }
        pthread_cond_signal(&reporter->background.changed);
    }
    pthread_mutex_unlock(&reporter->background.mutex);
}

/* --- the thread -------------------------------------------------------------------------- */

static void post(
    struct error_reporter *reporter, const struct http_ops *http, enum service service,
    const struct error_report_body *body)
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
        // A 4xx rejects this report only, so the next one is still sent.
        if (!refused)
            reporter->silent_until_ms[service] = monotonic_ms() + pause_ms;
    }
    http_answer_clear(&answer);
}

static void deliver(
    struct error_reporter *reporter, const struct http_ops *http, enum service service,
    const struct error_report *report)
{
    struct error_report_body body;
    struct error err;
    char *key = NULL;
    char *endpoint = NULL;

    if (monotonic_ms() < reporter->silent_until_ms[service])
        return;
    pthread_mutex_lock(&reporter->background.mutex);
    const char *from = service == SERVICE_BUGSNAG ? reporter->bugsnag_key : reporter->sentry_dsn;
    if (from != NULL)
        key = strdup(from);
    if (reporter->bugsnag_endpoint != NULL)
        endpoint = strdup(reporter->bugsnag_endpoint);
    pthread_mutex_unlock(&reporter->background.mutex);
    bool made = key != NULL &&
                (service == SERVICE_BUGSNAG ? bugsnag_body(report, key, endpoint, &body, &err)
                                            : sentry_body(report, key, &body, &err));
    if (made) {
        post(reporter, http, service, &body);
        error_report_body_clear(&body);
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

/* Waits for a report; false when the thread should end. */
static bool next(struct error_reporter *reporter, struct error_report *out_report)
{
    pthread_mutex_lock(&reporter->background.mutex);
    while (reporter->count == 0 && !reporter->background.stopping)
        pthread_cond_wait(&reporter->background.changed, &reporter->background.mutex);
    bool found = reporter->count > 0;
    if (found) {
        *out_report = reporter->queue[reporter->first];
        reporter->first = (reporter->first + 1) % QUEUE_MAX;
        reporter->count--;
    }
    int64_t dropped = reporter->dropped;
    reporter->dropped = 0;
    pthread_mutex_unlock(&reporter->background.mutex);
    if (dropped > 0)
        log_warn("reports dropped", LOG_NUMBER("count", dropped));
    return found;
}

static void *work(void *context)
{
    struct error_reporter *reporter = context;
    struct http_client *client = NULL;
    struct error_report report;
    struct error err;

    if (!http_client_open(&client, &err)) {
        log_error("reports are off", LOG_TEXT("reason", err.message));
    } else {
        const struct http_ops *http = http_client_ops(client);
        while (next(reporter, &report))
            for (int service = 0; service < SERVICE_COUNT; service++)
                deliver(reporter, http, (enum service)service, &report);
        http_client_close(client);
    }
    pthread_mutex_lock(&reporter->background.mutex);
    background_leave(&reporter->background);
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

/* The caller holds the mutex, or the thread does not exist yet. */
static void set_keys(struct error_reporter *reporter, const struct config *config)
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

bool error_reporter_new(
    const struct config *config, struct error_reporter **out_reporter, struct error *err)
{
    struct error_reporter *reporter = calloc(1, sizeof *reporter);

    if (reporter == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    background_init(&reporter->background);
    set_keys(reporter, config);
    if (!background_start(&reporter->background, work, reporter, err)) {
        error_reporter_free(reporter);
        return false;
    }
    *out_reporter = reporter;
    return true;
}

void error_reporter_configure(struct error_reporter *reporter, const struct config *config)
{
    pthread_mutex_lock(&reporter->background.mutex);
    set_keys(reporter, config);
    pthread_mutex_unlock(&reporter->background.mutex);
}

void error_reporter_free(struct error_reporter *reporter)
{
    if (reporter == NULL)
        return;
    background_stop(&reporter->background);
    // The thread may still wait for a service: then its memory stays allocated until the process
    // ends.
    if (!background_join(&reporter->background, GOODBYE_MS))
        return;
    set_keys(reporter, &(struct config){0});
    background_clear(&reporter->background);
    free(reporter);
}
