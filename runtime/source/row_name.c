#include "source/row_name.h"

#include "base/text_fit.h"
#include "source/sqlite_sql.h"

#include <inttypes.h>
#include <string.h>

static const char *value(sqlite3_stmt *row, int column)
{
    const char *text = NULL;

    if (sqlite3_column_type(row, column) == SQLITE_BLOB)
        return "a blob";
    text = (const char *)sqlite3_column_text(row, column);
    return text == NULL ? "NULL" : text;
}

void row_name(
    const struct table *table, sqlite3_stmt *row, const size_t *columns, char *out, size_t size)
{
    text_format(out, size, "the row with ");
    for (size_t i = 0; i < table->key_count; i++) {
        size_t used = strlen(out);
        text_format(
            out + used, size - used, "%s%s = %s", i > 0 ? ", " : "", sqlite_sql_key_name(table, i),
            value(row, (int)(columns == NULL ? i : columns[i])));
    }
}

void row_name_by_number(int64_t number, char *out, size_t size)
{
    text_format(out, size, "the row number %" PRId64, number);
}
