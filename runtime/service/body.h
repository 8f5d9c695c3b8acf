/* body: reads the bodies of requests. If a body is wrong, it fills the reply with the error. */
#ifndef BQSYNC_SERVICE_BODY_H
#define BQSYNC_SERVICE_BODY_H

#include "base/error.h"
#include "base/slice.h"
#include "service/reply.h"
#include "sync/deployment.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is JSON or empty, for a route that ignores its body: other text is probably a
 * mistake. On false the reply is filled. */
MUST_CHECK bool body_is_fit(struct slice body, struct reply *reply);

/* The tables named by a JSON array, each once. *out_tables is returned owned (free). On false the
 * reply is filled: the body is not such an array, or it names unknown tables. */
MUST_CHECK bool body_tables(
    const struct deployment *deployment, struct slice body, const struct table ***out_tables,
    size_t *out_count, struct reply *reply);

#endif
