/* level: how hard the blocks of a file are packed. A file is written whole before it is sent, so a
 * row has landed when both are done, and packing harder pays as long as the bytes it saves would
 * take longer on their way than it takes to save them. The level goes up while sending is the
 * larger part of that time and down while packing is. Pure: the caller passes time and bytes,
 * nothing is measured here. One thread at a time. */
#ifndef BQSYNC_ENCODE_LEVEL_H
#define BQSYNC_ENCODE_LEVEL_H

#include "encode/packer.h"

#include <stdint.h>

/* Of zstd. Beyond 6 a level takes several times as long for the last hundredths. */
#define LEVEL_MIN 1
#define LEVEL_MAX 6

/* What a level makes of a byte, as seen or as expected: nanoseconds of a processor, and bytes. */
struct level_rate {
    double ns;
    double size;
};

struct level {
    double send_ns; /* how long a byte is on its way */
    double read_ns; /* of a processor, to read and encode a byte */
    int workers;    /* threads that pack, the reading one among them */
    int now;
    unsigned blocks;                       /* begun so far */
    struct level_rate seen[LEVEL_MAX + 1]; /* averages; ns is 0 where nothing was packed yet */
};

/* Begins a file. link_bytes: what the link carries in a second, 0 if nobody knows. */
void level_begin(struct level *level, double link_bytes, int workers);

/* The codec for a file of that beginning: DEFLATE where the link is so fast that packing faster is
 * worth more than packing better, which is above about 2 Gbit/s on two processors; else zstd. */
enum codec level_codec(const struct level *level);

/* The level for the next block of zstd, 1 to 6. */
int level_choose(struct level *level);

/* A block of raw bytes became packed bytes at this level, in nanoseconds of a processor. */
void level_saw_block(struct level *level, int used, uint64_t raw, uint64_t packed, int64_t ns);

/* Raw bytes were read and encoded in nanoseconds of a processor. */
void level_saw_reading(struct level *level, uint64_t raw, int64_t ns);

#endif
