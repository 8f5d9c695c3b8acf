/* Bugsnag's part of error_report_body.h. */
#include "base/clock.h"
#include "base/json_exact.h"
#include "base/json_memory.h"
#include "service/error_report_body.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINT "https://notify.bugsnag.com/"
/* Keys of Insight Hub start with this prefix; only its own endpoint accepts them. */
#define HUB_PREFIX   "00000"
#define HUB_ENDPOINT "https://notify.insighthub.smartbear.com/"

/* A report has some 2 kB; its longest message, escaped, is 6 kB. */
#define BODY_ROOM 16384

static cJSON *notifier(void)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "name", "bqsync");
    cJSON_AddStringToObject(json, "version", BQSYNC_VERSION);
    return json;
}

static cJSON *exception(const struct error_report *report)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "errorClass", report->code);
    cJSON_AddStringToObject(json, "message", report->message);
    // Bugsnag groups by stack frame, so the report has one, with the table as its file.
    cJSON *frames = cJSON_AddArrayToObject(json, "stacktrace");
    cJSON *frame = cJSON_CreateObject();
    cJSON_AddStringToObject(frame, "file", report->table[0] != '\0' ? report->table : "pass");
    json_add_int64(frame, "lineNumber", 1);
    cJSON_AddStringToObject(frame, "method", "sync");
    cJSON_AddBoolToObject(frame, "inProject", true);
    cJSON_AddItemToArray(frames, frame);
    return json;
}

static void add_details(cJSON *object, const struct error_report *report)
{
    cJSON *data = cJSON_AddObjectToObject(object, "metaData");
    cJSON *tab = cJSON_AddObjectToObject(data, "sync");

    cJSON_AddStringToObject(tab, "table", report->table);
    cJSON_AddStringToObject(tab, "run_id", report->run_id);
    cJSON_AddStringToObject(tab, "kind", report->kind);
    cJSON_AddStringToObject(tab, "mode", report->mode);
    cJSON_AddStringToObject(tab, "reason", report->reason);
    json_add_int64(tab, "http_status", report->http_status);
    cJSON_AddBoolToObject(tab, "retryable", report->retryable);
    json_add_int64(tab, "attempts", report->attempts);
}

static cJSON *event(const struct error_report *report)
{
    char text[512];
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "payloadVersion", "4");
    cJSON *exceptions = cJSON_AddArrayToObject(json, "exceptions");
    cJSON_AddItemToArray(exceptions, exception(report));
    cJSON_AddStringToObject(json, "severity", report->retryable ? "warning" : "error");
    cJSON *reason = cJSON_AddObjectToObject(json, "severityReason");
    cJSON_AddStringToObject(reason, "type", "handledException");
    cJSON_AddBoolToObject(json, "unhandled", false);
    snprintf(text, sizeof text, "sync %s", report->table[0] != '\0' ? report->table : "pass");
    cJSON_AddStringToObject(json, "context", text);
    snprintf(text, sizeof text, "%s/%s/%s", report->table, report->code, report->reason);
    cJSON_AddStringToObject(json, "groupingHash", text);
    cJSON *app = cJSON_AddObjectToObject(json, "app");
    cJSON_AddStringToObject(app, "version", BQSYNC_VERSION);
    cJSON_AddStringToObject(app, "releaseStage", report->environment);
    cJSON_AddStringToObject(app, "type", "bqsync");
    cJSON *device = cJSON_AddObjectToObject(json, "device");
    cJSON_AddStringToObject(device, "hostname", report->host);
    cJSON_AddStringToObject(device, "osName", "linux");
    add_details(json, report);
    return json;
}

static void add_header(struct error_report_body *body, const char *name, const char *value)
{
    snprintf(body->headers[body->header_count++], sizeof body->headers[0], "%s: %s", name, value);
}

bool bugsnag_body(
    const struct error_report *report, const char *api_key, const char *endpoint,
    struct error_report_body *out_body, struct error *err)
{
    struct error_report_body body = {0};
    char time[CLOCK_TEXT_SIZE];
    bool hub = strncmp(api_key, HUB_PREFIX, strlen(HUB_PREFIX)) == 0;

    snprintf(
        body.url, sizeof body.url, "%s",
        endpoint != NULL ? endpoint
        : hub            ? HUB_ENDPOINT
                         : ENDPOINT);
    add_header(&body, "Content-Type", "application/json");
    add_header(&body, "Bugsnag-Api-Key", api_key);
    add_header(&body, "Bugsnag-Payload-Version", "4");
    add_header(&body, "Bugsnag-Sent-At", clock_format(report->at_us, time));

    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "apiKey", api_key);
    cJSON_AddStringToObject(json, "payloadVersion", "4");
    cJSON_AddItemToObject(json, "notifier", notifier());
    cJSON *events = cJSON_AddArrayToObject(json, "events");
    cJSON_AddItemToArray(events, event(report));
    // Large enough from the start, because cJSON's growing would leave copies of the key behind.
    body.text = json_print_in_room(json, BODY_ROOM);
    char *key = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "apiKey"));
    if (key != NULL)
        explicit_bzero(key, strlen(key));
    cJSON_Delete(json);
    if (body.text == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    body.length = strlen(body.text);
    *out_body = body;
    return true;
}

void error_report_body_clear(struct error_report_body *body)
{
    // Text and headers contain the key.
    if (body->text != NULL)
        explicit_bzero(body->text, strlen(body->text));
    free(body->text);
    explicit_bzero(body, sizeof *body);
}
