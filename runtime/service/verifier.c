#include "service/verifier.h"

#include "base/clock.h"
#include "base/json_exact.h"
#include "base/log.h"
#include "service/background.h"

#include <stdlib.h>
#include <string.h>

struct request {
    bool wanted;
    char id[RUN_ID_SIZE];
    const struct table **tables; /* owned */
    size_t count;
    int64_t started_us;
};

struct verifier {
    struct verifier_options options;

    struct background background; /* its mutex protects the members below */
    struct request current;       /* waiting for the thread, or running */
    size_t at;                    /* the table that is compared */
    cJSON *last;                  /* NULL: none has ended yet */
    struct verifier_view view;
};

static int64_t wall_us(const struct verifier *verifier)
{
    const struct clock *clock = verifier->options.clock;

    return clock->wall_us(clock->context);
}

/* --- making and ending ------------------------------------------------------------------- */

bool verifier_new(
    const struct verifier_options *options, struct verifier **out_verifier, struct error *err)
{
    struct verifier *verifier = calloc(1, sizeof *verifier);

    if (verifier == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    verifier->options = *options;
    background_init(&verifier->background);
    *out_verifier = verifier;
    return true;
}

void verifier_free(struct verifier *verifier)
{
    if (verifier == NULL)
        return;
    background_end(&verifier->background);
    free(verifier->current.tables);
    cJSON_Delete(verifier->last);
    background_clear(&verifier->background);
    free(verifier);
}

void verifier_stop(struct verifier *verifier)
{
    background_stop(&verifier->background);
}

bool verifier_join(struct verifier *verifier, int64_t timeout_ms)
{
    return background_join(&verifier->background, timeout_ms);
}

/* --- requests ---------------------------------------------------------------------------- */

/* The caller holds the mutex, and nothing is running. */
static bool begin(struct verifier *verifier, const struct table *const *tables, size_t count)
{
    struct request request = {.wanted = true, .count = count, .started_us = wall_us(verifier)};

    request.tables = calloc(count + 1, sizeof *request.tables);
    if (request.tables == NULL)
        return false;
    memcpy(request.tables, tables, count * sizeof *request.tables);
    run_id_make(request.started_us, request.id);
    verifier->current = request;
    verifier->at = 0;
    pthread_cond_broadcast(&verifier->background.changed);
    return true;
}

enum verifier_answer verifier_request(
    struct verifier *verifier, const struct table *const *tables, size_t count,
    char out_id[RUN_ID_SIZE])
{
    enum verifier_answer answer = VERIFIER_ACCEPTED;

    if (tables == NULL) {
        tables = verifier->options.tables;
        count = verifier->options.table_count;
    }
    pthread_mutex_lock(&verifier->background.mutex);
    if (verifier->background.stopping)
        answer = VERIFIER_STOPPING;
    else if (verifier->current.wanted)
        answer = VERIFIER_BUSY;
    else if (!begin(verifier, tables, count))
        answer = VERIFIER_STOPPING;
    memcpy(out_id, verifier->current.id, RUN_ID_SIZE);
    pthread_mutex_unlock(&verifier->background.mutex);
    return answer;
}

/* --- results ----------------------------------------------------------------------------- */

/* The outcome of one verification; tables NULL: it failed as a whole. */
struct outcome {
    const struct request *request;
    const struct verify_table *tables;
    const struct error *error;
    int64_t finished_us;
    bool ok;
};

static void add_time(cJSON *json, const char *name, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    cJSON_AddStringToObject(json, name, clock_format(us, text));
}

static int64_t duration_ms(const struct outcome *outcome)
{
    return clock_since_us(outcome->request->started_us, outcome->finished_us) / 1000;
}

static cJSON *outcome_json(const struct outcome *outcome)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "verify_id", outcome->request->id);
    add_time(json, "started_at", outcome->request->started_us);
    add_time(json, "finished_at", outcome->finished_us);
    json_add_int64(json, "duration_ms", duration_ms(outcome));
    cJSON_AddBoolToObject(json, "ok", outcome->ok);
    if (outcome->tables != NULL) {
        cJSON *found = verify_report_json(outcome->tables, outcome->request->count);
        cJSON_AddNullToObject(json, "error");
        cJSON_AddItemToObject(
            json, "tables", cJSON_DetachItemFromObjectCaseSensitive(found, "tables"));
        cJSON_Delete(found);
    } else {
        cJSON_AddItemToObject(json, "error", result_error_json(outcome->error));
        cJSON_AddArrayToObject(json, "tables");
    }
    return json;
}

