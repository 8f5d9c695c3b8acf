/* The part of capture.h that counts what is pending. */
#include "base/buffer.h"
#include "source/capture.h"
#include "source/capture_objects.h"
#include "source/filter_step.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

/* The counters that the statements below start from: ?1 and ?2, as far as they occur. They are
 * kept, because a status asks the same after every commit of the application. */
static bool query(
    const struct source_table *in, struct buffer *sql, const int64_t bounds[2], int64_t *out_value,
    struct error *err)
{
    struct database *source = in->source;
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!buffer_check(sql, "statement", err) ||
        !database_keep(source, buffer_text(sql), &statement, err))
        return false;
    int count = sqlite3_bind_parameter_count(statement);
    for (int i = 0; i < 2 && i < count; i++)
        sqlite3_bind_int64(statement, i + 1, bounds[i]);
    bool ok = filter_step(source, in->table, statement, &row, err);
    if (ok)
        *out_value = row ? sqlite3_column_int64(statement, 0) : 0;
    database_give_back(statement);
    return ok;
}

/* Statements here name no columns but the key and the filter's: for those of a subquery SQLite
 * looks up the collations, and the application's own are unknown on this connection.
 *
 * what: "count(*)", or "1" for whether there is any. */
static bool query_new_rows(
    const struct source_table *in, const struct watermark *watermark, const char *what,
    int64_t *out_value, struct error *err)
{
    const int64_t bounds[2] = {watermark->last_synced_row_id, 0};
    struct buffer sql;

    *out_value = 0;
    if (!in->shape->integer_key)
        return true;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(
        &sql, "select $r from $n where $n > ?1", what, in->table->name,
        sqlite_sql_key_name(in->table, 0));
    sqlite_sql_append_filter(&sql, in->table);
    buffer_append_text(&sql, " limit 1");
    bool ok = query(in, &sql, bounds, out_value, err);
    buffer_clear(&sql);
    return ok;
}

static bool query_dirty_keys(
    const struct source_table *in, const struct watermark *watermark, const char *what,
    const char *condition, int64_t *out_value, struct error *err)
{
    const int64_t bounds[2] = {watermark->synced_sequence, watermark->last_synced_row_id};
    struct buffer sql;
    bool exists = false;

    *out_value = 0;
    if (!capture_objects_has_dirty_set(in->source, in->table->name, &exists, err))
        return false;
    if (!exists)
        return true;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(
        &sql, "select $r from $d where bq_sync_sequence > ?1$r$r limit 1", what, in->table->name,
        in->shape->integer_key ? " and bq_sync_key_1 <= ?2" : "", condition);
    bool ok = query(in, &sql, bounds, out_value, err);
    buffer_clear(&sql);
    return ok;
}

bool capture_count_rows(const struct source_table *in, int64_t *out_count, struct error *err)
{
    const int64_t none[2] = {0};
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "select count(*) from $n where 1", in->table->name);
    sqlite_sql_append_filter(&sql, in->table);
    bool ok = query(in, &sql, none, out_count, err);
    buffer_clear(&sql);
    return ok;
}

bool capture_pending(
    const struct source_table *in, const struct watermark *watermark, struct pending *out_pending,
    struct error *err)
{
    struct pending pending;

    if (!query_new_rows(in, watermark, "count(*)", &pending.new_rows, err) ||
        !query_dirty_keys(
            in, watermark, "count(*)", " and bq_sync_sequence < " CAPTURE_SEQUENCE_REJECTED_SQL,
            &pending.dirty_keys, err) ||
        !query_dirty_keys(
            in, watermark, "count(*)", " and bq_sync_sequence = " CAPTURE_SEQUENCE_REJECTED_SQL,
            &pending.rejected_keys, err))
        return filter_wrap(err, "pending changes of", in->table);
    *out_pending = pending;
    return true;
}

