/* exchange: a request as its handler sees it, and the answer that the handler fills in. A request
 * belongs to its connection's thread; handlers run inside of the monitor. */
#ifndef BQLOCAL_HTTP_EXCHANGE_H
#define BQLOCAL_HTTP_EXCHANGE_H

#include "base/buffer.h"
#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;
struct upload_body;

/* The parts of bqlocal that handlers work on. All of them are guarded by the monitor. */
struct parts {
    struct monitor *monitor;
    struct store *store;
    struct faults *faults;
    struct jobs *jobs;
    struct uploads *uploads;
    struct strict *strict; /* NULL: no credentials are asked for */
    struct request_log *log;
    const char *location; /* of datasets and jobs that name none */
    const char *url;      /* "http://host:port" as bound */
};

/* What a route takes out of a path. */
struct path_parameters {
    char *project;
    char *dataset;
    char *table;
    char *job;
    char *other; /* of a feature that bqlocal does not have */
};

struct answer {
    int status; /* 0 until it is filled in */
    char *body; /* owned; NULL: none */
    size_t body_length;
    const char *content_type; /* static */
    char *location;           /* header Location, owned */
    char range[64];           /* header Range, "" if none */
    int override_status;      /* header X-Http-Status-Code-Override, 0 if none */
    int64_t retry_after;      /* header Retry-After in seconds, 0 if none */
    bool challenge;           /* header WWW-Authenticate */
};

struct request {
    struct MHD_Connection *connection;
    char *target; /* path and query as sent */
    char *path;   /* without the query */
    char *method;
    char *origin; /* "http://host:port" as the client named us */
    struct path_parameters parameters;
    const char *method_id;      /* Google's name of the method, NULL for bqlocal's own */
    const char *schema;         /* of the JSON body, NULL: not checked; both are static */
    const char *project;        /* the one that bqlocal has; borrowed */
    struct buffer body;         /* of a JSON request */
    struct upload_body *upload; /* of a media upload, NULL for others */
    uint64_t body_bytes;        /* as they came */
    uint64_t content_bytes;     /* decoded */
    struct answer answer;
};

/* Fills request->answer. On false the answer is err as Google's error body. */
typedef bool request_handler(const struct parts *in, struct request *request, struct error *err);

void request_clear(struct request *request);

/* A query parameter or NULL; borrowed. */
const char *request_query(const struct request *request, const char *name);
/* The same as a number; fallback if it is missing or not a number. */
int64_t request_query_number(const struct request *request, const char *name, int64_t fallback);
bool request_query_bool(const struct request *request, const char *name);
/* A header or NULL; borrowed. */
const char *request_header(const struct request *request, const char *name);

/* The body as JSON, owned, checked against its schema; an empty one is an empty object. */
MUST_CHECK bool request_json(struct request *request, cJSON **out_json, struct error *err);
/* The check alone, of JSON that came in another way (property_check_body). */
MUST_CHECK bool request_check_json(const struct request *request, cJSON *json, struct error *err);

/* Takes the JSON and makes it the body; returns true. */
bool answer_json(struct answer *answer, int status, cJSON *json);
/* Takes the content of the buffer. */
bool answer_text(struct answer *answer, int status, const char *content_type, struct buffer *text);
/* The same for text that is JSON already, with status 200; clears the buffer. ERROR_LIMIT or
 * ERROR_MEMORY where the buffer has failed. */
MUST_CHECK bool answer_json_text(struct answer *answer, struct buffer *text, struct error *err);
/* No body; returns true. */
bool answer_empty(struct answer *answer, int status);
/* Google's error body. */
void answer_error(struct answer *answer, const struct error *err);
void answer_clear(struct answer *answer);

#endif
