/* syscall_filter: refuses system calls that no part of the service makes (seccomp(2)): starting
 * programs, looking into other processes, mounting, loading code into the kernel. They fail with
 * EPERM, for good; all others work as before, so that no C library, resolver or file system can be
 * surprised. Call it before other threads exist. */
#ifndef BQSYNC_SERVICE_SYSCALL_FILTER_H
#define BQSYNC_SERVICE_SYSCALL_FILTER_H

#include <stdbool.h>

/* false, with errno, if there are no filters here or the kernel refuses this one. Needs
 * no_new_privs, or rights. */
bool syscall_filter_enter(void);

#endif
