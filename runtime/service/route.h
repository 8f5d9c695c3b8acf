/* route: what one route of the admin API is made of: the handler's type and what a handler gets.
 * Types only; routes has the table of all routes. */
#ifndef BQSYNC_SERVICE_ROUTE_H
#define BQSYNC_SERVICE_ROUTE_H

#include "base/slice.h"
#include "service/bookmarks.h"
#include "service/ledger.h"
#include "service/reply.h"
#include "service/scheduler.h"
#include "service/status.h"
#include "service/verifier.h"
#include "sync/deployment.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What the handlers work with. Everything is borrowed. */
struct routes_context {
    const struct deployment *deployment;
    struct scheduler *scheduler;
    struct verifier *verifier;
    struct status *status;
    struct ledger *ledger;
    struct bookmarks *bookmarks;
    const char *page_policy;
    int64_t started_us;
    atomic_bool *stopping;
};

struct route_request {
    const char *path;
    /* The part of the path that {id} stands for. */
    const char *tail;
    /* The query arguments of these names, NULL: not given. */
    const char *limit;
    const char *table;
    const char *after;
    struct slice body;
    /* The server asks for a token. */
    bool needs_token;
};

/* Fills reply, which the server sends. Any thread may call a handler. */
typedef void route_handler(
    const struct routes_context *context, const struct route_request *request, struct reply *reply);

struct route {
    /* A path that ends in "/{id}" matches every last segment. */
    const char *path;
    /* Needs no token. */
    bool open;
    /* The Allow header of a 405. */
    const char *allow;
    route_handler *get;
    route_handler *post;
};

#endif
