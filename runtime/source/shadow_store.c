#include "source/shadow_store.h"

#include "base/buffer.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"
#include "source/tracking_schema.h"

#include <stdlib.h>
#include <string.h>

/* Rows a transaction: some milliseconds, in case the state lives with the application's data. */
#define CHUNK_ROWS 5000

/* Runs SQL in which each "#" stands for the table's name behind a prefix, each "@" for the list of
 * its key columns. */
static char *expand(const struct table *table, const char *sql, struct error *err)
{
    struct buffer out;

    buffer_init(&out, SQLITE_SQL_CEILING);
    for (const char *at = sql; *at != '\0'; at++) {
        if (*at == '#')
            for (const char *name = table->name; *name != '\0'; name++) {
                buffer_append_byte(&out, (uint8_t)*name);
                if (*name == '"')
                    buffer_append_byte(&out, '"');
            }
        else if (*at == '@')
            sqlite_sql_numbers(&out, table, "bq_sync_key_$r", ", ");
        else
            buffer_append_byte(&out, (uint8_t)*at);
    }
    bool ok = buffer_check(&out, "statement", err);
    char *text = ok ? buffer_take(&out) : NULL;
    buffer_clear(&out);
    return text;
}

static bool run(
    struct database *state, const struct table *table, const char *sql, struct error *err)
{
    char *text = expand(table, sql, err);

    if (text == NULL)
        return false;
    bool ok = database_exec(state, text, err);
    free(text);
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

/* Repeats a transaction until its last statement changes no row. */
static bool run_in_chunks(
    struct database *state, const struct table *table, const char *sql, struct error *err)
{
    do {
        if (!run_in_transaction(state, table, sql, err))
            return false;
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

    if (!control_has_table(state, "bq_sync_shadows", &listed, err) ||
        !has_layout(state, table, "bq_sync_shadow_", &shadow, err) ||
        !has_layout(state, table, "bq_sync_pending_", &pending, err))
        return false;
    if (listed && shadow && pending && !read_store(state, table, &store, err))
        return false;
    *out_store = store;
    return true;
}

/* Tables that are gone in part, or have another key: nothing is known any more. The hash key is
 * drawn anew. */
static bool make_tables(struct database *state, const struct table *table, struct error *err)
{
    if (!database_begin(state, err))
        return false;
    if (run(state, table,
            "drop table if exists \"bq_sync_shadow_#\";"
            "drop table if exists \"bq_sync_pending_#\";"
            "create table \"bq_sync_shadow_#\"(@, bq_sync_hash integer, primary key (@))"
            " without rowid;"
            "create table \"bq_sync_pending_#\"(@, bq_sync_hash integer, primary key (@))"
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

static bool mark(
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
            "delete from \"bq_sync_shadow_#\" where (@) in"
            " (select @ from \"bq_sync_shadow_#\" limit 5000)",
            err) ||
        !database_begin(state, err))
        return false;
    if (run(state, table,
            "drop table \"bq_sync_shadow_#\";"
            "alter table \"bq_sync_pending_#\" rename to \"bq_sync_shadow_#\";"
            "create table \"bq_sync_pending_#\"(@, bq_sync_hash integer, primary key (@))"
            " without rowid;",
            err) &&
        mark(state, table, "none", false, err) && database_commit(state, err))
        return true;
    database_rollback(state);
    return false;
}

/* What a chunk has merged it deletes from pending; the rest stays effective. */
static bool merge_changes(struct database *state, const struct table *table, struct error *err)
{
    return run_in_chunks(
        state, table,
        "insert or replace into \"bq_sync_shadow_#\""
        " select * from \"bq_sync_pending_#\" order by @ limit 5000;"
        "delete from \"bq_sync_shadow_#\" where bq_sync_hash is null and (@) in"
        " (select @ from \"bq_sync_pending_#\" order by @ limit 5000);"
        "delete from \"bq_sync_pending_#\" where (@) in"
        " (select @ from \"bq_sync_pending_#\" order by @ limit 5000)",
        err);
}

/* Whether pending holds anything, or is said to: a process may have been killed while it wrote. */
static bool has_leftovers(
    struct database *state, const struct table *table, bool *out_any, struct error *err)
{
    int64_t any = 0;
    char *sql = expand(
        table,
        "select exists (select 1 from \"bq_sync_pending_#\") or exists"
        " (select 1 from bq_sync_shadows where state <> 'none' and table_name = ",
        err);

    if (sql == NULL)
        return false;
    char *whole = sqlite3_mprintf("%s%Q)", sql, table->name);
    free(sql);
    if (whole == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    bool ok = database_query_int64(state, whole, 0, &any, err);
    sqlite3_free(whole);
    *out_any = any != 0;
    return ok;
}

static bool empty_pending(struct database *state, const struct table *table, struct error *err)
{
    return mark(state, table, "none", false, err) &&
           run_in_chunks(
               state, table,
               "delete from \"bq_sync_pending_#\" where (@) in"
               " (select @ from \"bq_sync_pending_#\" limit 5000)",
               err);
}

bool shadow_store_settle(
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
    struct database *state, const struct table *table, const char *from, const char *sql,
    struct error *err)
{
    char max_sql[64];
    int64_t last = 0;

    sqlite3_snprintf(sizeof max_sql, max_sql, "select max(number) from temp.%s", from);
    char *text = expand(table, sql, err);
    bool ok = text != NULL && database_query_int64(state, max_sql, 0, &last, err);
    for (int64_t first = 1; ok && first <= last; first += CHUNK_ROWS) {
        ok = database_begin(state, err) &&
             statement_run(state, text, err, "ii", first, first + CHUNK_ROWS - 1) &&
             database_commit(state, err);
        if (!ok)
            database_rollback(state);
    }
    free(text);
    return ok;
}

bool shadow_store_keep(
    struct database *state, const struct table *table, bool whole, struct error *err)
{
    return copy_chunks(
               state, table, "bq_sync_seen",
               "insert or replace into \"bq_sync_pending_#\" select @, bq_sync_hash"
               " from temp.bq_sync_seen where number between ?1 and ?2"
               " and bq_sync_hash is not null",
               err) &&
           (whole || copy_chunks(
                         state, table, "bq_sync_gone",
                         "insert or replace into \"bq_sync_pending_#\" select @, null"
                         " from temp.bq_sync_gone where number between ?1 and ?2",
                         err)) &&
           mark(state, table, "read", whole, err);
}

bool shadow_store_drop(struct database *state, const struct table *table, struct error *err)
{
    bool listed = false;

    if (!control_has_table(state, "bq_sync_shadows", &listed, err))
        return false;
    return run_in_transaction(
               state, table,
               "drop table if exists \"bq_sync_shadow_#\";"
               "drop table if exists \"bq_sync_pending_#\"",
               err) &&
           (!listed ||
            statement_run(
                state, "delete from bq_sync_shadows where table_name = ?1", err, "s", table->name));
}
