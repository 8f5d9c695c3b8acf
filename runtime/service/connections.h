/* connections: the open connections of the admin API and since when each is in its state. A client
 * that takes too long to send its request or to read the answer is cut off. When many are
 * connected, those that have not sent their request are cut off in favour of new ones. Thread-safe.
 */
#ifndef BQSYNC_SERVICE_CONNECTIONS_H
#define BQSYNC_SERVICE_CONNECTIONS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTIONS_MAX 512

enum connection_state {
    CONNECTION_FREE,
    CONNECTION_READING,   /* the request is not complete, or none has begun */
    CONNECTION_ANSWERING, /* the answer is not complete */
    CONNECTION_STREAMING, /* until either side ends it */
};

struct connection {
    enum connection_state state;
    int fd;
    int64_t since_ms;
};

struct connections {
    pthread_mutex_t mutex;
    size_t count;
    struct connection slots[CONNECTIONS_MAX];
};

void connections_init(struct connections *connections);
void connections_clear(struct connections *connections);

/* A slot for a new connection; NULL if all are taken, then the connection is not watched. */
struct connection *connections_open(struct connections *connections, int fd, int64_t now_ms);
void connections_close(struct connections *connections, struct connection *slot);

/* NULL is fine. */
void connections_enter(
    struct connections *connections, struct connection *slot, enum connection_state state,
    int64_t now_ms);

/* Cuts off those that took too long; returns how many. The owner then closes them. */
size_t connections_sweep(struct connections *connections, int64_t now_ms);

#endif