static void log_outcome(const struct outcome *outcome)
{
    const char *id = outcome->request->id;

    for (size_t i = 0; outcome->tables != NULL && i < outcome->request->count; i++) {
        const struct verify_table *table = &outcome->tables[i];
        if (verify_report_differences(table) > 0)
            log_warn(
                "table differs", LOG_TEXT("table", table->table->name),
                LOG_NUMBER("missing", table->missing_count),
                LOG_NUMBER("extra", table->extra_count),
                LOG_NUMBER("different", table->different_count),
                LOG_NUMBER("duplicated", table->duplicated_count),
                LOG_NUMBER("missing_columns", table->missing_columns_count),
                LOG_NUMBER("unexplained", table->unexplained_count), LOG_TEXT("verification", id));
    }
    if (outcome->tables == NULL)
        log_error(
            "verification failed", LOG_TEXT("code", error_code_name(outcome->error->code)),
            LOG_TEXT("error", outcome->error->message), LOG_TEXT("verification", id));
    else
        log_info(
            "verification done", LOG_TEXT("equal", outcome->ok ? "yes" : "no"),
            LOG_NUMBER("tables", outcome->request->count),
            LOG_NUMBER("duration_ms", duration_ms(outcome)), LOG_TEXT("verification", id));
}

static bool has_compared_all(const struct outcome *outcome)
{
    bool all = outcome->tables != NULL;

    for (size_t i = 0; all && i < outcome->request->count; i++)
        all = outcome->tables[i].error.code == ERROR_NONE;
    return all;
}

static void keep(struct verifier *verifier, const struct outcome *outcome)
{
    cJSON *json = outcome_json(outcome);

    pthread_mutex_lock(&verifier->background.mutex);
    cJSON_Delete(verifier->last);
    verifier->last = json;
    verifier->view = (struct verifier_view){
        .finished_us = outcome->finished_us, .compared = has_compared_all(outcome)};
    free(verifier->current.tables);
    verifier->current = (struct request){0};
    pthread_mutex_unlock(&verifier->background.mutex);
}

/* --- the thread -------------------------------------------------------------------------- */

static void table_begins(void *context, size_t index)
{
    struct verifier *verifier = context;

    pthread_mutex_lock(&verifier->background.mutex);
    verifier->at = index;
    pthread_mutex_unlock(&verifier->background.mutex);
}

/* An outage or a refusal is no result. */
static void table_ends(void *context, const struct verify_table *table)
{
    const struct verifier *verifier = context;

    if (table->error.code == ERROR_NONE)
        verifier->options.judged(verifier->options.context, table);
}

static void run_request(struct verifier *verifier, const struct request *request)
{
    const struct verifier_options *options = &verifier->options;
    struct verify_watch watch = {
        .context = verifier, .table_begins = table_begins, .table_ends = table_ends};
    struct verify_table *tables = NULL;
    struct error err = {0};

    log_info(
        "verification begins", LOG_NUMBER("tables", request->count),
        LOG_TEXT("verification", request->id));
    bool ran =
        options->run(options->context, request->tables, request->count, &watch, &tables, &err);
    struct outcome outcome = {
        .request = request,
        .tables = ran ? tables : NULL,
        .error = &err,
        .finished_us = wall_us(verifier),
        .ok = ran && verify_report_ok(tables, request->count),
    };
    log_outcome(&outcome);
    keep(verifier, &outcome);
    verify_report_free(tables, request->count);
}

static void *work(void *context)
{
    struct verifier *verifier = context;

    for (;;) {
        pthread_mutex_lock(&verifier->background.mutex);
        while (!verifier->background.stopping && !verifier->current.wanted)
            pthread_cond_wait(&verifier->background.changed, &verifier->background.mutex);
        if (verifier->background.stopping)
            break;
        struct request request = verifier->current;
        pthread_mutex_unlock(&verifier->background.mutex);
        run_request(verifier, &request);
    }
    background_leave(&verifier->background);
    return NULL;
}

bool verifier_start(struct verifier *verifier, struct error *err)
{
    return background_start(&verifier->background, work, verifier, err);
}

/* --- what others see --------------------------------------------------------------------- */

/* The caller holds the mutex. */
static cJSON *running_json(const struct verifier *verifier)
{
    const struct request *request = &verifier->current;

    if (!request->wanted)
        return cJSON_CreateNull();
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "verify_id", request->id);
    add_time(json, "started_at", request->started_us);
    cJSON *names = cJSON_AddArrayToObject(json, "tables");
    for (size_t i = 0; i < request->count; i++)
        cJSON_AddItemToArray(names, cJSON_CreateString(request->tables[i]->name));
    json_add_int64(json, "tables_done", (int64_t)verifier->at);
    cJSON_AddStringToObject(json, "table", request->tables[verifier->at]->name);
    return json;
}

cJSON *verifier_json(struct verifier *verifier)
{
    cJSON *json = cJSON_CreateObject();

    pthread_mutex_lock(&verifier->background.mutex);
    cJSON_AddItemToObject(json, "running", running_json(verifier));
    cJSON_AddItemToObject(
        json, "last",
        verifier->last == NULL ? cJSON_CreateNull() : cJSON_Duplicate(verifier->last, true));
    pthread_mutex_unlock(&verifier->background.mutex);
    return json;
}

void verifier_view(struct verifier *verifier, struct verifier_view *out_view)
{
    pthread_mutex_lock(&verifier->background.mutex);
    *out_view = verifier->view;
    pthread_mutex_unlock(&verifier->background.mutex);
}
