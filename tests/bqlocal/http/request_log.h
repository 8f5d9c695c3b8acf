/* request_log: the last 10,000 requests, oldest first. Callers are inside of the
 * monitor. */
#ifndef BQLOCAL_HTTP_REQUEST_LOG_H
#define BQLOCAL_HTTP_REQUEST_LOG_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

struct request_log;

MUST_CHECK bool request_log_new(struct request_log **out_log, struct error *err);
void request_log_free(struct request_log *log);

/* status 0: the connection ended without an answer. Bytes are those of the bodies. */
void request_log_add(
    struct request_log *log, const char *method, const char *path, int status,
    uint64_t request_bytes, uint64_t response_bytes);
void request_log_clear(struct request_log *log);
/* Appends {"requests": [...]}. */
void request_log_write(const struct request_log *log, struct buffer *out);

#endif
