#include "source/capture_collation.h"

#include "source/lent_collation.h"

#include <stddef.h>

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
    *out_builtin = collation == NULL || lent_collation_is_builtin(collation);
    return true;
}
