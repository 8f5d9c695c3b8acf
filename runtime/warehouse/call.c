#include "warehouse/call.h"

#include "base/json_memory.h"
#include "base/json_strict.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/text_fit.h"
#include "warehouse/answer.h"
#include "warehouse/credentials.h"
#include "warehouse/foreign_text.h"
#include "warehouse/quota.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path of ours: project, dataset and table names hold at most 1,024 bytes, escaped threefold. */
#define URL_CEILING 16384
/* A request without a byte for this long is repeated, however long the budget is. */
#define STALL_MS   60000
#define CONNECT_MS 10000
/* The least time that the last try of a call is given. */
#define LEAST_MS 500
/* The longest that a request is held, and the time between the end of a hold and its answer. */
#define HOLD_MS        10000
#define HELD_MARGIN_MS 5000

/* --- JSON -------------------------------------------------------------------------------- */

int64_t call_hold_ms(const struct bigquery *bigquery)
{
    int64_t half = bigquery->retry_budget_ms / 2;

    return half < HOLD_MS ? half : HOLD_MS;
}

const cJSON *call_member(const cJSON *object, const char *const *path)
{
    for (; object != NULL && *path != NULL; path++)
        object = cJSON_GetObjectItemCaseSensitive(object, *path);
    return object;
}

int64_t call_int64(const cJSON *value)
{
    if (cJSON_IsString(value))
        return strtoll(value->valuestring, NULL, 10);
    return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : 0;
}

const char *call_text(const cJSON *object, const char *name)
{
    return json_text_of(object, name, "");
}

/* --- errors ------------------------------------------------------------------------------ */

/* What a refusal says. */
struct refusal {
    char reason[sizeof((struct error *)0)->reason]; /* as it came, for the policy */
    char shown_reason[100];
    char said[700];  /* its message as it came, for the policy: never shown */
    char shown[700]; /* without secrets and values of rows */
};

/* Reads {"error": {...}}; a body in another form (a proxy's HTML, nothing) leaves all empty. */
static void read_error_body(
    const struct bigquery *bigquery, const struct call *call, const struct http_answer *answer,
    struct refusal *refusal)
{
    const char *const names[] = {
        bigquery->project, bigquery->dataset, call->subject, bigquery->location, NULL};
    cJSON *root = json_parse_answer(buffer_slice(&answer->body));
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(error, "errors"), 0);

    foreign_reason(refusal->reason, sizeof refusal->reason, call_text(first, "reason"));
    foreign_text(refusal->shown_reason, sizeof refusal->shown_reason, call_text(first, "reason"));
    text_format(refusal->said, sizeof refusal->said, "%s", call_text(error, "message"));
    foreign_message(refusal->shown, sizeof refusal->shown, call_text(error, "message"), names);
    cJSON_Delete(root);
}

/* "tables.get users" */
static void name_call(const struct call *call, char *out, size_t size)
{
    const char *subject = call->subject;
    char shown[150];

    // The id of a query's job is the server's.
    if (call->what == TRAFFIC_JOBS_RESULTS)
        subject = foreign_text(shown, sizeof shown, subject);
    text_format(
        out, size, "BigQuery: %s%s%s", traffic_call_name(call->what), subject[0] == '\0' ? "" : " ",
        subject);
}

void call_explain(struct error *err)
{
    if (strcmp(err->reason, "bytesBilledLimitExceeded") == 0)
        error_wrap(
            err, "refused because it would bill more than BQ_MAX_BYTES_BILLED allows (raise it, or "
                 "unset it)");
}

static enum retry_action judge_answer(
    const struct bigquery *bigquery, const struct call *call, const struct http_answer *answer,
    struct error *err)
{
    struct refusal refusal;
    char name[200];

    read_error_body(bigquery, call, answer, &refusal);
    const struct retry_event event = {
        .place = call->place == 0 ? RETRY_CALL : call->place,
        .status = answer->status,
        .reason = refusal.reason,
        .message = refusal.said,
    };
    enum error_code code = ERROR_WAREHOUSE;
    enum retry_action action = retry_decide(&event, &code);

