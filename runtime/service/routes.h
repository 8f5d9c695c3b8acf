/* routes: what the admin API answers, route by route: a pure mapping of a request that has been let
 * in to calls of scheduler, status, history and metrics. Knows nothing of connections. Any thread
 * may call. */
#ifndef BQSYNC_SERVICE_ROUTES_H
#define BQSYNC_SERVICE_ROUTES_H

#include "base/slice.h"
#include "service/ledger.h"
#include "service/reply.h"
#include "service/scheduler.h"
#include "service/status.h"
#include "service/verifier.h"
#include "sync/deployment.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the handlers work with; all borrowed. */
struct routes_context {
    const struct deployment *deployment;
    struct scheduler *scheduler;
    struct verifier *verifier;
    struct status *status;
    struct ledger *ledger;
    const char *page_policy;
    int64_t started_us;
    atomic_bool *stopping;
};

struct route_request {
    const char *path;
    const char *tail;  /* what stands in the place of {id} */
    const char *limit; /* query argument, NULL: not given */
    struct slice body;
    bool needs_token; /* the server asks for one */
};

typedef void route_handler(
    const struct routes_context *context, const struct route_request *request, struct reply *reply);

struct route {
    const char *path; /* one that ends in "/{id}" stands for every last segment */
    bool open;        /* needs no token */
    const char *allow;
    route_handler *get;
    route_handler *post;
};

/* The table, for the server and for tests. */
const struct route *routes(size_t *out_count);

/* The route of a path, and what stands in the place of {id}; NULL if there is none. */
const struct route *routes_find(const char *path, const char **out_tail);

/* The handler of a method; HEAD is answered as GET. NULL: the method is not allowed. */
route_handler *routes_handler(const struct route *route, const char *method);

/* The state of the running pass as a message of the event stream; returned owned. */
char *routes_event(const struct routes_context *context);

#endif
