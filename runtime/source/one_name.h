/* one_name: SQLite finds the -wal and the -journal of a database by its path. Through a second
 * name of the file it misses what is committed in the -wal of the first, begins a -wal of its own,
 * and two of them damage the database ("How To Corrupt An SQLite Database File", "Multiple links to
 * the same file"). Any thread. */
#ifndef BQSYNC_SOURCE_ONE_NAME_H
#define BQSYNC_SOURCE_ONE_NAME_H

#include "base/error.h"

#include <stdbool.h>

/* Whether the file has no name but this one, as far as the system says: ERROR_SOURCE if it has hard
 * links, or is a mount of its own, as a single file of another machine's folder in a container.
 * Symbolic links are no names: SQLite follows them. A file that does not exist has none. */
MUST_CHECK bool one_name_check(const char *path, struct error *err);

#endif