    name_call(call, name, sizeof name);
    // With x-goog-user-project the permission that is missing may be one on that project, and
    // Google names it.
    bool needs = code == ERROR_AUTH && answer->status == 403 && call->permission != NULL &&
                 strstr(refusal.said, "serviceusage.services.use") == NULL;
    error_set(
        err, code, "%s: http %d%s%s%s%s%s%s%s", name, answer->status,
        refusal.reason[0] == '\0' ? "" : " ", refusal.shown_reason,
        refusal.shown[0] == '\0' ? "" : ": ", refusal.shown, needs ? " (needs " : "",
        needs ? call->permission : "", needs ? ")" : "");
    err->http_status = answer->status;
    err->retry_after_ms = answer->retry_after_ms;
    memcpy(err->reason, refusal.reason, sizeof err->reason);
    explicit_bzero(refusal.said, sizeof refusal.said);
    call_explain(err);
    return action;
}

static enum retry_action judge_silence(
    const struct call *call, const struct http_answer *answer, struct error *err)
{
    const struct retry_event event = {
        .place = call->place == 0 ? RETRY_CALL : call->place,
        .failure = answer->failure,
        .reason = "",
        .message = "",
    };
    enum error_code ignored; // the transport has told more exactly what it met
    enum retry_action action = retry_decide(&event, &ignored);
    char name[200];

    name_call(call, name, sizeof name);
    error_wrap(err, "%s", name);
    return action;
}

/* --- one try ----------------------------------------------------------------------------- */

/* A token goes only to the API it is for: an upload's session may be anywhere the server says. */
static bool url_may_see_token(const struct bigquery *bigquery, const char *url)
{
    char ours[512];
    char theirs[512];

    return http_origin(bigquery->root, ours, sizeof ours) &&
           http_origin(url, theirs, sizeof theirs) && strcmp(ours, theirs) == 0;
}

static bool authorization_line(
    struct bigquery *bigquery, const char *url, char **out_value, struct buffer *line,
    struct error *err)
{
    if (bigquery->credentials == NULL || !url_may_see_token(bigquery, url))
        return true;
    if (!credentials_authorization(
            bigquery->credentials, &bigquery->counters.traffic, out_value, err))
        return false;
    buffer_printf(line, "Authorization: %s", *out_value);
    return buffer_check(line, "the Authorization header", err);
}

static int64_t at_least(int64_t value, int64_t least)
{
    return value < least ? least : value;
}

static void fill_request(
    const struct call *call, const struct call_try *try, int64_t budget_ms,
    struct http_request *request)
{
    int64_t left_ms = try->left_ms;

    *request = (struct http_request){
        .method = call->method,
        .url = try->url,
        .source = call->source,
        .connect_timeout_ms = at_least(left_ms < CONNECT_MS ? left_ms : CONNECT_MS, LEAST_MS),
        .stall_timeout_ms = at_least(
            left_ms < STALL_MS ? left_ms : STALL_MS,
            call->held_ms > 0 ? call->held_ms + HELD_MARGIN_MS : LEAST_MS),
    };
    // What follows an upload's last byte may take long, and repeating it costs the bytes again: an
    // upload may be silent for the whole budget, however little of it is left.
    if (call->source != NULL)
        request->stall_timeout_ms = at_least(budget_ms < STALL_MS ? budget_ms : STALL_MS, LEAST_MS);
    request->headers[0] = "x-goog-api-client: gl-c/17 gccl/" BQSYNC_VERSION;
    request->headers[1] = call->header;
}

/* 308 is how an upload's session says "go on". */
static enum traffic_outcome outcome_of(bool answered, const struct http_answer *answer)
{
    if (!answered)
        return TRAFFIC_NO_ANSWER;
    bool good = (answer->status >= 200 && answer->status < 300) || answer->status == 308;
    return good ? TRAFFIC_OK : TRAFFIC_ERROR;
}

static bool send_request(
    struct bigquery *bigquery, const struct call *call, struct http_request *request,
    struct http_answer *answer, struct error *err)
{
    char type[160];
    char project[300];
    char *text = NULL;

