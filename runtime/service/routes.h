/* routes: what the admin API answers, route by route. Maps a request that the server has accepted
 * to calls of scheduler, status, past_runs and metrics; knows nothing of connections. Any thread
 * may call. */
#ifndef BQSYNC_SERVICE_ROUTES_H
#define BQSYNC_SERVICE_ROUTES_H

#include "service/route.h"

#include <stddef.h>
#include <stdint.h>

/* The table, for the server and for tests. */
const struct route *routes(size_t *out_count);

/* The route of a path, NULL if it has none. *out_tail: the part of the path that {id} stands for.
 */
const struct route *routes_find(const char *path, const char **out_tail);

/* The handler of a method; HEAD is answered as GET. NULL: the method is not allowed. */
route_handler *routes_handler(const struct route *route, const char *method);

/* The state of the running pass as a message of the event stream; returned owned. */
char *routes_event(const struct routes_context *context);

/* Changes whenever that message does. */
uint64_t routes_version(const struct routes_context *context);

#endif
