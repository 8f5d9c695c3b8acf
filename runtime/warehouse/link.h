/* link: how fast the link to BigQuery is, by the chunks of uploads that were sent over it. Several
 * at once share the link, so the time in which any of them is sent is what counts. Thread-safe: all
 * connections of a process share one. */
#ifndef BQSYNC_WAREHOUSE_LINK_H
#define BQSYNC_WAREHOUSE_LINK_H

#include "base/clock.h"

#include <stdint.h>

/* A chunk of fewer bytes says more of the way there and back than of the link. */
#define LINK_CHUNK_MIN (1u << 20)

struct link;

/* Returns owned, or NULL without memory. The clock is borrowed. */
struct link *link_new(const struct clock *clock);
void link_free(struct link *link);

/* A chunk is about to be sent. */
void link_begin(struct link *link);
/* It was answered; bytes: how many of it arrived, 0 if that is not known. */
void link_end(struct link *link, uint64_t bytes);

/* What is known from before, in bytes a second; it weighs as little as one chunk. */
void link_restore(struct link *link, int64_t speed);
/* Bytes a second, 0 if nothing is known. */
int64_t link_speed(struct link *link);

#endif
