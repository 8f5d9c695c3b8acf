/* server: the HTTP side of the admin API: sockets, limits, access, headers, request log. routes has
 * the answers. Runs on threads of its own (libmicrohttpd's and one for housekeeping). */
#ifndef BQSYNC_SERVICE_SERVER_H
#define BQSYNC_SERVICE_SERVER_H

#include "base/error.h"
#include "service/routes.h"

#include <stdbool.h>

#define SERVER_BODY_MAX 65536

struct server;

/* Listens on host:port (port 0: a free one) and answers from now on. token NULL: none is needed.
 * context is borrowed. ERROR_CONFIG if it cannot listen on the address. Returned owned. */
MUST_CHECK bool server_start(
    const char *listen, const char *token, const struct routes_context *context,
    struct server **out_server, struct error *err);

/* Uses another token from now on. */
void server_set_token(struct server *server, const char *token);

/* "http://127.0.0.1:8001", borrowed. */
const char *server_url(const struct server *server);

/* Ends the streams, waits a moment for answers to be sent, and closes everything. NULL is fine. */
void server_stop(struct server *server);

#endif
