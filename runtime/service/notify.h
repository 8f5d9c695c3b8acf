/* notify: reports the state of the service to the service manager ("sd_notify(3)": one datagram to
 * the socket that NOTIFY_SOCKET names). Does nothing if it is not set. */
#ifndef BQSYNC_SERVICE_NOTIFY_H
#define BQSYNC_SERVICE_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=..." and so on. */
void notify_send(const char *state);

/* READY=1 with a line for people. */
void notify_ready(const char *status);

/* The interval for WATCHDOG=1: half of the manager's limit; 0: the manager does not watch. */
int64_t notify_watchdog_ms(void);

#endif
