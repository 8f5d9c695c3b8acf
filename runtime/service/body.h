/* body: what the body of a request asks for. What is wrong with it is replied here. */
#ifndef BQSYNC_SERVICE_BODY_H
#define BQSYNC_SERVICE_BODY_H

#include "base/error.h"
#include "base/slice.h"
#include "service/reply.h"
#include "sync/deployment.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is JSON or nothing, for a body that nobody reads: it may still be a mistake.
 * False after replying. */
MUST_CHECK bool body_is_fit(struct slice body, struct reply *reply);

/* The tables that a JSON array of names stands for, each once. *out_tables is returned owned
 * (free); false after replying: no such array, or it names tables that do not exist. */
MUST_CHECK bool body_tables(
    const struct deployment *deployment, struct slice body, const struct table ***out_tables,
    size_t *out_count, struct reply *reply);

#endif
