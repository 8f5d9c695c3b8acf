/* events: the open streams of server-sent events ("HTML Living Standard", 9.2). Every stream gets
 * the newest message; one that reads too slowly misses those in between, which is fine because each
 * message has the whole state. Between messages a stream costs no thread and no wake-ups.
 * Thread-safe. */
#ifndef BQSYNC_SERVICE_EVENTS_H
#define BQSYNC_SERVICE_EVENTS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENTS_STREAMS_MAX 32

struct stream;

struct events {
    pthread_mutex_t mutex;
    struct stream *streams;
    size_t count;
    bool stopping;
    char *newest; /* for streams that missed it */
};

void events_init(struct events *events);
void events_clear(struct events *events);

/* The body of a stream for this connection, to be queued, which begins with a message (copied);
 * NULL when there are too many. */
struct MHD_Response *events_open(
    struct events *events, struct MHD_Connection *connection, const char *first);

size_t events_count(struct events *events);

/* Sends a message (complete, with its empty line) to every stream; state: one that is not
 * ready for it gets it later, or a newer one. Called by one thread only. */
void events_send(struct events *events, const char *message, bool state);

/* Ends all streams and refuses new ones. */
void events_stop(struct events *events);

#endif
