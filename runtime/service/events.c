#include "service/events.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 16384

struct stream {
    struct events *events;
    struct MHD_Connection *connection;
    char *message; /* being sent, owned */
    size_t length;
    size_t sent;
    bool behind; /* a newer message arrived during the send */
    bool suspended;
    struct stream *next;
};

void events_init(struct events *events)
{
    *events = (struct events){0};
    pthread_mutex_init(&events->mutex, NULL);
}

void events_clear(struct events *events)
{
    free(events->newest);
    pthread_mutex_destroy(&events->mutex);
}

/* The caller holds the mutex. */
static void load(struct stream *stream, const char *message)
{
    free(stream->message);
    stream->message = message == NULL ? NULL : strdup(message);
    stream->length = stream->message == NULL ? 0 : strlen(stream->message);
    stream->sent = 0;
    stream->behind = false;
}

/* The server calls this when the connection can take more. Without a message the connection is
 * suspended until events_send resumes it. */
static ssize_t read_stream(void *context, uint64_t position, char *out, size_t size)
{
    struct stream *stream = context;
    struct events *events = stream->events;
    ssize_t given = 0;

    (void)position;
    pthread_mutex_lock(&events->mutex);
    if (stream->sent == stream->length && stream->behind)
        load(stream, events->newest);
    if (stream->sent < stream->length) {
        size_t left = stream->length - stream->sent;
        size_t length = left < size ? left : size;
        memcpy(out, stream->message + stream->sent, length);
        stream->sent += length;
        given = (ssize_t)length;
    } else if (events->stopping) {
        given = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&events->mutex);
    return given;
}

static void free_stream(void *context)
{
    struct stream *stream = context;
    struct events *events = stream->events;

    pthread_mutex_lock(&events->mutex);
    for (struct stream **at = &events->streams; *at != NULL; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            events->count--;
            break;
        }
    pthread_mutex_unlock(&events->mutex);
    free(stream->message);
    free(stream);
}

struct MHD_Response *events_open(
    struct events *events, struct MHD_Connection *connection, const char *first)
{
    struct stream *stream = calloc(1, sizeof *stream);

    if (stream == NULL)
        return NULL;
    stream->events = events;
    stream->connection = connection;
    pthread_mutex_lock(&events->mutex);
    bool room = events->count < EVENTS_STREAMS_MAX && !events->stopping;
    if (room) {
        load(stream, first);
        stream->next = events->streams;
        events->streams = stream;
        events->count++;
    }
    pthread_mutex_unlock(&events->mutex);
    if (!room) {
        free(stream);
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, stream, free_stream);
    if (response == NULL)
        free_stream(stream);
    return response;
}

size_t events_count(struct events *events)
{
    pthread_mutex_lock(&events->mutex);
    size_t count = events->count;
    pthread_mutex_unlock(&events->mutex);
    return count;
}

/* Collects the connections to resume; the caller holds the mutex. They are resumed without the
 * mutex, because the server may call free_stream while it holds a lock of its own. A suspended
 * connection can't disappear. */
static size_t collect(struct events *events, struct MHD_Connection **out)
{
    size_t count = 0;

    for (struct stream *stream = events->streams; stream != NULL; stream = stream->next)
        if (stream->suspended) {
            stream->suspended = false;
            out[count++] = stream->connection;
        }
    return count;
}

void events_send(struct events *events, const char *message, bool state)
{
    struct MHD_Connection *ready[EVENTS_STREAMS_MAX];

    pthread_mutex_lock(&events->mutex);
    if (state) {
        free(events->newest);
        events->newest = strdup(message);
    }
    for (struct stream *stream = events->streams; stream != NULL; stream = stream->next) {
        if (stream->sent == stream->length)
            load(stream, message);
        else
            stream->behind = stream->behind || state;
    }
    size_t count = collect(events, ready);
    pthread_mutex_unlock(&events->mutex);
    for (size_t i = 0; i < count; i++)
        MHD_resume_connection(ready[i]);
}

void events_stop(struct events *events)
{
    struct MHD_Connection *ready[EVENTS_STREAMS_MAX];

    pthread_mutex_lock(&events->mutex);
    events->stopping = true;
    size_t count = collect(events, ready);
    pthread_mutex_unlock(&events->mutex);
    for (size_t i = 0; i < count; i++)
        MHD_resume_connection(ready[i]);
}
