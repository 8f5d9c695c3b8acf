/* deadline: waiting for a condition until some time from now, whatever happens to the wall clock.
 */
#ifndef BQSYNC_SERVICE_DEADLINE_H
#define BQSYNC_SERVICE_DEADLINE_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition whose waits end at a deadline_in. */
void deadline_cond_init(pthread_cond_t *condition);

struct timespec deadline_in(int64_t ms);

#endif
