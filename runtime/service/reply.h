/* reply: a handler's answer to one request. Plain data; the server sends it. */
#ifndef BQSYNC_SERVICE_REPLY_H
#define BQSYNC_SERVICE_REPLY_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct reply {
    int status;
    const char *content_type; /* static; NULL: JSON */
    char *body;               /* owned, by malloc */
    size_t length;
    const char *allow; /* of a 405, static */
    /* Content-Security-Policy, borrowed; NULL: nothing may load anything. */
    const char *security;
    bool stream; /* no body: the connection becomes a stream of events */
};

/* Takes json. When out of memory, the answer is a 500 without a body. */
void reply_json(struct reply *reply, int status, cJSON *json);

/* {"error":{"code":"...","message":"..."}}, returned owned, for errors with further fields. */
cJSON *reply_error_json(const char *code, const char *message);
void reply_error(struct reply *reply, int status, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* The error of a failed operation under the HTTP status that fits its code. */
void reply_failure(struct reply *reply, const struct error *err);

/* 409: the requested operation is running already; the answer has its id. */
void reply_already_running(
    struct reply *reply, const char *message, const char *id_name, const char *id);
/* 503: the service is stopping and starts nothing. */
void reply_stopping(struct reply *reply);

void reply_clear(struct reply *reply);

#endif
