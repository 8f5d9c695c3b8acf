/* gate: which requests may use the admin API. Checks the bearer token, the Host header (against DNS
 * rebinding) and the origin (against requests of other sites' pages). Thread-safe. */
#ifndef BQSYNC_SERVICE_GATE_H
#define BQSYNC_SERVICE_GATE_H

#include <pthread.h>
#include <stdbool.h>

#define GATE_DIGEST_SIZE 32

struct gate {
    bool loopback; /* the address listened on */
    pthread_mutex_t mutex;
    bool has_token;
    unsigned char digest[GATE_DIGEST_SIZE]; /* of the token, which itself is not kept */
};

void gate_init(struct gate *gate, bool loopback);
void gate_clear(struct gate *gate);

/* NULL or "": no token is needed. */
void gate_set_token(struct gate *gate, const char *token);

bool gate_needs_token(struct gate *gate);

/* Whether the value of an Authorization header (NULL: none) has the token. The time does not depend
 * on how much of it is right. */
bool gate_admits(struct gate *gate, const char *authorization);

/* Whether the Host header (NULL: none, as in HTTP/1.0) names this machine, if only this machine can
 * connect. A page of another site whose name was rebound to 127.0.0.1 still sends that name. */
bool gate_knows_host(const struct gate *gate, const char *host);

/* Whether a browser says that the request comes from a page of another origin. host: the Host
 * header; origin and site: the Origin and Sec-Fetch-Site headers, NULL if absent. */
bool gate_is_foreign(const char *host, const char *origin, const char *site);

#endif
