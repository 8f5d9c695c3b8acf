/* The part of capture.h that clears away what was acknowledged. The dirty set is walked by its
 * primary key, a stretch at a time; it has no index by sequence, which would cost the application's
 * writes. */
#include "base/buffer.h"
#include "source/capture.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"
#include "source/tracking_schema.h"

#include <stdlib.h>

/* Entries of a stretch: about 10 ms of write lock. */
#define STRETCH_ENTRIES 5000

/* A key of the dirty set, as many values as the table's key has columns. */
struct key {
    sqlite3_value **values;
    size_t count;
};

static void key_clear(struct key *key)
{
    for (size_t i = 0; i < key->count; i++)
        sqlite3_value_free(key->values[i]);
    free(key->values);
    *key = (struct key){0};
}

static bool key_copy(
    sqlite3_stmt *row, const struct table *table, struct key *out_key, struct error *err)
{
    struct key key = {calloc(table->key_count, sizeof *key.values), table->key_count};

    if (key.values == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < key.count; i++) {
        key.values[i] = sqlite3_value_dup(sqlite3_column_value(row, (int)i));
        if (key.values[i] == NULL) {
            key_clear(&key);
            return error_set(err, ERROR_MEMORY, "out of memory");
        }
    }
    *out_key = key;
    return true;
}

/* Appends "(keys) >= (?, ...) and (keys) < (?, ...)"; an empty bound is none. */
static void append_range(
    struct buffer *sql, const struct table *table, const struct key *from, const struct key *to)
{
    const char *signs[] = {">=", "<"};
    const struct key *bounds[] = {from, to};

    buffer_append_text(sql, " where 1");
    for (int i = 0; i < 2; i++) {
        if (bounds[i]->count == 0)
            continue;
        buffer_append_text(sql, " and (");
        sqlite_sql_numbers(sql, table, "bq_sync_key_$r", ", ");
        buffer_printf(sql, ") %s (", signs[i]);
        for (size_t column = 0; column < table->key_count; column++)
            buffer_append_text(sql, column > 0 ? ", ?" : "?");
        buffer_append_text(sql, ")");
    }
}

static bool prepare_range(
    struct database *source, struct buffer *sql, const struct key *from, const struct key *to,
    sqlite3_stmt **out_statement, struct error *err)
{
    int parameter = 1;

    if (!buffer_check(sql, "statement", err) ||
        !database_prepare(source, buffer_text(sql), out_statement, err))
        return false;
    for (size_t i = 0; i < from->count; i++)
        sqlite3_bind_value(*out_statement, parameter++, from->values[i]);
    for (size_t i = 0; i < to->count; i++)
        sqlite3_bind_value(*out_statement, parameter++, to->values[i]);
    return true;
}

/* Where the next stretch begins; count is 0 if this one is the last. */
static bool find_end(
    struct database *source, const struct table *table, const struct key *from, struct key *out_end,
    struct error *err)
{
    const struct key none = {0};
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    bool row = false;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    buffer_append_text(&sql, "select ");
    sqlite_sql_numbers(&sql, table, "bq_sync_key_$r", ", ");
    sqlite_sql_append(&sql, " from $d", table->name);
    append_range(&sql, table, from, &none);
    buffer_append_text(&sql, " order by ");
    sqlite_sql_numbers(&sql, table, "bq_sync_key_$r", ", ");
    buffer_printf(&sql, " limit 1 offset %d", STRETCH_ENTRIES);
    bool ok = prepare_range(source, &sql, from, &none, &statement, err) &&
              database_step(source, statement, &row, err);
    *out_end = (struct key){0};
    if (ok && row)
        ok = key_copy(statement, table, out_end, err);
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

/* Runs "head from dirty where <range> and acknowledged"; *out_row: whether it gave a row. */
static bool run_on_stretch(
    struct database *source, const struct table *table, const char *head, const struct key *from,
    const struct key *to, int64_t sequence, bool *out_row, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "$r from $d", head, table->name);
    append_range(&sql, table, from, to);
    buffer_printf(&sql, " and bq_sync_sequence <= %lld", (long long)sequence);
    bool ok = prepare_range(source, &sql, from, to, &statement, err) &&
              database_step(source, statement, out_row, err);
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

static bool clean_stretch(
    struct database *source, const struct table *table, const struct key *from,
    const struct key *to, int64_t sequence, struct error *err)
{
    bool row = false;

    // The write lock is not asked for in vain: entries of rejected rows stay for long.
    if (!run_on_stretch(source, table, "select 1", from, to, sequence, &row, err))
        return false;
    if (!row)
        return true;
    if (!database_begin(source, err))
        return false;
    if (run_on_stretch(source, table, "delete", from, to, sequence, &row, err) &&
        database_commit(source, err))
        return true;
    database_rollback(source);
    return false;
}

bool capture_clean(
    struct database *source, const struct table *table, int64_t synced_sequence, struct error *err)
{
    struct key from = {0};
    struct key to = {0};
    bool ok = false;
    bool exists = false;

    if (!control_has_dirty_set(source, table->name, &exists, err))
        goto cleanup;
    ok = !exists;
    while (!ok) {
        if (!find_end(source, table, &from, &to, err) ||
            !clean_stretch(source, table, &from, &to, synced_sequence, err))
            goto cleanup;
        key_clear(&from);
        from = to;
        to = (struct key){0};
        ok = from.count == 0;
    }

cleanup:
    key_clear(&from);
    key_clear(&to);
    return ok || error_wrap(err, "cleaning the change set of %s", table->name);
}
