/* apple: what the sources call and macOS lacks or spells differently, in the words of macOS. The
 * build includes it before each file there, and nowhere else. Nothing here is run by our tests:
 * they only compile it (tests/conformance/test_systems.py). */
#ifndef BQSYNC_BASE_APPLE_H
#define BQSYNC_BASE_APPLE_H

#ifndef __APPLE__
#error "this is for macOS"
#endif

#include <crt_externs.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define environ (*_NSGetEnviron())

/* The times of struct stat. */
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec

/* Opening a folder to write fails with EISDIR, as where Linux has no O_TMPFILE either. */
#ifndef O_TMPFILE
#define O_TMPFILE 0
#endif

/* The only user is systemd's socket. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#define SOCK_CLOEXEC  0x10000000
#define SOCK_NONBLOCK 0x20000000

/* As in <sys/socket.h>, whose other names some of our sources use for their own functions. */
int socket(int domain, int type, int protocol);

static inline int apple_socket(int domain, int type, int protocol)
{
    int fd = socket(domain, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), protocol);

    if (fd >= 0 && (type & SOCK_CLOEXEC) != 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (fd >= 0 && (type & SOCK_NONBLOCK) != 0)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}
#define socket apple_socket

static inline void explicit_bzero(void *bytes, size_t size)
{
    memset_s(bytes, size, 0, size);
}

/* arc4random_buf never fails. */
static inline ssize_t getrandom(void *bytes, size_t size, unsigned flags)
{
    (void)flags;
    arc4random_buf(bytes, size);
    return (ssize_t)size;
}

static inline void *memrchr(const void *bytes, int byte, size_t size)
{
    const unsigned char *start = bytes;

    while (size-- > 0)
        if (start[size] == (unsigned char)byte)
            return (void *)(start + size);
    return NULL;
}

/* Bytes that were printed and not yet written. */
static inline size_t __fpending(FILE *file)
{
    return (size_t)(file->_p - file->_bf._base);
}

static inline int apple_getgrouplist(const char *name, gid_t group, gid_t *groups, int *count)
{
    return getgrouplist(name, (int)group, (int *)groups, count);
}
#define getgrouplist apple_getgrouplist

/* Looks for a signal of the set, which all threads block, twenty times a second. */
static inline int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    long long pauses = (long long)timeout->tv_sec * 20 + timeout->tv_nsec / pause.tv_nsec;
    sigset_t pending;

    (void)info;
    for (; pauses >= 0; pauses--) {
        sigpending(&pending);
        for (int signal = 1; signal < NSIG; signal++)
            if (sigismember(set, signal) == 1 && sigismember(&pending, signal) == 1) {
                sigset_t one;
                sigemptyset(&one);
                sigaddset(&one, signal);
                return sigwait(&one, &signal) == 0 ? signal : -1;
            }
        nanosleep(&pause, NULL);
    }
    errno = EAGAIN;
    return -1;
}

#endif
