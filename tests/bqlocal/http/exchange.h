/* http: one request as the routes see it, and the answer that they fill in. A request belongs to
 * its connection's thread. */
#ifndef BQLOCAL_HTTP_EXCHANGE_H
#define BQLOCAL_HTTP_EXCHANGE_H

#include "base/buffer.h"
#include "base/error.h"
#include "bqlocal/faults/fault.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;
struct route;
struct server;
struct upload_body;

/* What routes take out of a path: "{d}" and so on. */
struct path_parameters {
    char *project;
    char *dataset;
    char *table;
    char *job;
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
    const char *allow;        /* header Allow, static */
};

struct request {
    struct server *server;
    struct MHD_Connection *connection;
    char *target; /* path and query as sent */
    char *path;   /* without the query */
    char *method;
    const struct route *route; /* NULL: none fits */
    bool path_known;           /* some route has the path, for another method */
    struct path_parameters parameters;
    struct buffer body;         /* of a JSON request */
    struct upload_body *upload; /* of a media upload, NULL for others */
    bool started;               /* headers were looked at */
    bool answered;
    bool logged;
    struct error refusal; /* found at the headers; the answer once the body is read */
    bool refused;
    uint64_t body_bytes;
    struct fault_action fault; /* what is to be done to this request */
    struct answer answer;
};

/* A query parameter or NULL; borrowed. */
const char *request_query(const struct request *request, const char *name);
/* The same as a number; fallback if it is missing or none. */
int64_t request_query_number(const struct request *request, const char *name, int64_t fallback);
bool request_query_bool(const struct request *request, const char *name);
/* A header or NULL; borrowed. */
const char *request_header(const struct request *request, const char *name);

/* The body as JSON, owned; an empty one is an empty object. */
MUST_CHECK bool request_json(struct request *request, cJSON **out_json, struct error *err);

/* "http://host:port" as the client named us, owned. */
char *request_origin(const struct request *request);

/* Takes the JSON and makes it the body; returns true. */
bool answer_json(struct answer *answer, int status, cJSON *json);
/* Takes the content of the buffer. */
bool answer_text(struct answer *answer, int status, const char *content_type, struct buffer *text);
/* No body; returns true. */
bool answer_empty(struct answer *answer, int status);
/* Google's error body. */
void answer_error(struct answer *answer, const struct error *err);
void answer_clear(struct answer *answer);

/* Numbers as BigQuery answers them: strings. */
void json_add_number(cJSON *object, const char *key, int64_t number);
/* A text of an object or NULL. */
const char *json_text(const cJSON *object, const char *key);
/* A number that is given as number or string. */
int64_t json_number(const cJSON *object, const char *key, int64_t fallback);
bool json_bool(const cJSON *object, const char *key, bool fallback);
const cJSON *json_at(const cJSON *object, const char *key);

#endif
