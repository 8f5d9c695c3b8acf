/* database_error: SQLite's errors as ours: their code, what the system said, what a person can do.
 * Belongs to the thread of the connection. */
#ifndef BQSYNC_SOURCE_DATABASE_ERROR_H
#define BQSYNC_SOURCE_DATABASE_ERROR_H

#include "base/error.h"

#include <sqlite3.h>

/* Translates the connection's last error: code by SQLite's result code, message "doing: what SQLite
 * says (path)". A file that can't be opened may be one that sidecar.c refused to make, which SQLite
 * has no words for. Returns false. */
bool database_fail(sqlite3 *handle, const char *path, const char *doing, struct error *err);

/* ERROR_SOURCE: the database cannot be used, although its rights allow it. The sandbox of the
 * service is what they do not tell of. what: "could be opened only for reading". Returns false. */
bool database_fail_confined(const char *path, const char *what, struct error *err);

#endif
