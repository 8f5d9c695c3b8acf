#include "source/file_stamp.h"

#define TICK_US   20000
#define COARSE_US 2000000

bool file_stamp_read(const char *path, struct file_stamp *out_stamp)
{
    struct stat file;

    *out_stamp = (struct file_stamp){0};
    if (stat(path, &file) != 0)
        return false;
    *out_stamp =
        (struct file_stamp){file.st_dev, file.st_ino, file.st_size, file.st_mtim, file.st_ctim};
    return true;
}

bool file_stamp_same_file(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return file_stamp_same_file(a, b) && a->size == b->size &&
           same_time(&a->written, &b->written) && same_time(&a->changed, &b->changed);
}

bool file_stamp_is_settled(const struct file_stamp *stamp, int64_t wall_us)
{
    bool coarse = stamp->written.tv_nsec == 0 && stamp->changed.tv_nsec == 0;
    int64_t changed_us = (int64_t)stamp->changed.tv_sec * 1000000 + stamp->changed.tv_nsec / 1000;

    return stamp->inode == 0 || wall_us - changed_us >= (coarse ? COARSE_US : TICK_US);
}
