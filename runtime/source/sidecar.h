/* sidecar: the files beside a database (-wal, -shm, -journal, the lock file), made so that the
 * owner of the database can use them. SQLite gives them the mode of the database, but only root can
 * also give them its owner; a file of another user keeps the application out of its own database.
 * So they are made here, with the owner, group and mode of the database, or not at all. Any thread.
 */
#ifndef BQSYNC_SOURCE_SIDECAR_H
#define BQSYNC_SOURCE_SIDECAR_H

#include "base/error.h"

#include <stdbool.h>

/* Of the files that source/lock.h keeps there. */
#define SIDECAR_LOCK_SUFFIX    ".bqsync-lock"
#define SIDECAR_SERVICE_SUFFIX ".bqsync-serve"

/* Makes the file at path, empty, if it does not exist and would otherwise get another owner, group
 * or mode than the database. A database that does not exist yet stands for its folder: what root
 * makes there belongs to the folder's owner. Does nothing, successfully, if nothing can be created
 * in the folder: then the caller's own attempt fails and says why. ERROR_SOURCE names both users
 * and the fix if the owner of the database could not use the file; then nothing is left. */
MUST_CHECK bool sidecar_make(const char *database_path, const char *path, struct error *err);

/* The same for a file that SQLite does not make, and so does not give the mode of the database:
 * also beside a database of ours, whatever our umask is. */
MUST_CHECK bool sidecar_make_own(const char *database_path, const char *path, struct error *err);

/* Whether the open file may be written: a regular one, without another name (which somebody may
 * have made for a file that we alone can write), which is ours, or which the owner of the database
 * can write as well. ERROR_SOURCE names the file and the fix. */
MUST_CHECK bool sidecar_accept(
    const char *database_path, const char *path, int fd, struct error *err);

/* Changes an accepted file from an earlier run: run by root, it gives the file the owner and group
 * of the database; of a file that is ours it removes the rights that the database does not give. */
void sidecar_adopt(const char *database_path, int fd);

/* Whether the owner of the database can use the files that are beside it, and those that a
 * connection of this process would make. ERROR_SOURCE as above, or names the file and its owner. */
MUST_CHECK bool sidecar_check(const char *database_path, struct error *err);

/* The name of an SQLite VFS that does all that the default one does, makes each file beside a
 * database with sidecar_make first, and reads the database ahead of a scan (source/readahead.h).
 * NULL if it can't be registered, for lack of memory. */
const char *sidecar_vfs(void);

#endif
