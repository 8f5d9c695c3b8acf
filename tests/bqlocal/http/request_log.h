/* request_log: the last 10,000 requests, oldest first. Callers hold the server's big lock. */
#ifndef BQLOCAL_HTTP_REQUEST_LOG_H
#define BQLOCAL_HTTP_REQUEST_LOG_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdint.h>

struct request_log;

MUST_CHECK bool request_log_new(struct request_log **out_log, struct error *err);
void request_log_free(struct request_log *log);

/* status 0: the connection ended without an answer. Bytes are those of the bodies. */
void request_log_add(
    struct request_log *log, const char *method, const char *path, int status,
    uint64_t request_bytes, uint64_t response_bytes);
void request_log_clear(struct request_log *log);
/* {"requests": [...]} as text, owned; NULL when out of memory. */
char *request_log_text(const struct request_log *log);

#endif
