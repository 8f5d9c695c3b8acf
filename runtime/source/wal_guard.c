#include "source/wal_guard.h"

#include <stddef.h>

static struct file_stamp wal_of(sqlite3 *handle)
{
    const char *name = handle == NULL ? NULL : sqlite3_db_filename(handle, "main");
    struct file_stamp wal = {0};

    if (name != NULL && name[0] != '\0')
        (void)file_stamp_read(sqlite3_filename_wal(name), &wal);
    return wal;
}

void wal_guard_note(sqlite3 *handle, struct wal_guard *out_guard)
{
    out_guard->wal = wal_of(handle);
}

void wal_guard_close(sqlite3 *handle, const struct wal_guard *guard)
{
    if (handle == NULL)
        return;
    struct file_stamp wal = wal_of(handle);
    if (guard->wal.inode != 0 && !file_stamp_same_file(&wal, &guard->wal))
        sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    sqlite3_close_v2(handle);
}
