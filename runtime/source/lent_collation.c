#include "source/lent_collation.h"

#include <stdlib.h>
#include <string.h>

struct lent_collation {
    struct lent_collations *all;
    char name[];
};

static int refuse(void *context, int left_size, const void *left, int right_size, const void *right)
{
    const struct lent_collation *lent = context;

    (void)left_size;
    (void)left;
    (void)right_size;
    (void)right;
    sqlite3_snprintf(sizeof lent->all->asked, lent->all->asked, "%s", lent->name);
    return 0;
}

bool lent_collation_is_builtin(const char *name)
{
    return sqlite3_stricmp(name, "binary") == 0 || sqlite3_stricmp(name, "nocase") == 0 ||
           sqlite3_stricmp(name, "rtrim") == 0;
}

/* Should it fail, SQLite says that there is no such collation. In a database of UTF-16 SQLite asks
 * for NOCASE and RTRIM, too, and makes them of those that it has if it gets none; by one that calls
 * all texts equal, ALTER TABLE would find the wrong rows of the schema. */
static void lend(void *context, sqlite3 *handle, int encoding, const char *name)
{
    size_t size = strlen(name) + 1;

    if (lent_collation_is_builtin(name))
        return;
    struct lent_collation *lent = malloc(sizeof *lent + size);
    if (lent == NULL)
        return;
    lent->all = context;
    memcpy(lent->name, name, size);
    if (sqlite3_create_collation_v2(handle, name, encoding, lent, refuse, free) != SQLITE_OK)
        free(lent);
}

void lent_collations_offer(struct lent_collations *lent, sqlite3 *handle)
{
    sqlite3_collation_needed(handle, lent, lend);
}

bool lent_collations_check(struct lent_collations *lent, struct error *err)
{
    if (lent == NULL || lent->asked[0] == '\0')
        return true;
    error_set(
        err, ERROR_SOURCE, "compares by the collation %s, which only the application has",
        lent->asked);
    lent->asked[0] = '\0';
    return false;
}
