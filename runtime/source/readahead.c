#include "source/readahead.h"

#include "source/own_turn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Pages may be 64 KiB; two of them fit. */
#define SIZE_MAX_BYTES READAHEAD_BYTES
#define SIZE_MIN_BYTES (16 * 1024)

/* The header of a database is in its first sector, whatever the size of its pages. */
#define HEADER_BYTES 512

struct readahead {
    sqlite3_file file; /* first: what SQLite sees */
    sqlite3_io_methods methods;
    sqlite3_file *below;
    struct own_turn *turn; /* NULL: the file has no name */
    bool locked;           /* SHARED or more, or immutable */

    uint8_t *bytes; /* the window's; NULL until there is a scan */
    int64_t start;
    int length; /* 0: there is no window */

    /* How far to read ahead, which only speed depends on. */
    int size;            /* of the next window */
    int filled;          /* size of the last one, 0: none */
    int64_t used;        /* what was read from it */
    int64_t passed;      /* where the last read ended that was not from a window */
    int adjacent_passes; /* how many of those began where the one before ended */
};

static struct readahead *of(sqlite3_file *file)
{
    return (struct readahead *)(void *)file;
}

/* The file below, whose call may end what the window rests on. */
static sqlite3_file *end_window(sqlite3_file *file)
{
    struct readahead *r = of(file);

    r->length = 0;
    return r->below;
}

/* --- reading ------------------------------------------------------------------------------ */

static bool is_in_window(const struct readahead *r, int amount, int64_t offset)
{
    return offset >= r->start && offset + amount <= r->start + r->length;
}

/* A scan skips pages (those of its index, of other tables), and comes back from them. */
static bool continues_window(const struct readahead *r, int64_t offset)
{
    return r->filled > 0 && offset > r->start && offset - r->start < (int64_t)r->filled + r->size;
}

static bool is_scan(const struct readahead *r, int64_t offset)
{
    return continues_window(r, offset) || (r->adjacent_passes > 0 && offset == r->passed);
}

/* Decides on the size of the next window: twice the last one if half of that was used, else half
 * of it. False if that is too small to be worth it: then the next scan starts over. */
static bool choose_size(struct readahead *r, int amount)
{
    if (r->filled > 0)
        r->size = r->used * 2 >= r->filled ? r->size * 2 : r->size / 2;
    bool worth_it = r->size >= SIZE_MIN_BYTES;
    r->filled = 0;
    if (!worth_it) {
        r->size = SIZE_MIN_BYTES;
        r->adjacent_passes = 0;
        return false;
    }
    if (r->size < 2 * amount)
        r->size = 2 * amount;
    if (r->size > SIZE_MAX_BYTES)
        r->size = SIZE_MAX_BYTES;
    return amount <= r->size;
}

/* Fills the window from offset on, if the read is part of a scan. */
static bool fill(struct readahead *r, int amount, int64_t offset)
{
    if (!r->locked || !is_scan(r, offset) || !choose_size(r, amount))
        return false;
    if (r->bytes == NULL && (r->bytes = malloc(SIZE_MAX_BYTES)) == NULL)
        return false;
    r->start = offset;
    r->filled = r->size;
    r->used = 0;
    r->length = 0;
    // At the end of the file too much is asked for; the next window is smaller.
    if (r->below->pMethods->xRead(r->below, r->bytes, r->size, offset) != SQLITE_OK)
        return false;
    r->length = r->size;
    return true;
}

static int pass(struct readahead *r, void *out, int amount, int64_t offset)
{
    r->adjacent_passes = offset == r->passed ? r->adjacent_passes + 1 : 0;
    r->passed = offset + amount;
    return r->below->pMethods->xRead(r->below, out, amount, offset);
}

static int read_ahead(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    struct readahead *r = of(file);

    if (offset < HEADER_BYTES) {
        end_window(file);
        return pass(r, out, amount, offset);
    }
    if (!is_in_window(r, amount, offset) && !fill(r, amount, offset))
        return pass(r, out, amount, offset);
    memcpy(out, r->bytes + (offset - r->start), (size_t)amount);
    r->used += amount;
    return SQLITE_OK;
}

/* --- all other calls ---------------------------------------------------------------------- */

