/* The part of capture.h that lists a key as changed on request of a repair. */
#include "base/json_memory.h"
#include "source/capture.h"
#include "source/sqlite_sql.h"

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
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    char *json = json_print(key);
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, table, "insert or replace into $d($k, bq_sync_sequence) select ");
    append_paths(&sql, table, "json_extract", "", ", ");
    sqlite_sql_expand(
        &sql, table,
        ", coalesce((select sequence from bq_sync_capture where table_name = $t), 0) where ");
    append_paths(&sql, table, "json_type", " in ('integer', 'text')", " and ");
    if (json == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory");
        goto cleanup;
    }
    if (!buffer_check(&sql, "statement", err) ||
        !database_prepare(source, buffer_text(&sql), &statement, err))
        goto cleanup;
    sqlite3_bind_text(statement, 1, json, -1, SQLITE_STATIC);
    ok = database_step(source, statement, &row, err) &&
         (sqlite3_changes(source->handle) == 1 ||
          error_set(err, ERROR_LIMIT, "%s: not a key of integers and texts", table->name));

cleanup:
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    cJSON_free(json);
    return ok;
}
