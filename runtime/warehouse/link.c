#include "warehouse/link.h"

#include <pthread.h>
#include <stdlib.h>

/* The last chunks count most: beyond so many bytes, what was seen before counts half. */
#define MEMORY_BYTES (64u << 20)

#define RESTORED_BYTES (8u << 20)

struct link {
    const struct clock *clock;
    pthread_mutex_t lock;
    int sending;      /* chunks on their way */
    int64_t since_ms; /* up to here the time of sending is counted, if any is */
    double bytes;
    double ms;
};

struct link *link_new(const struct clock *clock)
{
    struct link *made = calloc(1, sizeof *made);

    if (made == NULL)
        return NULL;
    made->clock = clock;
    pthread_mutex_init(&made->lock, NULL);
    return made;
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    pthread_mutex_destroy(&link->lock);
    free(link);
}

/* Adds the time since the last look, during which something was sent. */
static void count_time(struct link *link)
{
    int64_t now_ms = link->clock->monotonic_ms(link->clock->context);

    if (link->sending > 0)
        link->ms += (double)(now_ms - link->since_ms);
    link->since_ms = now_ms;
}

void link_begin(struct link *link)
{
    pthread_mutex_lock(&link->lock);
    count_time(link);
    link->sending++;
    pthread_mutex_unlock(&link->lock);
}

void link_end(struct link *link, uint64_t bytes)
{
    pthread_mutex_lock(&link->lock);
    count_time(link);
    link->sending--;
    link->bytes += (double)bytes;
    if (link->bytes > MEMORY_BYTES) {
        link->bytes /= 2;
        link->ms /= 2;
    }
    pthread_mutex_unlock(&link->lock);
}

void link_restore(struct link *link, int64_t speed)
{
    pthread_mutex_lock(&link->lock);
    if (link->bytes <= 0 && speed > 0) {
        link->bytes = RESTORED_BYTES;
        link->ms = RESTORED_BYTES * 1000.0 / (double)speed;
    }
    pthread_mutex_unlock(&link->lock);
}

int64_t link_speed(struct link *link)
{
    pthread_mutex_lock(&link->lock);
    double ms = link->ms < 1 ? 1 : link->ms;
    int64_t speed = link->bytes <= 0 ? 0 : (int64_t)(link->bytes * 1000 / ms);
    pthread_mutex_unlock(&link->lock);
    return speed;
}
