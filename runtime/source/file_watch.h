/* file_watch: waits until the kernel reports a write to a database: to its file, or to the -wal
 * file beside it ("inotify(7)"; elsewhere than on Linux, file_watch_stat.c looks at the files). It
 * reads neither, and says nothing about commits: a write may be one, or a part of one, or a
 * checkpoint (source/commits.h tells). The kernel sees the writes of this machine only, not those
 * of others to a network file system; and a process may have as many watches as the system allows,
 * which may be none. So the caller also has to look from time to time. One thread waits; any thread
 * may wake it. */
#ifndef BQSYNC_SOURCE_FILE_WATCH_H
#define BQSYNC_SOURCE_FILE_WATCH_H

#include "base/error.h"
#include "source/file_stamp.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The database and its -wal. */
#define FILE_WATCH_FILES 2

#if defined(__linux__) && !defined(BQSYNC_FILE_WATCH_STAT)
struct file_watch {
    int wake;   /* an eventfd */
    int notify; /* of inotify; negative if the system allows none */
    struct {
        int id; /* negative: not watched */
        dev_t device;
        ino_t inode;
    } files[FILE_WATCH_FILES];
};
#else
struct file_watch {
    int wake;   /* the end of a pipe that is read */
    int notify; /* its other end */
    struct {
        char *path; /* owned */
        bool other; /* than at the last file_watch_set */
        struct file_stamp seen;
    } files[FILE_WATCH_FILES];
};
#endif

/* ERROR_MEMORY if the system gives no descriptor to be woken by. */
MUST_CHECK bool file_watch_open(struct file_watch *watch, struct error *err);
void file_watch_close(struct file_watch *watch);

/* Watches the files that now have these names: the database at path, wherever links lead, and its
 * -wal. Returns whether one of them is another than before, so that writes may have been missed. */
bool file_watch_set(struct file_watch *watch, const char *path);

/* Whether writes to the database itself are reported. */
bool file_watch_sees(const struct file_watch *watch);

enum file_watch_news { FILE_WATCH_NOTHING, FILE_WATCH_WRITE, FILE_WATCH_WOKEN };

/* Waits for a write, at most timeout_ms (negative: however long). Takes note of all writes until
 * now at once. */
enum file_watch_news file_watch_wait(struct file_watch *watch, int timeout_ms);
/* The same, but no write ends it: those of the time are reported later. */
enum file_watch_news file_watch_pause(struct file_watch *watch, int timeout_ms);

/* Ends the wait that goes on, or else the next one. */
void file_watch_wake(struct file_watch *watch);

#endif
