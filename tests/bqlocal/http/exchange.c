#include "bqlocal/http/exchange.h"

#include "bqlocal/http/property.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_body.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/value.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void request_clear(struct request *request)
{
    buffer_clear(&request->body);
    answer_clear(&request->answer);
    free(request->parameters.project);
    free(request->parameters.dataset);
    free(request->parameters.table);
    free(request->parameters.job);
    free(request->parameters.other);
    free(request->target);
    free(request->path);
    free(request->method);
    free(request->origin);
}

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
    cJSON *json = NULL;
    if (!json_body_parse(buffer_slice(&request->body), &json, err))
        return false;
    if (!request_check_json(request, json, err)) {
        cJSON_Delete(json);
        return false;
    }
    *out_json = json;
    return true;
}

/* Whether a body calls its resource what the path calls it; in_path NULL: the path does not. */
static bool agrees(
    const cJSON *body, const char *reference, const char *key, const char *in_path,
    struct error *err)
{
    const char *text = json_text(json_at(body, reference), key);

    return text == NULL || in_path == NULL || strcmp(text, in_path) == 0 ||
           failure_set(
               err, "invalid",
               "%s.%s: value '%.300s' in content does not agree with value '%.300s' of the path",
               reference, key, text, in_path);
}

bool request_check_json(const struct request *request, cJSON *json, struct error *err)
{
    bool changes = strcmp(request->method, "PATCH") == 0 || strcmp(request->method, "PUT") == 0;
    bool is_upload = request->method_id != NULL && strcmp(request->method_id, "uploads") == 0;

    return request->schema == NULL ||
           (property_check_body(
                request->schema, request->project,
                changes && !is_upload ? PROPERTY_NULLS_REMOVE : PROPERTY_NULLS_ABSENT, json, err) &&
            agrees(json, "datasetReference", "datasetId", request->parameters.dataset, err) &&
            agrees(json, "tableReference", "datasetId", request->parameters.dataset, err) &&
            agrees(json, "tableReference", "tableId", request->parameters.table, err));
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

static const char json_type[] = "application/json; charset=UTF-8";

bool answer_json(struct answer *answer, int status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    cJSON_Delete(json);
    return fill(answer, status, json_type, text, text == NULL ? 0 : strlen(text));
}

bool answer_text(struct answer *answer, int status, const char *content_type, struct buffer *text)
{
    size_t length = text->length;

    return fill(answer, status, content_type, buffer_take(text), length);
}

bool answer_json_text(struct answer *answer, struct buffer *text, struct error *err)
{
    bool ok = buffer_check(text, "the answer", err) && answer_text(answer, 200, json_type, text);

    buffer_clear(text);
    return ok;
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
