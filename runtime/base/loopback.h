/* loopback: which host names are this machine and nobody else. */
#ifndef BQSYNC_BASE_LOOPBACK_H
#define BQSYNC_BASE_LOOPBACK_H

#include <stddef.h>

/* The length of the host that text begins with, if it is surely this machine: "localhost" in any
 * case, "[::1]", or an address of 127.0.0.0/8 in its usual four parts. 0 if it is not. The caller
 * checks what follows: a name such as "localhost.example.com" begins in the same way. */
size_t loopback_length(const char *text);

#endif
