/* The part of capture.h that lists a key as changed on request of a repair. */
#include "base/json_memory.h"
#include "source/capture.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdlib.h>

/* The key's place in its JSON text: verify lists keys as JSON, and SQLite reads integers of 64 bits
 * out of it exactly. */
static void append_paths(
    struct buffer *sql, const struct table *table, const char *call, const char *test,
    const char *between)
{
    for (size_t k = 0; k < table->key_count; k++) {
        if (k > 0)
            buffer_append_text(sql, between);
        buffer_printf(sql, "%s(?1, '$", call);
        if (table->key_count > 1)
            buffer_printf(sql, "[%zu]", k);
        buffer_printf(sql, "')%s", test);
    }
}

bool capture_touch(
    struct database *source, const struct table *table, const cJSON *key, struct error *err)
{
    struct buffer sql;
    char *json = json_print(key);

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, table, "insert or replace into $d($k, bq_sync_sequence) select ");
    append_paths(&sql, table, "json_extract", "", ", ");
    sqlite_sql_expand(
        &sql, table,
        ", coalesce((select sequence from bq_sync_capture where table_name = $t), 0) where ");
    append_paths(&sql, table, "json_type", " in ('integer', 'text')", " and ");
    bool ok = json != NULL || error_set(err, ERROR_MEMORY, "out of memory");
    ok = ok && buffer_check(&sql, "statement", err) &&
         statement_run(source, buffer_text(&sql), err, "s", json) &&
         (sqlite3_changes(source->handle) == 1 ||
          error_set(err, ERROR_LIMIT, "%s: not a key of integers and texts", table->name));
    buffer_clear(&sql);
    free(json);
    return ok;
}
