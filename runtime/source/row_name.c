#include "source/row_name.h"

#include "base/text_fit.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <inttypes.h>
#include <string.h>

static const char *value(sqlite3_stmt *row, int column)
{
    int type = sqlite3_column_type(row, column);

    return type == SQLITE_BLOB   ? "a blob"
           : type == SQLITE_NULL ? "NULL"
                                 : statement_borrow_text(row, column);
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
