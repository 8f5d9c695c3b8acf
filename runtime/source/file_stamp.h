/* file_stamp: whether a file was written since it was last looked at, by what stat says of it:
 * which file it is, its size, and its times. ctime is among them because programs such as cp -p and
 * rsync set the other one.
 *
 * Two writes may get the same time, because the kernel's clock for files ticks only each 10 ms at
 * worst (Linux, CONFIG_HZ=100) and some file systems keep whole seconds, FAT every other one. So a
 * stamp tells of later writes only once it is settled. Any thread. */
#ifndef BQSYNC_SOURCE_FILE_STAMP_H
#define BQSYNC_SOURCE_FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct file_stamp {
    dev_t device;
    ino_t inode; /* 0: there is no file */
    off_t size;
    struct timespec written;
    struct timespec changed;
};

/* Returns false with errno and an empty stamp if the file cannot be looked at. */
bool file_stamp_read(const char *path, struct file_stamp *out_stamp);

bool file_stamp_same_file(const struct file_stamp *a, const struct file_stamp *b);
/* The same file, and nobody has written it in between. */
bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b);

/* Whether the file was last written so long before wall_us (when the stamp was read, microseconds
 * since 1970 UTC) that a later write gets another time. A file that is not there is settled. */
bool file_stamp_is_settled(const struct file_stamp *stamp, int64_t wall_us);

#endif