    if (call->body != NULL) {
        text = json_print(call->body);
        if (text == NULL) {
            answer->failure = HTTP_LOCAL;
            return error_set(err, ERROR_MEMORY, "out of memory for a request body");
        }
        request->body = slice_of(text);
        request->headers[2] = "Content-Type: application/json; charset=UTF-8";
    } else if (call->content_type != NULL) {
        snprintf(type, sizeof type, "Content-Type: %s", call->content_type);
        request->headers[2] = type;
    }
    if (request->body.data == NULL && request->source == NULL && call->method[0] == 'P')
        request->body = slice_of(""); // Content-Length: 0 has to be said

    const char *quota =
        bigquery->credentials == NULL ? NULL : credentials_quota_project(bigquery->credentials);
    if (quota != NULL) {
        snprintf(project, sizeof project, "x-goog-user-project: %s", quota);
        request->headers[3] = project;
    }
    int64_t started = bigquery->clock->monotonic_ms(bigquery->clock->context);
    request->new_connection = bigquery->distrusts;
    bigquery->distrusts = false;
    bool ok = bigquery->http->perform(bigquery->http->context, request, answer, err);
    log_debug(
        "request", LOG_TEXT("call", traffic_call_name(call->what)),
        LOG_TEXT("subject", call->subject), LOG_NUMBER("status", answer->status),
        LOG_NUMBER("sent", answer->sent), LOG_NUMBER("received", answer->received),
        LOG_NUMBER(
            "duration_ms", bigquery->clock->monotonic_ms(bigquery->clock->context) - started));
    bigquery->counters.traffic.requests[call->what][outcome_of(ok, answer)]++;
    bigquery->counters.bytes_sent += answer->sent;
    bigquery->counters.bytes_received += answer->received;
    cJSON_free(text);
    return ok;
}

void call_went_well(struct bigquery *bigquery)
{
    if (bigquery->quota != NULL)
        quota_answered_well(bigquery->quota);
}

bool call_once(
    struct bigquery *bigquery, const struct call *call, struct call_try *try, struct error *err)
{
    struct http_answer *answer = try->answer;
    struct http_request request;
    struct buffer line;
    char *authorization = NULL;
    bool ok = false;

    try->action = RETRY_GIVE_UP;
    buffer_init_secret(&line, HTTP_ANSWER_CEILING);
    answer->failure = HTTP_LOCAL;
    if (!authorization_line(bigquery, try->url, &authorization, &line, err))
        goto cleanup;
    fill_request(call, try, bigquery->retry_budget_ms, &request);
    request.headers[4] = line.length > 0 ? buffer_text(&line) : NULL;

    if (!send_request(bigquery, call, &request, answer, err)) {
        try->action = judge_silence(call, answer, err);
        goto cleanup;
    }
    ok = answer->status >= 200 && answer->status < 300;
    if (!ok)
        try->action = judge_answer(bigquery, call, answer, err);
    if (ok)
        goto cleanup;
    // "Try again" is no better than silence.
    if (try->action != RETRY_AGAIN && try->action != RETRY_PROBE)
        call_went_well(bigquery);
    if (try->action == RETRY_REFRESH_TOKEN) {
        if (authorization == NULL)
            try->action = RETRY_GIVE_UP;
        else
            credentials_invalidate(bigquery->credentials, authorization);
    }

cleanup:
    buffer_clear(&line);
    if (authorization != NULL)
        credentials_wipe(authorization);
    return ok;
}

/* --- with retries ------------------------------------------------------------------------ */

/* Whether an answer is none of BigQuery's, by the status of what was not good: a 5xx, or a 2xx
 * without what it should hold. */
static bool is_of_nobody(int status)
{
    return status >= 500 || (status >= 200 && status < 300);
}

/* Makes the error of a call whose budget is used up. It is ERROR_UNREACHABLE if no try had any
 * answer, or if nobody has had one of BigQuery's since the first failure. */
static void report_exhausted(
    struct bigquery *bigquery, const struct retry *retry, bool answered, struct error *err)
{
    struct quota *quota = bigquery->quota;
    int64_t now = bigquery->clock->monotonic_ms(bigquery->clock->context);

