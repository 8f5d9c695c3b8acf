#include "source/capture_collation.h"

#include "source/database_error.h"
#include "source/lent_collation.h"

#include <stddef.h>

bool capture_collation_of_column(
    struct database *source, const char *table, const char *column, const char **out_collation,
    struct error *err)
{
    const char *collation = NULL;

    if (sqlite3_table_column_metadata(
            source->handle, "main", table, column, NULL, &collation, NULL, NULL, NULL) != SQLITE_OK)
        return database_fail(source->handle, source->path, "the collation of a column", err) ||
               error_wrap(err, "%s.%s", table, column);
    *out_collation = collation == NULL ? "binary" : collation;
    return true;
}

bool capture_collation_of_column_is_builtin(
    struct database *source, const char *table, const char *column, bool *out_builtin,
    struct error *err)
{
    const char *collation = NULL;

    if (!capture_collation_of_column(source, table, column, &collation, err))
        return false;
    *out_builtin = lent_collation_is_builtin(collation);
    return true;
}
