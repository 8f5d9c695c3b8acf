/* gate: who may speak to the admin API: the bearer token, the name the client thinks it speaks to
 * (DNS rebinding), and pages of other sites (cross-site requests). Thread-safe. */
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

/* Whether the value of an Authorization header (NULL: none) opens the gate. Takes the same time
 * whatever is wrong with it. */
bool gate_admits(struct gate *gate, const char *authorization);

/* Whether the Host header (NULL: none, as in HTTP/1.0) names this machine where only this machine
 * can connect: a page of another site that rebinds its name to 127.0.0.1 still sends its own. */
bool gate_knows_host(const struct gate *gate, const char *host);

/* Whether a browser says that the request comes from a page of another origin. host: the Host
 * header; origin and site: the Origin and Sec-Fetch-Site headers, NULL if absent. */
bool gate_is_foreign(const char *host, const char *origin, const char *site);

#endif
