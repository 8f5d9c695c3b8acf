#include "source/rejects.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "source/capture_objects.h"
#include "source/json_key.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdlib.h>

/* Rows a transaction: some milliseconds of write lock on a slow disk. */
#define CHUNK_ROWS 2000
/* SQLite's own ceiling of a text is a billion bytes; a key beyond this is an error. */
#define KEY_CEILING (64 << 20)

#define COLLECTION "temp.bq_sync_collected"

bool rejects_begin(struct tracking *tracking, const struct table *table, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, 1 << 16);
    buffer_append_text(
        &sql, "drop table if exists " COLLECTION ";\n"
              "create table " COLLECTION "(number integer primary key, key_json, column_name,"
              " storage_class, reason");
    for (size_t i = 0; i < table->key_count; i++)
        buffer_printf(&sql, ", key_%zu", i + 1);
    buffer_append_text(&sql, ", unique (key_json, column_name));");
    bool ok = buffer_check(&sql, "statement", err) &&
              database_exec(&tracking->database, buffer_text(&sql), err);
    buffer_clear(&sql);
    return ok || error_wrap(err, "rejected rows of %s", table->name);
}

static bool insert_collected(
    struct database *database, const struct table *table, sqlite3_stmt *row, struct slice key_json,
    const struct bad_value *value, struct error *err)
{
    const char *texts[] = {table->columns[value->column].name, value->storage_class, value->reason};
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    bool ignored = false;
    bool ok = false;

    buffer_init(&sql, 1 << 16);
    buffer_append_text(&sql, "insert or replace into " COLLECTION " values (null, ?1, ?2, ?3, ?4");
    for (size_t i = 0; i < table->key_count; i++)
        buffer_append_text(&sql, ", ?");
    buffer_append_text(&sql, ")");
    if (!buffer_check(&sql, "statement", err) ||
        !database_prepare(database, buffer_text(&sql), &statement, err))
        goto cleanup;
    sqlite3_bind_text64(statement, 1, key_json.data, key_json.length, SQLITE_STATIC, SQLITE_UTF8);
    for (int i = 0; i < 3; i++)
        sqlite3_bind_text(statement, 2 + i, texts[i], -1, SQLITE_STATIC);
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_bind_value(statement, 5 + (int)i, sqlite3_column_value(row, (int)table->key[i]));
    ok = database_step(database, statement, &ignored, err);

cleanup:
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

bool rejects_add(
    struct tracking *tracking, const struct table *table, sqlite3_stmt *row,
    const struct bad_value *value, struct error *err)
{
    struct buffer key_json;

    buffer_init(&key_json, KEY_CEILING);
    json_key_append(&key_json, table, row);
    bool ok =
        buffer_check(&key_json, "key", err) &&
        insert_collected(&tracking->database, table, row, buffer_slice(&key_json), value, err);
    buffer_clear(&key_json);
    return ok || error_wrap(err, "rejected rows of %s", table->name);
}

/* Deletes the published rejects of the table that were not collected again (their rows were fixed
 * or deleted), a chunk at a time. */
static bool delete_fixed(struct database *database, const char *table, struct error *err)
{
    do {
        if (!statement_run(
                database,
                "delete from bq_sync_rejects where table_name = ?1 and (key_json, column_name) in"
                " (select key_json, column_name from bq_sync_rejects r where r.table_name = ?1 and"
                " not exists (select 1 from " COLLECTION " c where c.key_json = r.key_json"
                " and c.column_name = r.column_name) limit ?2)",
                err, "si", table, (int64_t)CHUNK_ROWS))
            return false;
    } while (sqlite3_changes(database->handle) > 0);
    return true;
}

static bool publish_chunk(
    struct database *database, const char *table, const char *now, int64_t first, struct error *err)
{
    return statement_run(
        database,
        "insert into bq_sync_rejects(table_name, key_json, column_name, storage_class, reason,"
        " since) select ?1, key_json, column_name, storage_class, reason, ?2 from " COLLECTION
        " where number between ?3 and ?4"
        " on conflict(table_name, key_json, column_name) do update set"
        " storage_class = excluded.storage_class, reason = excluded.reason",
        err, "ssii", table, now, first, first + CHUNK_ROWS - 1);
}

/* Keys with a NULL cannot be in the dirty set (nor match anything in BigQuery). An entry that the
 * application made since is at least as new as the one we would write. Returns owned (free). */
static char *dirty_sql(const struct table *table, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, table, "insert into $d($k, bq_sync_sequence) select distinct ");
    sqlite_sql_numbers(&sql, table, "key_$r", ", ");
    buffer_append_text(&sql, ", ?1 from " COLLECTION " where number between ?2 and ?3");
    sqlite_sql_numbers(&sql, table, " and key_$r is not null", "");
    sqlite_sql_expand(
        &sql, table,
        " on conflict($k) do update set"
        " bq_sync_sequence = max(bq_sync_sequence, excluded.bq_sync_sequence)");
    bool ok = buffer_check(&sql, "statement", err);
    char *text = ok ? buffer_take(&sql) : NULL;
    buffer_clear(&sql);
    return text;
}

