/* monitor: the one lock of bqlocal, and the condition on which its threads wait for each other.
 * Each connection has a thread, and the jobs' worker is one more; a thread that touches the store,
 * jobs, uploads, faults, tokens or the request log is inside of the monitor. Deadlines are
 * milliseconds of CLOCK_MONOTONIC. */
#ifndef BQLOCAL_STORE_MONITOR_H
#define BQLOCAL_STORE_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct monitor {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping; /* read it inside only */
};

void monitor_init(struct monitor *monitor);
void monitor_clear(struct monitor *monitor);

void monitor_enter(struct monitor *monitor);
void monitor_leave(struct monitor *monitor);

/* Inside: wakes all that wait, because a job ended or the faults changed. */
void monitor_notify(struct monitor *monitor);
/* Inside: leaves while it waits for the next notification, at most until the deadline (INT64_MAX:
 * none). False: the time is up. */
bool monitor_wait(struct monitor *monitor, int64_t deadline_ms);
/* Outside: sets `stopping` and wakes all that wait. */
void monitor_stop(struct monitor *monitor);

/* The clock of deadlines. */
int64_t monitor_now_ms(void);

#endif
