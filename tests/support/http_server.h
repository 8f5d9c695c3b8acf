/* http_server: a server on a free loopback port whose every answer a test writes byte by byte.
 * Reads one request at a time from each connection and calls the test's handler for it, on the
 * connection's own thread. Knows just enough of HTTP/1.1 to find a request's end. */
#ifndef TESTS_SUPPORT_HTTP_SERVER_H
#define TESTS_SUPPORT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct http_server;

struct served_request {
    const char *head; /* request line and headers, with a terminator */
    const char *body;
    size_t body_length;
    unsigned number;     /* of the request, from 0, over all connections */
    unsigned connection; /* number of the connection, from 0 */
};

/* How to answer: what is written, and what happens to the connection then. */
struct served_reply {
    const char *bytes; /* whole response, status line first; NULL: nothing */
    size_t length;     /* 0: strlen */
    bool close;        /* after the bytes */
    bool reset;        /* with an RST instead of an end */
    bool hold;         /* no answer and no close until the server stops */
    bool drip;         /* after the bytes a blank every 20 ms, as long as the client stays */
};

typedef void http_server_handler(
    void *context, const struct served_request *request, struct served_reply *out_reply);

struct http_server *http_server_start(http_server_handler *handler, void *context);
/* Ends all connections and joins all threads. */
void http_server_stop(struct http_server *server);
int http_server_port(const struct http_server *server);
/* "http://127.0.0.1:port" */
const char *http_server_url(const struct http_server *server);
/* The connection is reset when so many bytes of this request's body have come in; the handler does
 * not see it, but it counts. One at a time; UINT_MAX: none. */
void http_server_cut(struct http_server *server, unsigned request, size_t bytes);
unsigned http_server_requests(struct http_server *server);

#endif
