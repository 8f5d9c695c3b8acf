/* Sentry's part of error_report_body.h. */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/dsn.h"
#include "base/json_exact.h"
#include "base/json_memory.h"
#include "service/error_report_body.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_CEILING 65536

static void add_tags(cJSON *event, const struct error_report *report)
{
    cJSON *tags = cJSON_AddObjectToObject(event, "tags");
    cJSON *extra = cJSON_AddObjectToObject(event, "extra");
    cJSON *fingerprint = cJSON_AddArrayToObject(event, "fingerprint");

    cJSON_AddStringToObject(tags, "table", report->table);
    cJSON_AddStringToObject(tags, "kind", report->kind);
    cJSON_AddStringToObject(tags, "code", report->code);
    cJSON_AddStringToObject(extra, "run_id", report->run_id);
    cJSON_AddStringToObject(extra, "mode", report->mode);
    cJSON_AddStringToObject(extra, "reason", report->reason);
    json_add_int64(extra, "http_status", report->http_status);
    cJSON_AddBoolToObject(extra, "retryable", report->retryable);
    json_add_int64(extra, "attempts", report->attempts);
    cJSON_AddItemToArray(fingerprint, cJSON_CreateString(report->table));
    cJSON_AddItemToArray(fingerprint, cJSON_CreateString(report->code));
    cJSON_AddItemToArray(fingerprint, cJSON_CreateString(report->reason));
}

static cJSON *event_json(const struct error_report *report)
{
    char time[CLOCK_TEXT_SIZE];
    cJSON *event = cJSON_CreateObject();

    cJSON_AddStringToObject(event, "event_id", report->event_id);
    cJSON_AddStringToObject(event, "timestamp", clock_format(report->at_us, time));
    cJSON_AddStringToObject(event, "platform", "c");
    cJSON_AddStringToObject(event, "level", report->retryable ? "warning" : "error");
    cJSON_AddStringToObject(event, "logger", "bqsync");
    cJSON_AddStringToObject(event, "server_name", report->host);
    cJSON_AddStringToObject(event, "release", "bqsync@" BQSYNC_VERSION);
    cJSON_AddStringToObject(event, "environment", report->environment);
    cJSON *exception = cJSON_AddObjectToObject(event, "exception");
    cJSON *values = cJSON_AddArrayToObject(exception, "values");
    cJSON *value = cJSON_CreateObject();
    cJSON_AddStringToObject(value, "type", report->code);
    cJSON_AddStringToObject(value, "value", report->message);
    cJSON_AddItemToArray(values, value);
    add_tags(event, report);
    return event;
}

/* Three lines: the envelope's header, its item's header, and the item's payload. The envelope's
 * header has no DSN, because the X-Sentry-Auth header of the request identifies the sender. */
static char *envelope(const struct error_report *report)
{
    char time[CLOCK_TEXT_SIZE];
    struct buffer out;
    cJSON *event = event_json(report);
    char *payload = json_print(event);

    cJSON_Delete(event);
    if (payload == NULL)
        return NULL;
    buffer_init(&out, BODY_CEILING);
    buffer_printf(
        &out, "{\"event_id\":\"%s\",\"sent_at\":\"%s\"}\n", report->event_id,
        clock_format(report->at_us, time));
    buffer_printf(&out, "{\"type\":\"event\",\"length\":%zu}\n", strlen(payload));
    buffer_append_text(&out, payload);
    buffer_append_text(&out, "\n");
    free(payload);
    return buffer_take(&out);
}

bool sentry_body(
    const struct error_report *report, const char *dsn, struct error_report_body *out_body,
    struct error *err)
{
    struct error_report_body body = {0};
    struct dsn parts;

    if (!dsn_parse(dsn, &parts))
        return error_set(
            err, ERROR_CONFIG, "SENTRY_DSN is not of the form https://KEY@HOST/PROJECT");
    snprintf(
        body.url, sizeof body.url, "%s://%s%s/api/%s/envelope/", parts.scheme, parts.host,
        parts.path, parts.project);
    snprintf(
        body.headers[0], sizeof body.headers[0], "Content-Type: application/x-sentry-envelope");
    snprintf(
        body.headers[1], sizeof body.headers[1],
        "X-Sentry-Auth: Sentry sentry_key=%s, sentry_version=7, sentry_client=bqsync/%s", parts.key,
        BQSYNC_VERSION);
    body.header_count = 2;
    explicit_bzero(&parts, sizeof parts);
    body.text = envelope(report);
    if (body.text == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    body.length = strlen(body.text);
    *out_body = body;
    return true;
}
