#include "service/connections.h"

#include <sys/socket.h>

/* Time limits. A request of 64 KiB over a slow line takes a second or two. */
#define READING_MAX_MS   10000
#define ANSWERING_MAX_MS 30000

/* With at least this many connections, a new one replaces the one that has been silent longest,
 * unless that is new too. */
#define CROWDED                (CONNECTIONS_MAX / 2)
#define PATIENCE_MS            500
#define READING_MAX_CROWDED_MS 1000

void connections_init(struct connections *connections)
{
    *connections = (struct connections){0};
    pthread_mutex_init(&connections->mutex, NULL);
}

void connections_clear(struct connections *connections)
{
    pthread_mutex_destroy(&connections->mutex);
}

/* shutdown instead of close: the descriptor belongs to the server, which sees the end of the
 * connection and closes it. The slot is freed before that, so the descriptor's number can't belong
 * to another connection yet. */
static void cut(struct connection *slot)
{
    shutdown(slot->fd, SHUT_RDWR);
}

static void make_room(struct connections *connections, int64_t now_ms)
{
    struct connection *oldest = NULL;

    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *slot = &connections->slots[i];
        if (slot->state == CONNECTION_READING && now_ms - slot->since_ms > PATIENCE_MS &&
            (oldest == NULL || slot->since_ms < oldest->since_ms))
            oldest = slot;
    }
    if (oldest != NULL) {
        cut(oldest);
        // In this state it is not chosen again before its owner has closed it.
        oldest->state = CONNECTION_STREAMING;
    }
}

struct connection *connections_open(struct connections *connections, int fd, int64_t now_ms)
{
    struct connection *found = NULL;

    pthread_mutex_lock(&connections->mutex);
    if (connections->count >= CROWDED)
        make_room(connections, now_ms);
    for (size_t i = 0; i < CONNECTIONS_MAX && found == NULL; i++)
        if (connections->slots[i].state == CONNECTION_FREE)
            found = &connections->slots[i];
    if (found != NULL) {
        *found = (struct connection){CONNECTION_READING, fd, now_ms};
        connections->count++;
    }
    pthread_mutex_unlock(&connections->mutex);
    return found;
}

void connections_close(struct connections *connections, struct connection *slot)
{
    if (slot == NULL)
        return;
    pthread_mutex_lock(&connections->mutex);
    slot->state = CONNECTION_FREE;
    connections->count--;
    pthread_mutex_unlock(&connections->mutex);
}

void connections_enter(
    struct connections *connections, struct connection *slot, enum connection_state state,
    int64_t now_ms)
{
    if (slot == NULL)
        return;
    pthread_mutex_lock(&connections->mutex);
    slot->state = state;
    slot->since_ms = now_ms;
    pthread_mutex_unlock(&connections->mutex);
}

size_t connections_sweep(struct connections *connections, int64_t now_ms)
{
    size_t count = 0;

    pthread_mutex_lock(&connections->mutex);
    // A new connection can only replace another after it was accepted. When the server is full, it
    // is not, so the limit is shorter.
    int64_t reading_max_ms =
        connections->count >= CROWDED ? READING_MAX_CROWDED_MS : READING_MAX_MS;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *slot = &connections->slots[i];
        int64_t age_ms = now_ms - slot->since_ms;
        if ((slot->state == CONNECTION_READING && age_ms > reading_max_ms) ||
            (slot->state == CONNECTION_ANSWERING && age_ms > ANSWERING_MAX_MS)) {
            cut(slot);
            slot->since_ms = now_ms;
            count++;
        }
    }
    pthread_mutex_unlock(&connections->mutex);
    return count;
}
