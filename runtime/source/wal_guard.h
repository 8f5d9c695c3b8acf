/* wal_guard: closes a connection so that a restored backup survives it. The last connection to a
 * database in WAL mode copies the WAL into the file when it closes, and deletes it by its name
 * (SQLite documentation, "Write-Ahead Logging"). It does neither if the file at its path is another
 * one by then. But a backup that is copied over the file in place, its WAL deleted, leaves the file
 * the same one: the old WAL would be copied over the backup. So a connection whose WAL is no longer
 * the one at its path closes without both. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_WAL_GUARD_H
#define BQSYNC_SOURCE_WAL_GUARD_H

#include "source/file_stamp.h"

#include <sqlite3.h>
#include <stdbool.h>

/* SQLite documentation, "Database File Format", "WAL Header". */
#define WAL_HEADER_SIZE 32

struct wal_guard {
    struct file_stamp wal; /* as the connection has it open; empty: it was not in WAL mode */
    unsigned char header[WAL_HEADER_SIZE]; /* zeros where there is none */
};

/* Called after a read of the connection, which opens the WAL. NULL is fine. */
void wal_guard_note(sqlite3 *handle, struct wal_guard *out_guard);

/* Whether the WAL at the path is the noted one, at most longer: the same file, with the same
 * header. Programs that write through SQLite start it over now and then, with a new salt in its
 * header, but only to commit. NULL is fine. */
bool wal_guard_holds(sqlite3 *handle, const struct wal_guard *guard);

/* Whether the noted WAL is gone and there is none in its place. NULL is fine. */
bool wal_guard_is_missing(sqlite3 *handle, const struct wal_guard *guard);

/* When the connection closes, it leaves file and WAL as they are. NULL is fine. */
void wal_guard_keep(sqlite3 *handle);

/* Closes the connection; its statements are finalized. NULL is fine. */
void wal_guard_close(sqlite3 *handle, const struct wal_guard *guard);

#endif
