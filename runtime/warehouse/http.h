/* http: one request and its one answer over libcurl, with the connection kept for the next. Knows
 * nothing of BigQuery, retries or tokens. TLS certificates are always verified and no setting
 * changes that; redirects are never followed. A client belongs to one thread at a time; others
 * reach the network through `struct http_ops`, so that a test can stand in for it. */
#ifndef BQSYNC_WAREHOUSE_HTTP_H
#define BQSYNC_WAREHOUSE_HTTP_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "warehouse/http_url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_USER_AGENT "bqsync/" BQSYNC_VERSION " (gzip)"
/* Answers beyond this are refused (ERROR_LIMIT); BigQuery's pages hold at most 20 MB. */
#define HTTP_ANSWER_CEILING ((size_t)64 << 20)
#define HTTP_MAX_HEADERS    12

/* A body that is read piece by piece while it is sent, from any offset, more than once. */
struct http_source {
    void *context;
    uint64_t length;
    bool (*read)(void *context, uint64_t offset, void *out_bytes, size_t length, struct error *err);
};

struct http_request {
    const char *method;
    const char *url;
    /* "Name: value"; unused ones NULL, gaps allowed */
    const char *headers[HTTP_MAX_HEADERS];
    /* used when source is NULL; data NULL: no body */
    struct slice body;
    const struct http_source *source;
    /* 0: HTTP_CONNECT_TIMEOUT_MS */
    int64_t connect_timeout_ms;
    /* without a kilobyte either way; 0: HTTP_STALL_TIMEOUT_MS */
    int64_t stall_timeout_ms;
    /* never through a proxy; loopback hosts never are */
    bool no_proxy;
    /* over a new connection; those of before are closed */
    bool new_connection;
};

#define HTTP_CONNECT_TIMEOUT_MS 10000
#define HTTP_STALL_TIMEOUT_MS   60000

/* Why there is no answer, as far as a decision depends on it. */
enum http_failure {
    HTTP_OK,
    /* no connection was made: the server has seen nothing */
    HTTP_NOT_SENT,
    /* the server may or may not have acted: reset, timeout, cut answer */
    HTTP_BROKEN,
    /* TLS verification failed, or the answer is not HTTP: trying again is useless */
    HTTP_UNTRUSTED,
    /* asked to stop */
    HTTP_STOPPED,
    /* our own side: memory, reading the body, answer above the ceiling */
    HTTP_LOCAL,
};

struct http_answer {
    enum http_failure failure;
    int status;
    /* decompressed */
    struct buffer body;
    /* of a Location header, owned, NULL if none */
    char *location;
    char range[64];
    char etag[128];
    char content_type[64];
    char metadata_flavor[16];
    /* 0: none */
    int64_t retry_after_ms;
    /* X-HTTP-Status-Code-Override, 0: none */
    int status_override;
    /* bytes of body that were handed to the connection */
    uint64_t sent;
    /* bytes of body on the wire */
    uint64_t received;
};

/* body.ceiling may be lowered afterwards; clearing keeps it. */
void http_answer_init(struct http_answer *answer);
/* For an answer with a token: its body is wiped when it is freed. */
void http_answer_init_secret(struct http_answer *answer);
void http_answer_clear(struct http_answer *answer);

/* The seam. perform returns true when an answer arrived, whatever its status. On failure
 * answer->failure says which kind, and err is ERROR_UNREACHABLE (HTTP_NOT_SENT, HTTP_UNTRUSTED),
 * ERROR_TRANSIENT (HTTP_BROKEN), ERROR_STOPPED, or what our own side met. The answer is initialised
 * by the caller and reset by perform. */
struct http_ops {
    void *context;
    bool (*perform)(
        void *context, const struct http_request *request, struct http_answer *answer,
        struct error *err);
};

struct http_client;

/* Returns owned a client over libcurl. The first one makes the process ignore SIGPIPE, unless it
 * handles it. Proxies come from the environment (HTTPS_PROXY, NO_PROXY), further trusted roots from
 * SSL_CERT_FILE and SSL_CERT_DIR. */
MUST_CHECK bool http_client_open(struct http_client **out_client, struct error *err);
void http_client_close(struct http_client *client);
/* Borrowed, for the life of the client. */
const struct http_ops *http_client_ops(struct http_client *client);

#endif
