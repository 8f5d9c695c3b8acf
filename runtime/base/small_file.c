#include "base/small_file.h"

#include "base/clock.h"
#include "base/text_fit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A program that serves a secret through a pipe answers at once; a person whom it asks for consent
 * does not, and may restart us. */
#define PATIENCE_MS 5000
#define STEP_MS     100
#define CHUNK       4096

/* The service takes its signals one by one, so while it reads they wait. */
static bool asked_to_stop(void)
{
    sigset_t pending;

    return clock_stopped() || (sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 ||
                                                             sigismember(&pending, SIGINT) == 1));
}

/* Waits until there is something to read, or the end. An open pipe without a writer has no end
 * before there was one. */
static int wait_for_bytes(int file, int64_t until_ms)
{
    const struct clock *clock = clock_system();
    struct pollfd wanted = {.fd = file, .events = POLLIN};

    for (;;) {
        int ready = poll(&wanted, 1, STEP_MS);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return errno;
        if (asked_to_stop())
            return EINTR;
        if (clock->monotonic_ms(clock->context) >= until_ms)
            return ETIME;
    }
}

static int read_all(int file, bool may_wait, struct buffer *out)
{
    const struct clock *clock = clock_system();
    int64_t until_ms = clock->monotonic_ms(clock->context) + PATIENCE_MS;

    for (;;) {
        int reason = may_wait ? wait_for_bytes(file, until_ms) : 0;
        if (reason != 0)
            return reason;
        // Into the buffer itself: another copy of what may be secret would stay.
        char *room = buffer_reserve(out, CHUNK);
        if (room == NULL)
            return 0;
        ssize_t got = read(file, room, CHUNK);
        if (got == 0)
            return 0;
        if (got > 0)
            out->length += (size_t)got;
        else if (errno != EINTR && errno != EAGAIN)
            return errno;
    }
}

int small_file_read(const char *path, struct buffer *out)
{
    struct stat status;
    // Without waiting, as a pipe would for its writer.
    int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (file < 0)
        return errno;
    int reason = fstat(file, &status) != 0 ? errno : read_all(file, !S_ISREG(status.st_mode), out);
    close(file);
    return reason;
}

const char *small_file_text(int reason, char out[static SMALL_FILE_TEXT_SIZE])
{
    if (reason == ETIME)
        return text_format(
            out, SMALL_FILE_TEXT_SIZE,
            "is a named pipe, and nobody wrote into it and closed it within %d s: start the "
            "program that writes it, or put a file there",
            PATIENCE_MS / 1000);
    if (reason == EINTR)
        return text_format(out, SMALL_FILE_TEXT_SIZE, "asked to stop while reading it");
    return text_format(
        out, SMALL_FILE_TEXT_SIZE, "%s%s", strerror(reason), error_limit_advice(reason));
}

enum error_code small_file_code(int reason, enum error_code otherwise)
{
    return reason == EINTR ? ERROR_STOPPED : error_code_of_errno(reason, otherwise);
}
