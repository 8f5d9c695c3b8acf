/* The part of capture.h that deletes acknowledged keys. The dirty set is walked by its
 * primary key, a stretch at a time; it has no index by sequence, which would cost the application's
 * writes. */
#include "base/buffer.h"
#include "source/capture.h"
#include "source/capture_objects.h"
#include "source/pacing.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdlib.h>

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
        sqlite_sql_expand(sql, table, " and ($k) ");
        buffer_printf(sql, "%s (", signs[i]);
        for (size_t column = 0; column < table->key_count; column++)
            buffer_append_text(sql, column > 0 ? ", ?" : "?");
        buffer_append_text(sql, ")");
    }
}

static bool bind_bound(
    struct database *source, sqlite3_stmt *statement, const struct key *bound, size_t before,
    struct error *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < bound->count; i++)
        ok = database_bound(
            source, sqlite3_bind_value(statement, (int)(before + i) + 1, bound->values[i]), err);
    return ok;
}

/* On failure too, *out_statement is owned. */
static bool prepare_range(
    struct database *source, struct buffer *sql, const struct key *from, const struct key *to,
    sqlite3_stmt **out_statement, struct error *err)
{
    return statement_prepare_buffer(source, sql, out_statement, err) &&
           bind_bound(source, *out_statement, from, 0, err) &&
           bind_bound(source, *out_statement, to, from->count, err);
}

/* Where the next stretch begins, that many entries on; count is 0 if this one is the last. */
static bool find_end(
    struct database *source, const struct table *table, const struct key *from, int64_t entries,
    struct key *out_end, struct error *err)
{
    const struct key none = {0};
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    bool row = false;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, table, "select $k from $d");
    append_range(&sql, table, from, &none);
    sqlite_sql_expand(&sql, table, " order by $k");
    buffer_printf(&sql, " limit 1 offset %lld", (long long)entries);
    bool ok = prepare_range(source, &sql, from, &none, &statement, err) &&
              database_step(source, statement, &row, err);
    *out_end = (struct key){0};
    if (ok && row)
        ok = key_copy(statement, table, out_end, err);
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

/* One stretch of a table's dirty set: keys in [from, to), and of those the acknowledged ones. */
struct stretch {
    struct database *source;
    const struct table *table;
    struct key from;
    struct key to;
    int64_t sequence;
};

/* Runs "head from dirty set where <in the stretch>"; *out_row: whether it gave a row. */
static bool run_on_stretch(
    const struct stretch *stretch, const char *head, bool *out_row, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "$r from $d", head, stretch->table->name);
    append_range(&sql, stretch->table, &stretch->from, &stretch->to);
    buffer_printf(&sql, " and bq_sync_sequence <= %lld", (long long)stretch->sequence);
    bool ok = prepare_range(stretch->source, &sql, &stretch->from, &stretch->to, &statement, err) &&
              database_step(stretch->source, statement, out_row, err);
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

static bool clean_stretch(const struct stretch *stretch, struct pacing *pacing, struct error *err)
{
    bool row = false;

    // Entries of rejected rows stay for long, so the write lock is taken only if one can be
    // deleted.
    if (!run_on_stretch(stretch, "select 1", &row, err))
        return false;
    if (!row)
        return true;
    return (pacing_begin(pacing, err) && run_on_stretch(stretch, "delete", &row, err) &&
            pacing_commit(pacing, err)) ||
           pacing_fail(pacing);
}

bool capture_clean(
    struct database *source, const struct table *table, int64_t synced_sequence, struct error *err)
{
    struct stretch stretch = {.source = source, .table = table, .sequence = synced_sequence};
    struct pacing pacing = pacing_of(source);
    bool ok = false;
    bool exists = false;

    if (!capture_objects_has_dirty_set(source, table->name, &exists, err))
        goto cleanup;
    ok = !exists;
    while (!ok) {
        if (!find_end(source, table, &stretch.from, pacing.rows, &stretch.to, err) ||
            !clean_stretch(&stretch, &pacing, err))
            goto cleanup;
        key_clear(&stretch.from);
        stretch.from = stretch.to;
        stretch.to = (struct key){0};
        ok = stretch.from.count == 0;
    }

cleanup:
    key_clear(&stretch.from);
    key_clear(&stretch.to);
    return ok || error_wrap(err, "cleaning the dirty set of %s", table->name);
}