bool capture_prepare_rejected(
    const struct source_table *in, sqlite3_stmt **out_statement, struct error *err)
{
    struct buffer sql;
    bool exists = false;

    *out_statement = NULL;
    if (!capture_objects_has_dirty_set(in->source, in->table->name, &exists, err))
        return false;
    if (!exists)
        return true;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(
        &sql, in->table,
        "select 1 from $d where $w and bq_sync_sequence = " CAPTURE_SEQUENCE_REJECTED_SQL);
    bool ok = statement_prepare_buffer(in->source, &sql, out_statement, err);
    buffer_clear(&sql);
    return ok;
}

/* "exists (select 1 from users where id > ?1)", with the filter or without; "0" for a table whose
 * new rows are not told by their key. */
enum new_rows { NEW_ROWS_THAT_PASS, NEW_ROWS_ALL };

static void append_new_rows(struct buffer *sql, const struct source_table *in, enum new_rows which)
{
    if (!in->shape->integer_key) {
        buffer_append_text(sql, "0");
        return;
    }
    sqlite_sql_append(
        sql, "exists (select 1 from $n where $n > ?1", in->table->name,
        sqlite_sql_key_name(in->table, 0));
    if (which == NEW_ROWS_THAT_PASS)
        sqlite_sql_append_filter(sql, in->table);
    buffer_append_text(sql, ")");
}

/* One statement answers all: preparing it is what such a question costs. */
static void append_look(struct buffer *sql, const struct source_table *in, bool listed)
{
    const char *above = in->shape->integer_key ? " and bq_sync_key_1 <= ?1" : "";

    buffer_append_text(sql, "select ");
    append_new_rows(sql, in, NEW_ROWS_THAT_PASS);
    if (listed)
        sqlite_sql_append(
            sql,
            " or exists (select 1 from $d where bq_sync_sequence > ?2"
            " and bq_sync_sequence < " CAPTURE_SEQUENCE_REJECTED_SQL
            "$r), (select count(*) from $d where bq_sync_sequence = " CAPTURE_SEQUENCE_REJECTED_SQL
            "$r), ",
            in->table->name, above, in->table->name, above);
    else
        buffer_append_text(sql, ", 0, ");
    if (in->table->where == NULL)
        buffer_append_text(sql, "0");
    else
        append_new_rows(sql, in, NEW_ROWS_ALL);
}

bool capture_look(
    const struct source_table *in, const struct watermark *watermark, struct capture_look *out_look,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    bool listed = false;
    bool row = false;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    bool ok = capture_objects_has_dirty_set(in->source, in->table->name, &listed, err);
    append_look(&sql, in, listed);
    ok = ok && buffer_check(&sql, "statement", err) &&
         database_keep(in->source, buffer_text(&sql), &statement, err);
    buffer_clear(&sql);
    if (ok) {
        sqlite3_bind_int64(statement, 1, watermark->last_synced_row_id);
        sqlite3_bind_int64(statement, 2, watermark->synced_sequence);
        ok = filter_step(in->source, in->table, statement, &row, err);
    }
    if (ok)
        *out_look = (struct capture_look){
            .pending = sqlite3_column_int(statement, 0) != 0,
            .rejected_keys = sqlite3_column_int64(statement, 1),
            .left_out = sqlite3_column_int(statement, 2) != 0,
        };
    database_give_back(statement);
    return ok || filter_wrap(err, "pending changes of", in->table);
}

void capture_append_keyless_sql(struct buffer *sql, const struct table *table)
{
    // Not around scan_sql: in a subquery SQLite gives a column that is called "true" another name.
    buffer_printf(sql, "%s\n%s (0", table->scan_sql, table->where != NULL ? "and" : "where");
    for (size_t i = 0; i < table->key_count; i++)
        sqlite_sql_append(sql, " or $n.$n is null", table->name, sqlite_sql_key_name(table, i));
    buffer_append_text(sql, ")");
}
