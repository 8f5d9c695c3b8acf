/* readahead: a SQLite VFS for scans. It is the system's default one, except that reads of a
 * database file that go forward are served from a window of READAHEAD_WINDOW bytes read at once: a
 * scan spends a third of its time in system calls for single pages otherwise. Each open file has
 * its own window; the thread rules are SQLite's own. */
#ifndef BQSYNC_SOURCE_READAHEAD_H
#define BQSYNC_SOURCE_READAHEAD_H

#define READAHEAD_WINDOW (128 * 1024)

/* The name to open a database with (sqlite3_open_v2), registered at the first call; NULL if SQLite
 * does not take it, which also means "the default VFS" there. Any thread may call it. */
const char *readahead_vfs(void);

#endif
