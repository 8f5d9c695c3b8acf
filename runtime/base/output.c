#include "base/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

/* Whether the descriptor takes bytes, or an error. Waits again in full after a signal: few come. */
static bool wait_for_room(int fd, int patience_ms)
{
    struct pollfd output = {.fd = fd, .events = POLLOUT};
    int ready;

    do
        ready = poll(&output, 1, patience_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0;
}

/* The descriptor is not made non-blocking: others that share the open file would be surprised. poll
 * promises room for PIPE_BUF bytes of a pipe, so no part is longer, and one of that length stays
 * whole between what others write. Only another process that takes the last room of the same pipe
 * between the two calls makes this one wait. */
bool output_write(int fd, const void *text, size_t length, int patience_ms, size_t *out_written)
{
    const char *bytes = text;
    size_t written = 0;
    bool ok = true;

    while (ok && written < length) {
        size_t part = length - written < PIPE_BUF ? length - written : PIPE_BUF;
        ssize_t taken = -1;
        if (wait_for_room(fd, patience_ms))
            taken = write(fd, bytes + written, part);
        if (taken > 0)
            written += (size_t)taken;
        ok = taken > 0 || (taken < 0 && errno == EINTR);
    }
    *out_written = written;
    return ok;
}
