#include "source/capture_collation.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

bool capture_collation_is_builtin(const char *collation)
{
    return strcasecmp(collation, "binary") == 0 || strcasecmp(collation, "nocase") == 0 ||
           strcasecmp(collation, "rtrim") == 0;
}

bool capture_collation_of_column_is_builtin(
    struct database *source, const char *table, const char *column, bool *out_builtin,
    struct error *err)
{
    const char *collation = NULL;

    if (sqlite3_table_column_metadata(
            source->handle, "main", table, column, NULL, &collation, NULL, NULL, NULL) != SQLITE_OK)
        return error_set(
            err, ERROR_SOURCE, "cannot read the collation of %s.%s: %s", table, column,
            sqlite3_errmsg(source->handle));
    *out_builtin = collation == NULL || capture_collation_is_builtin(collation);
    return true;
}

static int compare_bytes(
    void *context, int left_size, const void *left, int right_size, const void *right)
{
    (void)context;
    int order = memcmp(left, right, (size_t)(left_size < right_size ? left_size : right_size));

    return order != 0 ? order : left_size - right_size;
}

static void lend(void *context, sqlite3 *handle, int encoding, const char *name)
{
    (void)context;
    // Should it fail, SQLite says that there is no such collation.
    sqlite3_create_collation(handle, name, encoding, NULL, compare_bytes);
}

void capture_collation_lend(struct database *own)
{
    sqlite3_collation_needed(own->handle, NULL, lend);
}
