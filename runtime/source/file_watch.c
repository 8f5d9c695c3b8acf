#include "source/file_watch.h"

#ifdef __linux__

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* Besides writes: the file gets another name, or none (IN_ATTRIB comes when a link is removed). */
#define EVENTS (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)

static const char *const suffixes[FILE_WATCH_FILES] = {"", "-wal"};

bool file_watch_open(struct file_watch *watch, struct error *err)
{
    *watch = (struct file_watch){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (watch->wake < 0)
        return error_set(err, ERROR_MEMORY, "cannot make an eventfd: %s", strerror(errno));
    watch->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    for (int i = 0; i < FILE_WATCH_FILES; i++)
        watch->files[i].id = -1;
    return true;
}

void file_watch_close(struct file_watch *watch)
{
    close(watch->wake);
    if (watch->notify >= 0)
        close(watch->notify);
}

/* Watches the file of that name, or nothing if there is none. */
static bool set(struct file_watch *watch, int at, const char *path)
{
    struct stat file;
    bool exists = stat(path, &file) == 0;

    if (exists && watch->files[at].id >= 0 && watch->files[at].device == file.st_dev &&
        watch->files[at].inode == file.st_ino)
        return false;
    if (watch->files[at].id >= 0)
        inotify_rm_watch(watch->notify, watch->files[at].id);
    bool before = watch->files[at].id >= 0;
    watch->files[at].id = exists ? inotify_add_watch(watch->notify, path, EVENTS) : -1;
    if (watch->files[at].id < 0)
        return before;
    watch->files[at].device = file.st_dev;
    watch->files[at].inode = file.st_ino;
    return true;
}

/* SQLite follows links, so the -wal is beside the file itself. */
bool file_watch_set(struct file_watch *watch, const char *path)
{
    char *real = realpath(path, NULL);
    bool changed = false;

    for (int i = 0; watch->notify >= 0 && i < FILE_WATCH_FILES; i++) {
        char name[PATH_MAX + 8];
        snprintf(name, sizeof name, "%s%s", real == NULL ? path : real, suffixes[i]);
        changed = set(watch, i, name) || changed;
    }
    free(real);
    return changed;
}

bool file_watch_sees(const struct file_watch *watch)
{
    return watch->notify >= 0 && watch->files[0].id >= 0;
}

/* The kernel ends the watch of a file that is gone (IN_IGNORED); its number may be another's soon.
 */
static void read_events(struct file_watch *watch)
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t length;

    while ((length = read(watch->notify, events, sizeof events)) > 0)
        for (const char *at = events; at < events + length;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            for (int i = 0; (event->mask & IN_IGNORED) != 0 && i < FILE_WATCH_FILES; i++)
                if (watch->files[i].id == event->wd)
                    watch->files[i].id = -1;
            at += sizeof *event + event->len;
        }
}

/* Waits until it is woken, or until events come on a descriptor, unless that is negative: poll
 * passes over it then. */
static enum file_watch_news wait_for(struct file_watch *watch, int descriptor, int timeout_ms)
{
    struct pollfd files[] = {
        {.fd = watch->wake, .events = POLLIN},
        {.fd = descriptor, .events = POLLIN},
    };

    if (poll(files, sizeof files / sizeof files[0], timeout_ms) <= 0)
        return FILE_WATCH_NOTHING;
    if (files[0].revents != 0) {
        uint64_t count;
        ssize_t ignored = read(watch->wake, &count, sizeof count);
        (void)ignored;
        return FILE_WATCH_WOKEN;
    }
    read_events(watch);
    return FILE_WATCH_WRITE;
}

enum file_watch_news file_watch_wait(struct file_watch *watch, int timeout_ms)
{
    return wait_for(watch, watch->notify, timeout_ms);
}

enum file_watch_news file_watch_pause(struct file_watch *watch, int timeout_ms)
{
    return wait_for(watch, -1, timeout_ms);
}

void file_watch_wake(struct file_watch *watch)
{
    uint64_t one = 1;
    ssize_t ignored = write(watch->wake, &one, sizeof one);

    (void)ignored;
}

#endif
