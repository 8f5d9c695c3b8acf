#include "source/shadow_store.h"

#include "base/buffer.h"
#include "source/pacing.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdlib.h>
#include <string.h>

/* Runs a script about the table (a format of sqlite_sql_expand). */
static bool run(
    struct database *state, const struct table *table, const char *format, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, table, format);
    bool ok = statement_exec_buffer(state, &sql, err);
    buffer_clear(&sql);
    return ok;
}

static bool run_in_transaction(
    struct database *state, const struct table *table, const char *sql, struct error *err)
{
    if (!database_begin(state, err))
        return false;
    if (run(state, table, sql, err) && database_commit(state, err))
        return true;
    database_rollback(state);
    return false;
}

/* Repeats a transaction until its last statement changes no row. Each %lld in the format, up to
 * three, is the number of rows. */
static bool run_in_chunks(
    struct database *state, const struct table *table, const char *format, struct error *err)
{
    struct pacing pacing = pacing_of(state);

    do {
        char *sql = sqlite3_mprintf(format, pacing.rows, pacing.rows, pacing.rows);
        bool ok = sql != NULL ? pacing_begin(&pacing, err)
                              : error_set(err, ERROR_MEMORY, "out of memory");
        ok = ok && run(state, table, sql, err) && pacing_commit(&pacing, err);
        sqlite3_free(sql);
        if (!ok)
            return pacing_fail(&pacing);
    } while (sqlite3_changes(state->handle) > 0);
    return true;
}

static bool read_store(
    struct database *state, const struct table *table, struct shadow_store *store,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!statement_bind(
            state,
            "select case when state <> 'effective' then 0 when whole then 2 else 1 end, hash_key"
            " from bq_sync_shadows where table_name = ?1",
            &statement, err, "s", table->name))
        return false;
    bool ok = database_step(state, statement, &row, err);
    if (ok && row && sqlite3_column_bytes(statement, 1) == SIPHASH_KEY_SIZE) {
        store->exists = true;
        store->pending = (enum pending_state)sqlite3_column_int(statement, 0);
        memcpy(store->hash_key, sqlite3_column_blob(statement, 1), SIPHASH_KEY_SIZE);
    }
    sqlite3_finalize(statement);
    return ok;
}

/* Whether a table of the shadow is there with as many key columns as the definition's. */
static bool has_layout(
    struct database *state, const struct table *table, const char *prefix, bool *out_fits,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!statement_bind(
            state, "select count(*) from pragma_table_info(?1 || ?2)", &statement, err, "ss",
            prefix, table->name))
        return false;
    bool ok = database_step(state, statement, &row, err);
    if (ok)
        *out_fits = sqlite3_column_int64(statement, 0) == (int64_t)table->key_count + 1;
    sqlite3_finalize(statement);
    return ok;
}

bool shadow_store_look(
    struct database *state, const struct table *table, struct shadow_store *out_store,
    struct error *err)
{
    struct shadow_store store = {0};
    bool listed = false;
    bool shadow = false;
    bool pending = false;

    if (!database_has_table(state, "bq_sync_shadows", &listed, err) ||
        !has_layout(state, table, SQLITE_SQL_SHADOW_PREFIX, &shadow, err) ||
        !has_layout(state, table, SQLITE_SQL_PENDING_PREFIX, &pending, err))
        return false;
    if (listed && shadow && pending && !read_store(state, table, &store, err))
        return false;
    *out_store = store;
    return true;
}

/* Tables that are gone in part, or have another key: nothing is known any more. The hash key is
 * drawn again. */
static bool make_tables(struct database *state, const struct table *table, struct error *err)
{
    if (!database_begin(state, err))
        return false;
    if (run(state, table,
            "drop table if exists $s;"
            "drop table if exists $p;"
            "create table $s($k, bq_sync_hash integer, primary key ($k))"
            " without rowid;"
            "create table $p($k, bq_sync_hash integer, primary key ($k))"
            " without rowid;",
            err) &&
        statement_run(
            state,
            "insert or replace into bq_sync_shadows(table_name, state, whole, hash_key)"
            " values (?1, 'none', 0, randomblob(16))",
            err, "s", table->name) &&
        database_commit(state, err))
        return true;
    database_rollback(state);
    return false;
}

static bool set_state(
    struct database *state, const struct table *table, const char *word, bool whole,
    struct error *err)
{
    return statement_run(
        state,
        "update bq_sync_shadows set state = ?2, whole = ?3, nonce = '' where table_name = ?1", err,
        "ssi", table->name, word, (int64_t)whole);
}

