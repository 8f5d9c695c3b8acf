#include "service/reply.h"

#include "base/json_memory.h"
#include "base/text_fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reply_json(struct reply *reply, int status, cJSON *json)
{
    reply->status = status;
    free(reply->body);
    reply->body = json == NULL ? NULL : json_print(json);
    cJSON_Delete(json);
    if (reply->body == NULL)
        reply->status = 500;
    reply->length = reply->body == NULL ? 0 : strlen(reply->body);
}

cJSON *reply_error_json(const char *code, const char *message)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(json, "error");

    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    return json;
}

void reply_error(struct reply *reply, int status, const char *code, const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    text_format_list(message, sizeof message, format, arguments);
    va_end(arguments);
    reply_json(reply, status, reply_error_json(code, message));
}

void reply_failure(struct reply *reply, const struct error *err)
{
    int status = err->code == ERROR_BUSY || err->code == ERROR_SOURCE ? 503 : 500;

    reply_error(reply, status, error_code_name(err->code), "%s", err->message);
}

void reply_already_running(
    struct reply *reply, const char *message, const char *id_name, const char *id)
{
    cJSON *json = reply_error_json("already_running", message);

    cJSON_AddStringToObject(cJSON_GetObjectItemCaseSensitive(json, "error"), id_name, id);
    reply_json(reply, 409, json);
}

void reply_stopping(struct reply *reply)
{
    reply_error(reply, 503, "stopping", "bqsync is stopping");
}

void reply_clear(struct reply *reply)
{
    free(reply->body);
    *reply = (struct reply){0};
}
