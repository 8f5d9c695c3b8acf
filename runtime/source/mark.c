/* The part of capture.h that lists keys by hand. */
#include "source/capture.h"
#include "source/sqltext.h"

#include <stdlib.h>
#include <string.h>

static bool bind_value(sqlite3_stmt *statement, int at, const cJSON *value)
{
    if (cJSON_IsString(value))
        return sqlite3_bind_text(statement, at, value->valuestring, -1, SQLITE_TRANSIENT) ==
               SQLITE_OK;
    if (cJSON_IsRaw(value))
        return sqlite3_bind_int64(statement, at, strtoll(value->valuestring, NULL, 10)) ==
               SQLITE_OK;
    return cJSON_IsNumber(value) &&
           sqlite3_bind_int64(statement, at, (int64_t)value->valuedouble) == SQLITE_OK;
}

static bool bind_key(sqlite3_stmt *statement, const struct table *table, const cJSON *key)
{
    if (table->key_count == 1)
        return bind_value(statement, 1, key);
    for (size_t k = 0; k < table->key_count; k++)
        if (!bind_value(statement, (int)k + 1, cJSON_GetArrayItem(key, (int)k)))
            return false;
    return true;
}

bool capture_mark(
    struct database *source, const struct table *table, const cJSON *key, struct error *err)
{
    struct buffer sql;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    buffer_init(&sql, SQLTEXT_CEILING);
    sqltext_append(&sql, "insert or replace into $d(", table->name);
    sqltext_numbers(&sql, table, "bq_sync_key_$r", ", ");
    buffer_append_text(&sql, ", bq_sync_sequence) values(");
    sqltext_numbers(&sql, table, "?$r", ", ");
    sqltext_append(
        &sql, ", coalesce((select sequence from bq_sync_capture where table_name = $t), 0))",
        table->name);
    if (!buffer_check(&sql, "statement", err) ||
        !database_prepare(source, buffer_text(&sql), &statement, err))
        goto cleanup;
    if (!bind_key(statement, table, key)) {
        error_set(err, ERROR_LIMIT, "%s: not a key of integers and texts", table->name);
        goto cleanup;
    }
    ok = database_step(source, statement, &row, err);

cleanup:
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}
