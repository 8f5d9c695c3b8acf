#include "bqlocal/http/exchange.h"

#include "bqlocal/server/local_server.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/value.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *request_query(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

int64_t request_query_number(const struct request *request, const char *name, int64_t fallback)
{
    const char *text = request_query(request, name);
    int64_t number;

    return text != NULL && value_parse_int64(slice_of(text), &number) ? number : fallback;
}

bool request_query_bool(const struct request *request, const char *name)
{
    const char *text = request_query(request, name);

    return text != NULL && strcasecmp(text, "true") == 0;
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool request_json(struct request *request, cJSON **out_json, struct error *err)
{
    if (!buffer_check(&request->body, "the request", err))
        return failure_set(err, "uploadTooLarge", "Request payload size exceeds the limit");
    cJSON *json = request->body.length == 0
                      ? cJSON_CreateObject()
                      : cJSON_ParseWithLength(request->body.data, request->body.length);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return failure_set(err, "parseError", "Invalid JSON payload received. Parse error");
    }
    *out_json = json;
    return true;
}

char *request_origin(const struct request *request)
{
    const char *host = request_header(request, "Host");
    struct buffer text;

    buffer_init(&text, 4096);
    buffer_printf(
        &text, "%s://%s", request->server->tls ? "https" : "http",
        host == NULL ? request->server->address : host);
    return buffer_take(&text);
}

static bool fill(struct answer *answer, int status, const char *type, char *body, size_t length)
{
    free(answer->body);
    answer->status = status;
    answer->content_type = type;
    answer->body = body;
    answer->body_length = length;
    return true;
}

bool answer_json(struct answer *answer, int status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    cJSON_Delete(json);
    return fill(
        answer, status, "application/json; charset=UTF-8", text, text == NULL ? 0 : strlen(text));
}

bool answer_text(struct answer *answer, int status, const char *content_type, struct buffer *text)
{
    size_t length = text->length;

    return fill(answer, status, content_type, buffer_take(text), length);
}

bool answer_empty(struct answer *answer, int status)
{
    return fill(answer, status, NULL, NULL, 0);
}

void answer_error(struct answer *answer, const struct error *err)
{
    struct error complete = *err;
    cJSON *body = cJSON_CreateObject();

    failure_complete(&complete);
    cJSON *error = cJSON_AddObjectToObject(body, "error");
    cJSON_AddNumberToObject(error, "code", complete.http_status);
    cJSON_AddStringToObject(error, "message", complete.message);
    cJSON *errors = cJSON_AddArrayToObject(error, "errors");
    cJSON *first = cJSON_CreateObject();
    cJSON_AddStringToObject(first, "message", complete.message);
    cJSON_AddStringToObject(first, "domain", "global");
    cJSON_AddStringToObject(first, "reason", complete.reason);
    cJSON_AddItemToArray(errors, first);
    cJSON_AddStringToObject(error, "status", failure_status_word(complete.http_status));
    answer->challenge = complete.http_status == 401;
    answer->retry_after = complete.retry_after_ms / 1000;
    answer_json(answer, complete.http_status, body);
}

void answer_clear(struct answer *answer)
{
    free(answer->body);
    free(answer->location);
    *answer = (struct answer){0};
}

void json_add_number(cJSON *object, const char *key, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)number);
    cJSON_AddStringToObject(object, key, text);
}

const char *json_text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

int64_t json_number(const cJSON *object, const char *key, int64_t fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    int64_t number;

    if (cJSON_IsNumber(item))
        return (int64_t)item->valuedouble;
    if (cJSON_IsString(item) && value_parse_int64(slice_of(item->valuestring), &number))
        return number;
    // googleapis wraps some integers: {"value": "10"}
    if (cJSON_IsObject(item))
        return json_number(item, "value", fallback);
    return fallback;
}

bool json_bool(const cJSON *object, const char *key, bool fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item);
    if (cJSON_IsString(item))
        return strcasecmp(item->valuestring, "true") == 0;
    return fallback;
}

const cJSON *json_at(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}
