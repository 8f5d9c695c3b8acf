/* lent_collation: what SQLite gets in place of a collation that only the application has. Without
 * one it can read neither a table whose primary key compares by it (WITHOUT ROWID) nor, for ALTER
 * TABLE ... RENAME, a schema with one in an index.
 *
 * It never compares. A statement for which SQLite asks it to has no right answer here, and has to
 * fail; one that reads all rows, or in the order of an index, does not ask. Belongs to the thread
 * of its connection. */
#ifndef BQSYNC_SOURCE_LENT_COLLATION_H
#define BQSYNC_SOURCE_LENT_COLLATION_H

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>

struct lent_collations {
    /* The name of the collation that SQLite has asked to compare, or its beginning; "" if none. */
    char asked[64];
};

/* SQLite documentation, "Datatypes In SQLite", section 7: BINARY, NOCASE and RTRIM, which are never
 * lent. */
bool lent_collation_is_builtin(const char *name);

/* From now on the connection knows every collation. lent is borrowed, for as long as statements
 * run on it. */
void lent_collations_offer(struct lent_collations *lent, sqlite3 *handle);

/* Whether no comparison was asked for since the last call; else *err names the collation. lent may
 * be NULL, of a connection that is another's: its owner asks. */
MUST_CHECK bool lent_collations_check(struct lent_collations *lent, struct error *err);

#endif
