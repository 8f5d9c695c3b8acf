/* server: the admin API's HTTP: sockets, limits, who is let in, headers, request log. What is
 * answered is decided in routes. Runs on threads of its own (libmicrohttpd's and one for
 * housekeeping). */
#ifndef BQSYNC_SERVICE_SERVER_H
#define BQSYNC_SERVICE_SERVER_H

#include "base/error.h"
#include "service/routes.h"

#include <stdbool.h>

#define SERVER_BODY_MAX 65536

struct server;

/* Listens on host:port (port 0: a free one) and answers from now on. token NULL: none is needed.
 * context is borrowed. ERROR_CONFIG if the address cannot be had. Returned owned. */
MUST_CHECK bool server_start(
    const char *listen, const char *token, const struct routes_context *context,
    struct server **out_server, struct error *err);

/* Another token from now on. */
void server_set_token(struct server *server, const char *token);

/* "http://127.0.0.1:8001", borrowed. */
const char *server_url(const struct server *server);

/* Ends streams, lets answers go out for a moment, and closes everything. NULL is fine. */
void server_stop(struct server *server);

#endif
