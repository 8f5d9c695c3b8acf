/* follower: a thread that waits for commits of the application and tells the scheduler. It sleeps
 * until the kernel reports a write to the source, then looks whether that was a commit of somebody
 * else (source/commits.h). Because a commit becomes visible a little after its last write, and
 * because the kernel does not see every write, it looks again after pauses that double, and in the
 * end every FOLLOWER_POLL_MS. While a commit waits for its pass, it does nothing at all. */
#ifndef BQSYNC_SERVICE_FOLLOWER_H
#define BQSYNC_SERVICE_FOLLOWER_H

#include "base/clock.h"
#include "base/error.h"
#include "source/commits.h"

#include <stdbool.h>
#include <stdint.h>

/* A commit that the kernel does not report is noticed after this time at the latest. */
#define FOLLOWER_POLL_MS 10000

struct follower;

/* All borrowed. */
struct follower_options {
    struct commits *commits;
    const char *path; /* of the source, as database_open takes it */
    const struct clock *clock;
    /* A commit has come. Called on the follower's thread. */
    void (*committed)(void *context);
    void *context;
};

/* Follows nothing yet. Returned owned. */
MUST_CHECK bool follower_new(
    const struct follower_options *options, struct follower **out_follower, struct error *err);
/* Ends the thread, which takes a moment; the commits are followed until they are freed. NULL is
 * fine.
 */
void follower_free(struct follower *follower);

/* Follows with this delay (BQ_SYNC_FOLLOW) from now on; 0: not any more. Called by one thread. */
MUST_CHECK bool follower_set(struct follower *follower, int64_t delay_ms, struct error *err);

/* A pass has ended: commits may be covered, so it is time to wait for the next one. Any thread. */
void follower_nudge(struct follower *follower);

#endif