/* What is published, and as of when. */
struct publication {
    const struct table *table;
    int64_t sequence;
    const char *now;
    const char *dirty_sql; /* NULL: the dirty set is not in this database */
};

static bool publish_all(
    struct database *database, const struct publication *publication, struct error *err)
{
    const char *table = publication->table->name;
    int64_t last = 0;

    if (!database_query_int64(database, "select max(number) from " COLLECTION, 0, &last, err) ||
        !delete_fixed(database, table, err))
        return false;
    for (int64_t first = 1; first <= last; first += CHUNK_ROWS) {
        if (!database_begin(database, err))
            return false;
        bool ok = publish_chunk(database, table, publication->now, first, err);
        if (ok && publication->dirty_sql != NULL)
            ok = statement_run(
                database, publication->dirty_sql, err, "iii", publication->sequence + 1, first,
                first + CHUNK_ROWS - 1);
        if (!ok || !database_commit(database, err)) {
            database_rollback(database);
            return false;
        }
    }
    return true;
}

bool rejects_publish(
    struct tracking *tracking, const struct table *table, int64_t sequence, int64_t now_us,
    struct error *err)
{
    char now[CLOCK_TEXT_SIZE];
    char *sql = NULL;
    bool has_dirty_set = false;

    bool ok = capture_objects_has_dirty_set(&tracking->database, table->name, &has_dirty_set, err);
    if (ok && has_dirty_set) {
        sql = dirty_sql(table, err);
        ok = sql != NULL;
    }
    const struct publication publication = {
        .table = table,
        .sequence = sequence,
        .now = clock_format(now_us, now),
        .dirty_sql = sql,
    };
    ok = ok && publish_all(&tracking->database, &publication, err);
    free(sql);
    return ok || error_wrap(err, "rejected rows of %s", table->name);
}

bool rejects_count(
    struct tracking *tracking, const char *table, int64_t *out_rows, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!database_has_table(&tracking->database, "bq_sync_rejects", &row, err))
        return false;
    if (!row) {
        *out_rows = 0;
        return true;
    }
    if (!statement_bind(
            &tracking->database,
            "select count(distinct key_json) from bq_sync_rejects where table_name = ?1",
            &statement, err, "s", table))
        return false;
    bool ok = database_step(&tracking->database, statement, &row, err);
    if (ok)
        *out_rows = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return ok;
}

bool rejects_keyless(
    struct tracking *tracking, const char *table, bool *out_keyless, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!database_has_table(&tracking->database, "bq_sync_rejects", &row, err))
        return false;
    if (row) {
        if (!statement_bind(
                &tracking->database,
                "select 1 from bq_sync_rejects, json_each(key_json) k"
                " where table_name = ?1 and k.type = 'null' limit 1",
                &statement, err, "s", table) ||
            !database_step(&tracking->database, statement, &row, err)) {
            sqlite3_finalize(statement);
            return error_wrap(err, "rejected rows of %s", table);
        }
        sqlite3_finalize(statement);
    }
    *out_keyless = row;
    return true;
}

static struct reject read_reject(sqlite3_stmt *statement)
{
    return (struct reject){
        .table = (const char *)sqlite3_column_text(statement, 0),
        .key_json = (const char *)sqlite3_column_text(statement, 1),
        .column = (const char *)sqlite3_column_text(statement, 2),
        .storage_class = (const char *)sqlite3_column_text(statement, 3),
        .reason = (const char *)sqlite3_column_text(statement, 4),
        .since = (const char *)sqlite3_column_text(statement, 5),
    };
}

bool rejects_each(
    struct tracking *tracking, const char *table_or_null,
    bool (*visit)(void *context, const struct reject *reject), void *context, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    if (!database_has_table(&tracking->database, "bq_sync_rejects", &row, err))
        return false;
    if (!row)
        return true;
    if (!statement_bind(
            &tracking->database,
            "select table_name, key_json, column_name, storage_class, reason, since"
            " from bq_sync_rejects where ?1 is null or table_name = ?1"
            " order by table_name, key_json, column_name",
            &statement, err, "s", table_or_null))
        return false;
    for (;;) {
        if (!database_step(&tracking->database, statement, &row, err))
            goto cleanup;
        struct reject reject = row ? read_reject(statement) : (struct reject){0};
        if (!row || !visit(context, &reject))
            break;
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}
