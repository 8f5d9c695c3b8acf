/* follow: when a pass follows a commit of the application (BQ_SYNC_FOLLOW). The first commit that
 * no pass has covered starts the delay, so a stream of commits is synced once in each delay. Pure:
 * time is an argument, in milliseconds of the monotonic clock. */
#ifndef BQSYNC_SERVICE_FOLLOW_H
#define BQSYNC_SERVICE_FOLLOW_H

#include <stddef.h>
#include <stdint.h>

#define FOLLOW_NEVER INT64_MAX

struct follow {
    int64_t delay_ms; /* 0: off */
    /* After a pass that failed, commits wait until then. */
    int64_t held_until_ms;
};

/* When the pass is due that follows a commit of since_ms (FOLLOW_NEVER: there is none);
 * FOLLOW_NEVER. It may be in the past. */
int64_t follow_due_ms(const struct follow *follow, int64_t since_ms);

/* No pass follows for that long. */
void follow_hold(struct follow *follow, int64_t now_ms, int64_t for_ms);

/* "2s after a commit", "" if off. */
void follow_text(int64_t delay_ms, char *out, size_t size);

#endif
