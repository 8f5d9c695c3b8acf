/* own_turn: the locks that connections of this process take on one database file, in an order in
 * which none of them waits for another one while it keeps the application out.
 *
 * With a rollback journal, a commit waits until nobody reads: it takes a PENDING lock, with which
 * nobody else can begin to read or write, and keeps it until the last reader has ended (SQLite
 * documentation, "File Locking And Concurrency"). If that reader is a thread of this process that
 * reads the state beside the source, through a second connection, it waits for the commit in turn.
 * So one of the two has to wait before it holds anything:
 *
 * - A write transaction begins (RESERVED) only while no other connection of this process reads the
 *   file. SQLite releases its SHARED lock before it waits, so a waiting connection holds no lock.
 * - While a thread of this process writes the file, no other thread begins to read it. The thread
 *   itself may, through another connection.
 * - A thread that reads the file already may always read it through another connection too: as long
 *   as it does, none of this process writes.
 * - Otherwise readers and writers are served in the order of their first attempts (a writer that
 *   waited for another writer counts from then on), so that neither waits for ever.
 *
 * In WAL mode SQLite takes no RESERVED lock, so nobody waits here: readers and writers do not wait
 * for each other there. Locks of other processes are left to SQLite. */
#ifndef BQSYNC_SOURCE_OWN_TURN_H
#define BQSYNC_SOURCE_OWN_TURN_H

#include <sqlite3.h>
#include <stdbool.h>

struct own_turn;

/* For a file that is open by that path now. NULL: there is no memory. Returned owned. */
struct own_turn *own_turn_new(const char *path);
/* When the file is closed. NULL is fine. */
void own_turn_free(struct own_turn *turn);

/* xLock and xUnlock of that file (sqlite.org/c3ref/io_methods.html); SQLITE_BUSY if it is not the
 * turn of this connection. turn NULL: without any order. */
int own_turn_lock(struct own_turn *turn, sqlite3_file *file, int level);
int own_turn_unlock(struct own_turn *turn, sqlite3_file *file, int level);

/* Whether the last lock that this thread did not get was refused for another connection of this
 * process. */
bool own_turn_was_refused(void);

#endif