static int close_file(sqlite3_file *file)
{
    sqlite3_file *below = end_window(file);

    free(of(file)->bytes);
    of(file)->bytes = NULL;
    int result = below->pMethods->xClose(below);
    own_turn_free(of(file)->turn);
    of(file)->turn = NULL;
    return result;
}

static int write_file(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xWrite(below, bytes, amount, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xTruncate(below, size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xSync(below, flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out_size)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xFileSize(below, out_size);
}

static int lock_file(sqlite3_file *file, int level)
{
    sqlite3_file *below = end_window(file);
    int result = own_turn_lock(of(file)->turn, below, level);

    if (result == SQLITE_OK && level >= SQLITE_LOCK_SHARED)
        of(file)->locked = true;
    return result;
}

static int unlock_file(sqlite3_file *file, int level)
{
    sqlite3_file *below = end_window(file);

    if (level < SQLITE_LOCK_SHARED)
        of(file)->locked = false;
    return own_turn_unlock(of(file)->turn, below, level);
}

static int check_reserved(sqlite3_file *file, int *out_reserved)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xCheckReservedLock(below, out_reserved);
}

static int control_file(sqlite3_file *file, int operation, void *argument)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xFileControl(below, operation, argument);
}

static int sector_size(sqlite3_file *file)
{
    sqlite3_file *below = of(file)->below;

    return below->pMethods->xSectorSize(below);
}

/* SQLite asks this between reads of pages. */
static int characteristics(sqlite3_file *file)
{
    sqlite3_file *below = of(file)->below;

    return below->pMethods->xDeviceCharacteristics(below);
}

static int shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out_memory)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xShmMap(below, page, size, extend, out_memory);
}

static int shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xShmLock(below, offset, count, flags);
}

static void shm_barrier(sqlite3_file *file)
{
    sqlite3_file *below = end_window(file);

    below->pMethods->xShmBarrier(below);
}

static int shm_unmap(sqlite3_file *file, int delete_it)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xShmUnmap(below, delete_it);
}

static int fetch(sqlite3_file *file, sqlite3_int64 offset, int amount, void **out_page)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xFetch(below, offset, amount, out_page);
}

static int unfetch(sqlite3_file *file, sqlite3_int64 offset, void *page)
{
    sqlite3_file *below = end_window(file);

    return below->pMethods->xUnfetch(below, offset, page);
}

/* --- opening ------------------------------------------------------------------------------ */

static const sqlite3_io_methods all_methods = {
    .iVersion = 3,
    .xClose = close_file,
    .xRead = read_ahead,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
    .xFetch = fetch,
    .xUnfetch = unfetch,
};

/* What the file below can do, in our methods: SQLite asks the version first, then for xShmMap. */
static sqlite3_io_methods methods_for(const sqlite3_io_methods *below)
{
    sqlite3_io_methods methods = all_methods;

    if (below->iVersion < methods.iVersion)
        methods.iVersion = below->iVersion;
    if (below->iVersion < 2 || below->xShmMap == NULL)
        methods.xShmMap = NULL;
    if (below->iVersion < 3 || below->xFetch == NULL)
        methods.xFetch = NULL;
    return methods;
}

int readahead_size(void)
{
    size_t align = _Alignof(max_align_t);

    return (int)((sizeof(struct readahead) + align - 1) / align * align);
}

int readahead_open(
    sqlite3_vfs *below, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct readahead *r = of(file);

    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return below->xOpen(below, name, file, flags, out_flags);
    *r = (struct readahead){
        .below = (sqlite3_file *)(void *)((uint8_t *)(void *)file + readahead_size()),
        .size = SIZE_MIN_BYTES,
        .passed = -1,
    };
    r->below->pMethods = NULL;
    int result = below->xOpen(below, name, r->below, flags, out_flags);
    if (result != SQLITE_OK) {
        // A file without methods is not closed by SQLite.
        if (r->below->pMethods != NULL)
            r->below->pMethods->xClose(r->below);
        return result;
    }
    if (name != NULL && (r->turn = own_turn_new(name)) == NULL) {
        r->below->pMethods->xClose(r->below);
        return SQLITE_NOMEM;
    }
    r->locked = name != NULL && sqlite3_uri_boolean(name, "immutable", 0) != 0;
    r->methods = methods_for(r->below->pMethods);
    r->file.pMethods = &r->methods;
    return SQLITE_OK;
}
