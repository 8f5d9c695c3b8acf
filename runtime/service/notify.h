/* notify: tells the service manager how the service is ("sd_notify(3)": one datagram to the socket
 * that NOTIFY_SOCKET names). Does nothing where there is none. */
#ifndef BQSYNC_SERVICE_NOTIFY_H
#define BQSYNC_SERVICE_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=..." and so on. */
void notify_send(const char *state);

/* READY=1 with a line for people. */
void notify_ready(const char *status);

/* How often the manager wants to hear WATCHDOG=1, half of what it allows; 0: never. */
int64_t notify_watchdog_ms(void);

#endif
