/* readahead: the file of a main database, read ahead of a scan. SQLite reads a table page by page,
 * and a third of the time of a scan is those system calls. A file that is opened here reads up to
 * 128 KiB at once into a window of its own, and answers the next reads from it.
 *
 * Why that is as good as reading each page when SQLite asks for it: the window never outlives a
 * call of the file other than a read, and only such a call can begin or end the locks under which
 * a page may be read (SQLite 3.40 and 3.50: pager.c, wal.c).
 *
 * - Rollback journal: SQLite reads pages under a SHARED lock on the file, which keeps every writer
 *   from writing it. Lock and release are xLock and xUnlock. Our own writes are xWrite and
 *   xTruncate. Without the lock nothing is read ahead.
 * - WAL: a transaction holds a WAL_READ_LOCK from its first read to its end (both xShmLock), or, if
 *   the shared memory cannot be relied on, passes through xShmMap and xShmLock. While it lasts,
 *   other connections write the main file only by checkpoints. Of a page they copy a frame that is
 *   newer than nBackfill and not newer than the mark of any reader; with lock 0 held, none. The
 *   transaction looks for each page in just these frames first (minFrame is nBackfill + 1 of its
 *   begin, or lower than what a later checkpoint copies), so a page that a checkpoint writes, or
 *   truncates, is one that it reads from the WAL. Such pages may be torn in the window; nobody asks
 *   for them. Frames are recycled only when no reader holds a mark, and the WAL itself is not read
 *   ahead.
 * - A file opened with ?immutable=1 has no locks, because nobody changes it.
 *
 * The first bytes of the file, by which SQLite sees that others have changed it, are never in a
 * window, and reading them ends it. Whatever goes wrong while reading ahead (the end of the file, a
 * bad sector, no memory) is forgotten, and the read that SQLite asked for is passed on alone, so
 * results and errors are those of the file below.
 *
 * Each lock is taken in its turn (source/own_turn.h).
 *
 * A file belongs to one thread, as its connection does. */
#ifndef BQSYNC_SOURCE_READAHEAD_H
#define BQSYNC_SOURCE_READAHEAD_H

#include <sqlite3.h>

/* The most that a window holds; each file that is scanned has one until it is closed. */
#define READAHEAD_BYTES (128 * 1024)

/* How many bytes a file of readahead_open takes beyond the szOsFile of the VFS below. */
int readahead_size(void);

/* The xOpen of a VFS on top of `below`: opens the file there, and if it is a main database, reads
 * ahead. Parameters and result are those of xOpen (sqlite.org/c3ref/vfs.html); file has
 * below->szOsFile + readahead_size() bytes. */
int readahead_open(
    sqlite3_vfs *below, const char *name, sqlite3_file *file, int flags, int *out_flags);

#endif
