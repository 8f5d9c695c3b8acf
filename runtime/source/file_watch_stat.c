/* file_watch where there is no inotify: looks at size and time of both files four times a second.
 * kqueue would need the files open, and closing a file ends the locks that SQLite has on it in this
 * process ("fcntl(2)"). */
#include "source/file_watch.h"

#if !defined(__linux__) || defined(BQSYNC_FILE_WATCH_STAT)

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 250

static const char *const suffixes[FILE_WATCH_FILES] = {"", "-wal"};

bool file_watch_open(struct file_watch *watch, struct error *err)
{
    int ends[2];

    *watch = (struct file_watch){.wake = -1};
    if (pipe(ends) != 0)
        return error_set(err, ERROR_MEMORY, "cannot make a pipe: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    watch->wake = ends[0];
    watch->notify = ends[1];
    return true;
}

void file_watch_close(struct file_watch *watch)
{
    close(watch->wake);
    close(watch->notify);
    for (int i = 0; i < FILE_WATCH_FILES; i++)
        free(watch->files[i].path);
}

/* What there is of a file now; empty if there is none. */
static struct file_stamp stamp_of(const struct file_watch *watch, int at)
{
    struct file_stamp now = {0};

    if (watch->files[at].path != NULL)
        (void)file_stamp_read(watch->files[at].path, &now);
    return now;
}

/* Notes a file as it is now. Returns whether it is another than before, or was written, or got
 * another name or a link less (ctime). */
static bool note(struct file_watch *watch, int at)
{
    const struct file_stamp before = watch->files[at].seen;
    const struct file_stamp now = stamp_of(watch, at);

    watch->files[at].seen = now;
    watch->files[at].other = watch->files[at].other || !file_stamp_same_file(&now, &before);
    return !file_stamp_same(&now, &before);
}

/* Watches the file of that name. What was written to the same file since is still news. */
static bool set(struct file_watch *watch, int at, const char *name)
{
    struct file_stamp now = stamp_of(watch, at);

    if (watch->files[at].path == NULL || strcmp(watch->files[at].path, name) != 0) {
        free(watch->files[at].path);
        watch->files[at].path = strdup(name);
        note(watch, at);
    } else if (!file_stamp_same_file(&now, &watch->files[at].seen)) {
        note(watch, at);
    }
    bool other = watch->files[at].other;
    watch->files[at].other = false;
    return other;
}

/* SQLite follows links, so the -wal is beside the file itself. */
bool file_watch_set(struct file_watch *watch, const char *path)
{
    char *real = realpath(path, NULL);
    bool changed = false;

    for (int i = 0; i < FILE_WATCH_FILES; i++) {
        char name[PATH_MAX + 8];
        snprintf(name, sizeof name, "%s%s", real == NULL ? path : real, suffixes[i]);
        changed = set(watch, i, name) || changed;
    }
    free(real);
    return changed;
}

bool file_watch_sees(const struct file_watch *watch)
{
    return watch->files[0].seen.inode != 0;
}

static bool is_written(struct file_watch *watch)
{
    bool any = false;

    for (int i = 0; i < FILE_WATCH_FILES; i++)
        any = note(watch, i) || any;
    return any;
}

/* Whether it was woken within the time; negative: however long. */
static bool is_woken(struct file_watch *watch, int timeout_ms)
{
    struct pollfd wake = {.fd = watch->wake, .events = POLLIN};
    char bytes[64];

    if (poll(&wake, 1, timeout_ms) <= 0)
        return false;
    while (read(watch->wake, bytes, sizeof bytes) > 0)
        continue;
    return true;
}

enum file_watch_news file_watch_wait(struct file_watch *watch, int timeout_ms)
{
    for (int left_ms = timeout_ms;;) {
        if (is_written(watch))
            return FILE_WATCH_WRITE;
        int step_ms = left_ms < 0 || left_ms > LOOK_MS ? LOOK_MS : left_ms;
        if (is_woken(watch, step_ms))
            return FILE_WATCH_WOKEN;
        if (left_ms >= 0 && (left_ms -= step_ms) <= 0)
            return is_written(watch) ? FILE_WATCH_WRITE : FILE_WATCH_NOTHING;
    }
}

enum file_watch_news file_watch_pause(struct file_watch *watch, int timeout_ms)
{
    return is_woken(watch, timeout_ms) ? FILE_WATCH_WOKEN : FILE_WATCH_NOTHING;
}

void file_watch_wake(struct file_watch *watch)
{
    ssize_t ignored = write(watch->notify, "", 1);

    (void)ignored;
}

#endif
