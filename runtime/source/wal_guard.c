#include "source/wal_guard.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* NULL if the database has no file. */
static const char *wal_path(sqlite3 *handle)
{
    const char *name = handle == NULL ? NULL : sqlite3_db_filename(handle, "main");

    return name == NULL || name[0] == '\0' ? NULL : sqlite3_filename_wal(name);
}

static struct file_stamp wal_of(sqlite3 *handle)
{
    const char *path = wal_path(handle);
    struct file_stamp wal = {0};

    if (path != NULL)
        (void)file_stamp_read(path, &wal);
    return wal;
}

/* SQLite holds no lock on the WAL itself, which closing another descriptor of it would release. */
static void read_header(sqlite3 *handle, unsigned char out_header[WAL_HEADER_SIZE])
{
    const char *path = wal_path(handle);
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);

    memset(out_header, 0, WAL_HEADER_SIZE);
    if (file < 0)
        return;
    if (pread(file, out_header, WAL_HEADER_SIZE, 0) != WAL_HEADER_SIZE)
        memset(out_header, 0, WAL_HEADER_SIZE);
    close(file);
}

void wal_guard_note(sqlite3 *handle, struct wal_guard *out_guard)
{
    out_guard->wal = wal_of(handle);
    read_header(handle, out_guard->header);
}

bool wal_guard_holds(sqlite3 *handle, const struct wal_guard *guard)
{
    struct file_stamp wal = wal_of(handle);
    unsigned char header[WAL_HEADER_SIZE];

    if (!file_stamp_same_file(&wal, &guard->wal) || wal.size < guard->wal.size)
        return false;
    read_header(handle, header);
    return memcmp(header, guard->header, sizeof header) == 0;
}

bool wal_guard_is_missing(sqlite3 *handle, const struct wal_guard *guard)
{
    return guard->wal.inode != 0 && wal_of(handle).inode == 0;
}

void wal_guard_keep(sqlite3 *handle)
{
    if (handle != NULL)
        sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
}

void wal_guard_close(sqlite3 *handle, const struct wal_guard *guard)
{
    if (handle == NULL)
        return;
    struct file_stamp wal = wal_of(handle);
    if (guard->wal.inode != 0 && !file_stamp_same_file(&wal, &guard->wal))
        wal_guard_keep(handle);
    sqlite3_close_v2(handle);
}
