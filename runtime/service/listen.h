/* listen: a listening TCP socket for "host:port". */
#ifndef BQSYNC_SERVICE_LISTEN_H
#define BQSYNC_SERVICE_LISTEN_H

#include "base/error.h"

#define LISTEN_URL_SIZE 300

/* An empty host is every address of the machine, port 0 any free one. *out_socket is the caller's
 * to close; out_url says where it listens: "http://127.0.0.1:8001". ERROR_CONFIG names the address
 * and what is wrong with it. */
MUST_CHECK bool listen_open(
    const char *listen, int *out_socket, char out_url[LISTEN_URL_SIZE], struct error *err);

#endif
