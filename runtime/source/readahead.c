/* Why a window is never stale: SQLite itself may read a page from the database file at any time of
 * a read transaction and expects the same content each time. What may be read from the file does
 * not change while the transaction's lock is held: with a rollback journal a SHARED lock keeps
 * writers from the file; with a WAL a checkpoint copies into the file only pages whose newest
 * version the reader takes from the WAL, and a reader that uses the file alone keeps checkpoints
 * away (SQLite documentation, "Write-Ahead Logging", "Concurrency"). So it is enough that
 * everything in the window was read within the current transaction. Transactions begin and end with
 * lock calls of the file or of the WAL's shared memory, and each of those empties the window here,
 * as does every write. */
#include "source/readahead.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct file {
    sqlite3_file base;
    sqlite3_io_methods methods; /* as many as the real file has */
    sqlite3_int64 last;         /* where the last read that was not in the window began */
    sqlite3_int64 start;        /* of the window in the file */
    int length;                 /* of its content; 0: empty */
    char *window;               /* NULL: no memory for one, so all reads are the real file's */
};

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;

/* The real file's struct lies behind ours, in the memory that SQLite gave for both. */
static sqlite3_file *real_of(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((struct file *)(void *)file + 1);
}

static void forget(sqlite3_file *file)
{
    ((struct file *)(void *)file)->length = 0;
}

static int file_close(sqlite3_file *base)
{
    struct file *file = (struct file *)(void *)base;

    free(file->window);
    file->window = NULL;
    return real_of(base)->pMethods->xClose(real_of(base));
}

/* Fills the window from an offset on; it stays empty if that fails or the file ends first. */
static void fill(struct file *file, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(&file->base);
    sqlite3_int64 size;

    file->length = 0;
    if (real->pMethods->xFileSize(real, &size) != SQLITE_OK || size <= offset)
        return;
    int length = size - offset < READAHEAD_WINDOW ? (int)(size - offset) : READAHEAD_WINDOW;
    if (real->pMethods->xRead(real, file->window, length, offset) != SQLITE_OK)
        return;
    file->start = offset;
    file->length = length;
}

static bool take(const struct file *file, void *out, int amount, sqlite3_int64 offset)
{
    if (offset < file->start || offset + amount > file->start + file->length)
        return false;
    memcpy(out, file->window + (offset - file->start), (size_t)amount);
    return true;
}

static int file_read(sqlite3_file *base, void *out, int amount, sqlite3_int64 offset)
{
    struct file *file = (struct file *)(void *)base;

    if (file->length > 0 && take(file, out, amount, offset))
        return SQLITE_OK;

    // Only a read shortly behind the one before looks like a scan: looking up single rows would
    // read a window for each.
    bool forward = offset > file->last && offset - file->last <= READAHEAD_WINDOW;
    file->last = offset;
    if (forward && file->window != NULL) {
        fill(file, offset);
        if (take(file, out, amount, offset))
            return SQLITE_OK;
    }
    return real_of(base)->pMethods->xRead(real_of(base), out, amount, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
    forget(file);
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, amount, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    forget(file);
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), out_size);
}

static int file_lock(sqlite3_file *file, int level)
{
    forget(file);
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    forget(file);
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_reserved_lock(sqlite3_file *file, int *out_result)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out_result);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
    forget(file);
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_device_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(
    sqlite3_file *file, int page, int page_size, int extend, void volatile **out_memory)
{
    forget(file);
    return real_of(file)->pMethods->xShmMap(real_of(file), page, page_size, extend, out_memory);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    forget(file);
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    forget(file);
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
    forget(file);
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

/* Without memory-mapped reads, which would go around the window and are slower for scans. */
static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_device_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(
    sqlite3_vfs *self, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
    struct file *file = (struct file *)(void *)base;

    (void)self;
    // Journals, WALs and temporary files are the real VFS's own, without a way through here.
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return real_vfs->xOpen(real_vfs, name, base, flags, out_flags);

    memset(file, 0, sizeof *file);
    int status = real_vfs->xOpen(real_vfs, name, real_of(base), flags, out_flags);
    // A file without methods is not open; SQLite closes one with methods, even on an error.
    if (real_of(base)->pMethods == NULL)
        return status;
    file->methods = file_methods;
    if (real_of(base)->pMethods->iVersion < 2)
        file->methods.iVersion = 1;
    file->last = -1;
    file->window = malloc(READAHEAD_WINDOW);
    base->pMethods = &file->methods;
    return status;
}

static void register_once(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    if (real_vfs == NULL)
        return;
    // All but opening files is the real one's, called with it as "self" by its own functions.
    vfs = *real_vfs;
    vfs.pNext = NULL;
    vfs.zName = "bqsync-readahead";
    vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    vfs.xOpen = vfs_open;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        real_vfs = NULL;
}

const char *readahead_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_once);
    return real_vfs != NULL ? vfs.zName : NULL;
}
