#include "encode/level.h"

/* An ordinary connection of a server, 300 Mbit/s, until something is known: zstd 3. */
#define LINK_UNKNOWN_BYTES 37.5e6

/* Each new block counts for this part of an average. */
#define SHARE 0.125

/* Another level has to be better by so much: estimates of neighbours are nearly equal, and noise
 * must not make the level jump to and fro. */
#define GAIN 0.02

#define READ_NS 1.3

/* What to expect before a level was tried, at 0 of DEFLATE: the geometric means of two tables of
 * chat messages, one with many repetitions and one without (docs/performance.md says on what
 * machine). Only the proportions matter once the first block is packed. */
static const struct level_rate expected[LEVEL_MAX + 1] = {{2.5, 0.331}, {3.1, 0.257}, {3.4, 0.255},
                                                          {3.6, 0.217}, {3.8, 0.216}, {7.0, 0.215},
                                                          {10.1, 0.206}};

/* A level that was not tried yet differs from the present one as the expected ones do. */
static struct level_rate rate_of(const struct level *level, int number)
{
    const struct level_rate *seen = &level->seen[number];
    const struct level_rate *base = &level->seen[level->now];

    if (seen->ns > 0)
        return *seen;
    if (base->ns <= 0)
        return expected[number];
    return (struct level_rate){
        .ns = base->ns * expected[number].ns / expected[level->now].ns,
        .size = base->size * expected[number].size / expected[level->now].size,
    };
}

/* How long a raw byte takes until it has landed. The reading thread packs too when the others are
 * busy, so work is shared evenly, but a file is never done before it is read. */
static double landing_ns(const struct level *level, int number)
{
    struct level_rate rate = rate_of(level, number);
    double shared = (level->read_ns + rate.ns) / level->workers;

    return (shared > level->read_ns ? shared : level->read_ns) + rate.size * level->send_ns;
}

static int best(const struct level *level, int least)
{
    int found = least;

    for (int number = least + 1; number <= LEVEL_MAX; number++)
        if (landing_ns(level, number) < landing_ns(level, found))
            found = number;
    return found;
}

void level_begin(struct level *level, double link_bytes, int workers)
{
    *level = (struct level){
        .send_ns = 1e9 / (link_bytes > 0 ? link_bytes : LINK_UNKNOWN_BYTES),
        .read_ns = READ_NS,
        .workers = workers,
    };
    level->now = best(level, LEVEL_MIN);
}

enum codec level_codec(const struct level *level)
{
    return best(level, 0) == 0 ? CODEC_DEFLATE : CODEC_ZSTD;
}

/* Once in so many blocks a level that was not tried yet gets one, so that data of a kind that is
 * not expected is found out at the price of a few blocks. */
#define BLOCKS_A_TRIAL 4

static int untried(const struct level *level)
{
    for (int number = LEVEL_MIN; number <= LEVEL_MAX; number++)
        if (level->seen[number].ns <= 0)
            return number;
    return 0;
}

int level_choose(struct level *level)
{
    if (++level->blocks % BLOCKS_A_TRIAL == 0 && untried(level) != 0)
        return untried(level);
    int found = best(level, LEVEL_MIN);

    if (landing_ns(level, found) < landing_ns(level, level->now) * (1 - GAIN))
        level->now = found;
    return level->now;
}

static double average(double old, double value)
{
    return old <= 0 ? value : old + (value - old) * SHARE;
}

void level_saw_block(struct level *level, int used, uint64_t raw, uint64_t packed, int64_t ns)
{
    struct level_rate *seen = &level->seen[used];

    if (raw == 0)
        return;
    // A coarse clock may show nothing; some time it was.
    seen->ns = average(seen->ns, (double)(ns > 0 ? ns : 1) / (double)raw);
    seen->size = average(seen->size, (double)packed / (double)raw);
}

void level_saw_reading(struct level *level, uint64_t raw, int64_t ns)
{
    if (raw > 0 && ns > 0)
        level->read_ns = average(level->read_ns, (double)ns / (double)raw);
}
