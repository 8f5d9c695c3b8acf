/* body: reads the bodies of requests. If a body is wrong, it fills the reply with the error. */
#ifndef BQSYNC_SERVICE_BODY_H
#define BQSYNC_SERVICE_BODY_H

#include "base/error.h"
#include "base/slice.h"
#include "service/reply.h"
#include "sync/deployment.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether there is nothing in the body but perhaps an empty object, for a route that takes none: a
 * list of tables would be a mistake. On false the reply is filled. */
MUST_CHECK bool body_is_empty(struct slice body, struct reply *reply);

/* The tables named by a JSON array, each once. *out_tables is returned owned (free). On false the
 * reply is filled: the body is not such an array, or it names unknown tables. */
MUST_CHECK bool body_tables(
    const struct deployment *deployment, struct slice body, const struct table ***out_tables,
    size_t *out_count, struct reply *reply);

/* 400: names of tables that are not known, with those that are. Takes unknown, an array. */
void body_reply_unknown(const struct deployment *deployment, struct reply *reply, cJSON *unknown);

#endif