    bool ill = quota != NULL && is_of_nobody(err->http_status) &&
               quota_is_silent_since(quota, retry->failed_ms);
    if (!answered || ill) {
        err->code = ERROR_UNREACHABLE;
        if (quota != NULL)
            quota_circuit_silent(quota);
    }
    // Without credentials another program stands in for BigQuery, which somebody has to start.
    error_note(
        err, "%u tries in %" PRId64 " ms%s", retry->attempts, now - retry->started_ms,
        answered || bigquery->credentials != NULL
            ? ""
            : "; does bqlocal run at the address in BIGQUERY_EMULATOR_HOST?");
}

bool call_pause(
    struct bigquery *bigquery, const struct call *call, struct retry *retry, bool answered,
    struct error *err)
{
    char reason[sizeof err->reason];

    // "Not found" of a table that is too new is an answer, and no outage.
    if (bigquery->quota != NULL && err->code != ERROR_NOT_FOUND)
        quota_note_attempt(bigquery->quota, retry->attempts + 1, err->message);
    if (bigquery->quota != NULL)
        retry_limit(retry, quota_trouble_left(bigquery->quota, retry->budget_ms));
    int64_t least = err->retry_after_ms;
    // The window of the quota for metadata updates, which others than us may have filled.
    // foreign_value.c keeps these words of the message.
    if (strstr(err->message, "too many table update operations") != NULL && least < QUOTA_WINDOW_MS)
        least = QUOTA_WINDOW_MS;
    int64_t pause = retry_next(retry, err->code == ERROR_UNREACHABLE, least);

    if (pause < 0) {
        report_exhausted(bigquery, retry, answered, err);
        return false;
    }
    log_warn(
        "request failed, trying again", LOG_TEXT("call", traffic_call_name(call->what)),
        LOG_TEXT("subject", call->subject), LOG_NUMBER("status", err->http_status),
        LOG_TEXT("reason", foreign_text(reason, sizeof reason, err->reason)),
        LOG_TEXT("error", err->message), LOG_NUMBER("pause_ms", pause));
    bigquery_count_retry(bigquery, err);
    return retry_sleep(retry, pause, err);
}

static bool circuit_allows(struct bigquery *bigquery, const struct call *call, struct error *err)
{
    char name[200];

    if (bigquery->quota == NULL || quota_circuit_allows(bigquery->quota))
        return true;
    name_call(call, name, sizeof name);
    return error_set(
        err, ERROR_UNREACHABLE, "%s: not tried, %s has stopped answering", name, bigquery->root);
}

/* The body as a JSON object, owned. A body that should be one and is not was cut or replaced on its
 * way: as good as no answer. */
static cJSON *parse_answer(
    const struct call *call, const struct http_answer *answer, struct error *err)
{
    char name[200];
    cJSON *json = json_parse_answer(buffer_slice(&answer->body));
    char type[sizeof answer->content_type * 2];

    if (cJSON_IsObject(json))
        return json;
    cJSON_Delete(json);
    name_call(call, name, sizeof name);
    if (json_memory_lost()) {
        error_set(err, ERROR_MEMORY, "%s: out of memory for the answer", name);
        return NULL;
    }
    error_set(
        err, ERROR_TRANSIENT,
        "%s: http %d, but the answer is not one JSON object (%zu bytes of %s)", name,
        answer->status, answer->body.length,
        answer->content_type[0] == '\0' ? "no stated type"
                                        : foreign_text(type, sizeof type, answer->content_type));
    err->http_status = answer->status;
    return NULL;
}

static struct question question_of(const struct bigquery *bigquery, const struct call *call)
{
    return (struct question){
        .what = call->what,
        .subject = call->subject,
        .project = bigquery->project,
        .dataset = bigquery->dataset,
        .selected_id = bigquery->selected_id,
    };
}

bool call_believes(
    struct bigquery *bigquery, const struct call *call, const struct http_answer *answer,
    cJSON **out_json, struct error *err)
{
    const struct question question = question_of(bigquery, call);
    char instead[400];

    *out_json = NULL;
    if (call->empty_answer && answer->body.length == 0)
        return true;
    *out_json = parse_answer(call, answer, err);
    if (*out_json != NULL && answer_is_ours(&question, *out_json, instead, sizeof instead))
        return true;
    if (*out_json != NULL)
        answer_refuse(&question, answer->status, instead, err);
    cJSON_Delete(*out_json);
    *out_json = NULL;
    bigquery->distrusts = true;
    return false;
}

