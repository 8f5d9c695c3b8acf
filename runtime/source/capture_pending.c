/* The part of capture.h that tells what is pending. */
#include "base/buffer.h"
#include "source/capture.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"
#include "source/tracking_schema.h"

static bool query(
    struct database *source, struct buffer *sql, int64_t first, int64_t second, int64_t *out_value,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!buffer_check(sql, "statement", err) ||
        !database_prepare(source, buffer_text(sql), &statement, err))
        return false;
    if (sqlite3_bind_parameter_count(statement) >= 1)
        sqlite3_bind_int64(statement, 1, first);
    if (sqlite3_bind_parameter_count(statement) >= 2)
        sqlite3_bind_int64(statement, 2, second);
    bool ok = database_step(source, statement, &row, err);
    if (ok)
        *out_value = row ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return ok;
}

/* what: "count(*)", or "1" for whether there is any. */
static bool query_new_rows(
    struct database *source, const struct table *table, const struct source_shape *shape,
    const struct watermark *watermark, const char *what, int64_t *out_value, struct error *err)
{
    struct buffer sql;

    *out_value = 0;
    if (!shape->integer_key)
        return true;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "select $r from ($r) limit 1", what, table->new_rows_sql);
    bool ok = query(source, &sql, watermark->last_synced_row_id, 0, out_value, err);
    buffer_clear(&sql);
    return ok;
}

static bool query_dirty_keys(
    struct database *source, const struct table *table, const struct source_shape *shape,
    const struct watermark *watermark, const char *what, int64_t *out_value, struct error *err)
{
    struct buffer sql;
    bool exists = false;

    *out_value = 0;
    if (!control_has_dirty_set(source, table->name, &exists, err))
        return false;
    if (!exists)
        return true;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(
        &sql, "select $r from $d where bq_sync_sequence > ?1$r limit 1", what, table->name,
        shape->integer_key ? " and bq_sync_key_1 <= ?2" : "");
    bool ok = query(
        source, &sql, watermark->synced_sequence, watermark->last_synced_row_id, out_value, err);
    buffer_clear(&sql);
    return ok;
}

bool capture_pending(
    struct database *source, const struct table *table, const struct source_shape *shape,
    const struct watermark *watermark, struct pending *out_pending, struct error *err)
{
    struct pending pending;

    if (!query_new_rows(source, table, shape, watermark, "count(*)", &pending.new_rows, err) ||
        !query_dirty_keys(source, table, shape, watermark, "count(*)", &pending.dirty_keys, err))
        return error_wrap(err, "pending changes of %s", table->name);
    *out_pending = pending;
    return true;
}

bool capture_has_pending(
    struct database *source, const struct table *table, const struct source_shape *shape,
    const struct watermark *watermark, bool *out_pending, struct error *err)
{
    int64_t found = 0;

    if (!query_new_rows(source, table, shape, watermark, "1", &found, err) ||
        (found == 0 && !query_dirty_keys(source, table, shape, watermark, "1", &found, err)))
        return error_wrap(err, "pending changes of %s", table->name);
    *out_pending = found == 1;
    return true;
}

bool capture_has_keyless(
    struct database *source, const struct table *table, const struct source_shape *shape,
    bool *out_keyless, struct error *err)
{
    struct buffer sql;
    int64_t found = 0;

    *out_keyless = false;
    if (shape->integer_key)
        return true;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "select 1 from $n where (", table->name);
    for (size_t i = 0; i < table->key_count; i++)
        sqlite_sql_append(&sql, "$r$n is null", i > 0 ? " or " : "", sqlite_sql_key_name(table, i));
    buffer_append_text(&sql, ")");
    if (table->where != NULL)
        buffer_printf(&sql, " and (%s)", table->where);
    buffer_append_text(&sql, " limit 1");
    if (!query(source, &sql, 0, 0, &found, err))
        found = -1;
    buffer_clear(&sql);
    *out_keyless = found == 1;
    return found >= 0 || error_wrap(err, "rows of %s without a key", table->name);
}