static bool take_whole(struct database *state, const struct table *table, struct error *err)
{
    // Emptied first, because dropping a large table takes as long as deleting it.
    if (!run_in_chunks(
            state, table,
            "delete from $s where ($k) in"
            " (select $k from $s limit %lld)",
            err) ||
        !database_begin(state, err))
        return false;
    if (run(state, table,
            "drop table $s;"
            "alter table $p rename to $s;"
            "create table $p($k, bq_sync_hash integer, primary key ($k))"
            " without rowid;",
            err) &&
        set_state(state, table, "none", false, err) && database_commit(state, err))
        return true;
    database_rollback(state);
    return false;
}

/* Merges the pending changes a chunk at a time. Each transaction also deletes its own chunk from
 * pending, and the state stays "effective" until the last one: a process that is killed in between
 * leaves a shadow in which the remaining pending rows still win, so the view in shadow.c and the
 * next run read the same truth. NULL hashes are inserted like others and deleted right after, since
 * they stand for deleted keys. */
static bool merge_changes(struct database *state, const struct table *table, struct error *err)
{
    return run_in_chunks(
        state, table,
        "insert or replace into $s"
        " select * from $p order by $k limit %lld;"
        "delete from $s where bq_sync_hash is null and ($k) in"
        " (select $k from $p order by $k limit %lld);"
        "delete from $p where ($k) in"
        " (select $k from $p order by $k limit %lld)",
        err);
}

/* Whether pending has rows, or the state says so: a process may have been killed while it wrote. */
static bool has_leftovers(
    struct database *state, const struct table *table, bool *out_any, struct error *err)
{
    int64_t any = 0;
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(
        &sql, table,
        "select exists (select 1 from $p) or exists"
        " (select 1 from bq_sync_shadows where state <> 'none' and table_name = $t)");
    bool ok = buffer_check(&sql, "statement", err) &&
              database_query_int64(state, buffer_text(&sql), 0, &any, err);
    buffer_clear(&sql);
    *out_any = any != 0;
    return ok;
}

static bool empty_pending(struct database *state, const struct table *table, struct error *err)
{
    return set_state(state, table, "none", false, err) && run_in_chunks(
                                                              state, table,
                                                              "delete from $p where ($k) in"
                                                              " (select $k from $p limit %lld)",
                                                              err);
}

bool shadow_store_complete(
    struct database *state, const struct table *table, struct shadow_store *out_store,
    struct error *err)
{
    struct shadow_store store;

    if (!shadow_store_look(state, table, &store, err))
        return false;
    if (!store.exists && !make_tables(state, table, err))
        return false;
    if (store.pending == PENDING_EFFECTIVE_WHOLE && !take_whole(state, table, err))
        return false;
    if (store.pending == PENDING_EFFECTIVE_CHANGES && !merge_changes(state, table, err))
        return false;
    bool leftovers = false;
    if (!has_leftovers(state, table, &leftovers, err))
        return false;
    if (leftovers && !empty_pending(state, table, err))
        return false;
    return shadow_store_look(state, table, out_store, err);
}

/* Copies a temporary table a chunk at a time, by its row numbers. */
static bool copy_chunks(
    struct database *state, const struct table *table, const char *from, const char *format,
    struct error *err)
{
    struct buffer sql;
    char max_sql[64];
    int64_t last = 0;

    sqlite3_snprintf(sizeof max_sql, max_sql, "select max(number) from temp.%s", from);
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, table, format);
    struct pacing pacing = pacing_of(state);
    bool ok =
        buffer_check(&sql, "statement", err) && database_query_int64(state, max_sql, 0, &last, err);
    for (int64_t first = 1, rows; ok && first <= last; first += rows) {
        rows = pacing.rows;
        ok = (pacing_begin(&pacing, err) &&
              statement_run(state, buffer_text(&sql), err, "ii", first, first + rows - 1) &&
              pacing_commit(&pacing, err)) ||
             pacing_fail(&pacing);
    }
    buffer_clear(&sql);
    return ok;
}

bool shadow_store_keep(
    struct database *state, const struct table *table, bool whole, struct error *err)
{
    return copy_chunks(
               state, table, "bq_sync_seen",
               "insert or replace into $p select $k, bq_sync_hash"
               " from temp.bq_sync_seen where number between ?1 and ?2"
               " and bq_sync_hash is not null",
               err) &&
           (whole || copy_chunks(
                         state, table, "bq_sync_gone",
                         "insert or replace into $p select $k, null"
                         " from temp.bq_sync_gone where number between ?1 and ?2",
                         err)) &&
           set_state(state, table, "read", whole, err);
}

bool shadow_store_drop(struct database *state, const struct table *table, struct error *err)
{
    bool listed = false;

    if (!database_has_table(state, "bq_sync_shadows", &listed, err))
        return false;
    return run_in_transaction(
               state, table,
               "drop table if exists $s;"
               "drop table if exists $p",
               err) &&
           (!listed ||
            statement_run(
                state, "delete from bq_sync_shadows where table_name = ?1", err, "s", table->name));
}
