#include "source/one_name.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Linux 5.8; without it nothing is known of mounts. */
static bool is_mounted_alone(const char *path)
{
#ifdef __linux__
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif
    struct statx status;

    return statx(AT_FDCWD, path, 0, 0, &status) == 0 && S_ISREG(status.stx_mode) &&
           (status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#else
    (void)path;
    return false;
#endif
}

bool one_name_check(const char *path, struct error *err)
{
    struct stat status;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return true;
    if (status.st_nlink > 1)
        return error_set(
            err, ERROR_SOURCE,
            "%s has %lu names (hard links), and SQLite would miss what is committed through "
            "another one, and damage the database: remove the others (`find DIR -samefile %s` "
            "lists them), or give bqsync a copy",
            path, (unsigned long)status.st_nlink, path);
    if (is_mounted_alone(path))
        return error_set(
            err, ERROR_SOURCE,
            "%s is mounted alone, without the folder that its -wal and -journal are in, and SQLite "
            "would miss what is committed there, and damage the database: mount the folder",
            path);
    return true;
}
