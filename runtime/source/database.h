/* database: one SQLite connection, with the errors, pragmas and statement helpers everything above
 * shares. Belongs to the thread that opened it. Messages name the file and what was being done. */
#ifndef BQSYNC_SOURCE_DATABASE_H
#define BQSYNC_SOURCE_DATABASE_H

#include "base/error.h"
#include "source/wal_guard.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum database_access {
    DATABASE_READ,   /* an existing file, never written by us */
    DATABASE_WRITE,  /* an existing file */
    DATABASE_CREATE, /* made if it does not exist */
};

/* How long statements of a pass wait for the application's locks before a table, or the pass, gives
 * up. */
#define DATABASE_PATIENCE_MS 20000

struct commits;
struct kept_statements;
struct lent_collations;

struct database {
    sqlite3 *handle;
    char *path;
    struct kept_statements *kept;
    sqlite3_stmt *rollback;
    struct wal_guard guard;
    struct lent_collations *lent; /* in place of the application's, see source/lent_collation.h */
    /* Whom the transactions of this connection tell that they are ours; borrowed. NULL, as
     * database_open leaves it: nobody asks. */
    struct commits *commits;
    bool entered; /* commits_enter, and not left yet */
};

/* A file to be opened, and who is to be told of its commits; both borrowed. */
struct database_place {
    const char *path;
    struct commits *commits; /* may be NULL */
};

/* Opens and checks that it is a database. path may be "file:PATH?immutable=1" for reading a file
 * that nobody changes (url_is_immutable_file). busy_timeout_ms: how long a statement waits for
 * other connections' locks. ERROR_SOURCE names the path and says what is wrong (missing, not a
 * database, no rights, damaged); ERROR_BUSY. */
MUST_CHECK bool database_open(
    const char *path, enum database_access access, int busy_timeout_ms,
    struct database *out_database, struct error *err);
void database_close(struct database *database);

/* One statement without results, or a script of them. */
MUST_CHECK bool database_exec(struct database *database, const char *sql, struct error *err);

/* Returns owned (sqlite3_finalize). */
MUST_CHECK bool database_prepare(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err);

/* The same for a statement that is needed again and again, for each table or at each answer: it
 * stays prepared as long as the connection is open. Borrowed until database_give_back, which also
 * unbinds its parameters; NULL is fine there. */
MUST_CHECK bool database_keep(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err);
void database_give_back(sqlite3_stmt *statement);

/* Whether a call that binds a parameter, of which this is the result, has succeeded. SQLite copies
 * or converts what it is given, and without memory it leaves the parameter as it was: ERROR_MEMORY.
 */
MUST_CHECK bool database_bound(struct database *database, int result, struct error *err);

/* Steps once: *out_row says whether there is a row. */
MUST_CHECK bool database_step(
    struct database *database, sqlite3_stmt *statement, bool *out_row, struct error *err);

/* After a failed step: whether the statement itself is why, such as a function that refuses a
 * value, and neither a lock, the file nor memory. */
bool database_is_own_fault(const struct database *database);

/* After a failed step: what SQLite says of it, up to what it quotes of a value. Returns out. */
const char *database_words(const struct database *database, char *out, size_t size);

/* The first column of the first row as an integer; fallback if there is no row or it is NULL. */
MUST_CHECK bool database_query_int64(
    struct database *database, const char *sql, int64_t fallback, int64_t *out_value,
    struct error *err);

/* Whether a table of that name, in whatever case, exists in the main database. */
MUST_CHECK bool database_has_table(
    struct database *database, const char *name, bool *out_exists, struct error *err);
/* The same for a column of a table. */
MUST_CHECK bool database_has_column(
    struct database *database, const char *table, const char *column, bool *out_exists,
    struct error *err);

/* How a database stores its texts. */
enum database_encoding { DATABASE_UTF8, DATABASE_UTF16LE, DATABASE_UTF16BE };

/* Of the main database of a connection, which may be one that SQLite hands to a function. */
MUST_CHECK bool database_read_encoding(
    sqlite3 *handle, enum database_encoding *out_encoding, struct error *err);

/* BEGIN IMMEDIATE / COMMIT / ROLLBACK; rollback never fails. */
MUST_CHECK bool database_begin(struct database *database, struct error *err);
MUST_CHECK bool database_commit(struct database *database, struct error *err);
void database_rollback(struct database *database);

/* Opens a read transaction and takes its snapshot now (a bare BEGIN would take it at the first
 * read). */
MUST_CHECK bool database_begin_snapshot(struct database *database, struct error *err);

/* "wal", "delete" and so on, in the caller's bytes. */
MUST_CHECK bool database_journal_mode(
    struct database *database, char out_mode[16], struct error *err);

#endif