/* The start of an upload's session. Its body is empty, or the job as it was sent. */
static bool session_has_begun(
    struct bigquery *bigquery, const struct call *call, const struct http_answer *answer,
    struct error *err)
{
    cJSON *json = json_parse_answer(buffer_slice(&answer->body));
    const char *job = call_text(cJSON_GetObjectItemCaseSensitive(json, "jobReference"), "jobId");
    const char *instead = answer->location == NULL ? "it has no Location to send to"
                          : job[0] != '\0' && strcmp(job, call->subject) != 0
                              ? "it is about another job"
                              : NULL;

    cJSON_Delete(json);
    if (instead == NULL)
        return true;
    const struct question question = question_of(bigquery, call);
    bigquery->distrusts = true;
    return answer_refuse(&question, answer->status, instead, err);
}

/* A dataset that is somewhere else does not come by waiting. foreign_value.c keeps these words of
 * the message. */
static bool is_elsewhere(const struct error *err)
{
    const char *dataset = strstr(err->message, "Not found: Dataset");

    return dataset != NULL && strstr(dataset, "was not found in location") != NULL;
}

static bool is_too_early(
    const struct bigquery *bigquery, const struct call *call, const struct error *err)
{
    return err->code == ERROR_NOT_FOUND && call->fresh != NULL && bigquery->quota != NULL &&
           quota_is_fresh(bigquery->quota, call->fresh) && !is_elsewhere(err);
}

/* Tries until an answer is good. json may be NULL: then it is the start of an upload's session. */
static bool try_until_good(
    struct bigquery *bigquery, const struct call *call, struct http_answer *answer, cJSON **json,
    struct error *err)
{
    struct buffer url;
    struct retry retry;
    bool answered = false;
    bool refreshed = false;
    bool ok = false;

    buffer_init(&url, URL_CEILING);
    buffer_printf(&url, "%s%s", bigquery->root, call->path);
    // What a failed buffer has instead of text. The root alone would answer 404, as if BigQuery did
    // not know the table or the job.
    if (call->path[0] == '\0') {
        error_set(err, ERROR_MEMORY, "out of memory for a request's path");
        goto cleanup;
    }
    if (!buffer_check(&url, "a request's URL", err) || !circuit_allows(bigquery, call, err))
        goto cleanup;
    retry_begin(&retry, bigquery->clock, bigquery->retry_budget_ms, &bigquery->random);
    for (;;) {
        struct call_try try = {
            .url = buffer_text(&url), .left_ms = retry_left_ms(&retry), .answer = answer};
        ok = call_once(bigquery, call, &try, err);
        answered = answered || answer->failure == HTTP_OK;
        if (ok && (json == NULL ? session_has_begun(bigquery, call, answer, err)
                                : call_believes(bigquery, call, answer, json, err))) {
            call_went_well(bigquery);
            break;
        }
        if (ok || is_too_early(bigquery, call, err))
            try.action = RETRY_AGAIN;
        ok = false;
        if (try.action == RETRY_REFRESH_TOKEN && !refreshed) {
            refreshed = true;
            bigquery_count_retry(bigquery, err);
            continue;
        }
        // Of an earlier try whose answer was lost, nobody knows what came of it.
        if (try.action != RETRY_AGAIN) {
            err->refused = retry.attempts == 0 && answer->failure == HTTP_OK &&
                           answer->status == 403 && strcmp(err->reason, "accessDenied") == 0;
            break;
        }
        if (!call_pause(bigquery, call, &retry, answered, err))
            break;
    }

cleanup:
    buffer_clear(&url);
    return ok;
}

bool call_answer(
    struct bigquery *bigquery, const struct call *call, struct http_answer *answer,
    struct error *err)
{
    return try_until_good(bigquery, call, answer, NULL, err);
}

bool call_json(
    struct bigquery *bigquery, const struct call *call, cJSON **out_answer, struct error *err)
{
    struct http_answer answer;
    cJSON *json = NULL;

    http_answer_init(&answer);
    bool ok = try_until_good(bigquery, call, &answer, &json, err);
    http_answer_clear(&answer);
    if (ok && out_answer != NULL)
        *out_answer = json;
    else
        cJSON_Delete(json);
    return ok;
}
