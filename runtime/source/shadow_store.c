#include "source/shadow_store.h"

#include "base/buffer.h"
#include "source/pacing.h"
#include "source/shadow_merge.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdlib.h>
#include <string.h>

/* How rows are hashed (source/fingerprint.h). */
#define HASH_VERSION 2

static bool run_in_transaction(
    struct database *state, const struct table *table, const char *sql, struct error *err)
{
    if (!database_begin(state, err))
        return false;
    if (statement_exec_expanded(state, table, sql, err) && database_commit(state, err))
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
        ok = ok && statement_exec_expanded(state, table, sql, err) && pacing_commit(&pacing, err);
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
            " from bq_sync_shadows where table_name = ?1 and hash_version = ?2",
            &statement, err, "si", table->name, (int64_t)HASH_VERSION))
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

/* Whether a table of the shadow is there with the columns that it has to have: a key's, then a
 * hash, and a converted key if those are kept; or those of a chunk. Their number alone does not
 * tell: a converted key would pass for one more column of the key. */
static bool has_layout(
    struct database *state, const char *prefix, const struct table *table, enum shadow_form form,
    bool *out_fits, struct error *err)
{
    bool packed = form == SHADOW_FORM_PACKED;
    int64_t rest = form == SHADOW_FORM_ROWS ? 1 : 2;
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!statement_bind(
            state,
            "select total(name glob 'bq_sync_key_*') = ?3 and total(name = ?4) = 1"
            " and count(*) = ?3 + ?5 from pragma_table_info(?1 || ?2)",
            &statement, err, "ssisi", prefix, table->name, (int64_t)table->key_count,
            packed ? "bq_sync_entries" : "bq_sync_hash", rest))
        return false;
    bool ok = database_step(state, statement, &row, err);
    if (ok)
        *out_fits = sqlite3_column_int(statement, 0) != 0;
    sqlite3_finalize(statement);
    return ok;
}

bool shadow_store_look(
    struct database *state, const struct table *table, struct shadow_store *store,
    struct error *err)
{
    struct shadow_store found = {.form = store->form};
    bool listed = false;
    bool shadow = false;
    bool pending = false;

    if (!database_has_column(state, "bq_sync_shadows", "hash_version", &listed, err) ||
        !has_layout(state, SQLITE_SQL_SHADOW_PREFIX, table, store->form, &shadow, err) ||
        !has_layout(state, SQLITE_SQL_PENDING_PREFIX, table, store->form, &pending, err))
        return false;
    if (listed && shadow && pending && !read_store(state, table, &found, err))
        return false;
    *store = found;
    return true;
}

/* Makes one of the two tables; name: "$s" or "$p". */
static bool make_one(
    struct database *state, const struct table *table, const char *name, enum shadow_form form,
    struct error *err)
{
    static const char *const columns[] = {
        [SHADOW_FORM_ROWS] = "($k, bq_sync_hash integer, primary key ($k)) without rowid;",
        [SHADOW_FORM_KEYS] = "($k, bq_sync_hash integer, bq_sync_converted blob,"
                             " primary key ($k)) without rowid;",
        [SHADOW_FORM_PACKED] = "($k integer primary key, bq_sync_rows integer not null,"
                               " bq_sync_entries blob not null);",
    };
    struct buffer sql;
    uint32_t suffix;

    sqlite3_randomness(sizeof suffix, &suffix);
    buffer_init(&sql, SQLITE_SQL_CEILING);
    buffer_append_text(&sql, "create table ");
    sqlite_sql_expand(&sql, table, name);
    sqlite_sql_expand(&sql, table, columns[form]);
    if (form == SHADOW_FORM_KEYS) {
        buffer_printf(&sql, "create index bq_sync_converted_%08x on ", suffix);
        sqlite_sql_expand(&sql, table, name);
        buffer_append_text(&sql, "(bq_sync_converted);");
    }
    bool ok = statement_exec_buffer(state, &sql, err);
    buffer_clear(&sql);
    return ok;
}

/* Tables that are gone in part, or have another key: nothing is known any more. The hash key is
 * drawn again. */
static bool make_tables(
    struct database *state, const struct table *table, enum shadow_form form, struct error *err)
{
    if (!database_begin(state, err))
        return false;
    if (statement_exec_expanded(
            state, table, "drop table if exists $s; drop table if exists $p", err) &&
        make_one(state, table, "$s", form, err) && make_one(state, table, "$p", form, err) &&
        statement_run(
            state,
            "insert or replace into bq_sync_shadows(table_name, state, whole, hash_key,"
            " hash_version) values (?1, 'none', 0, randomblob(16), ?2)",
            err, "si", table->name, (int64_t)HASH_VERSION) &&
        database_commit(state, err))
        return true;
    database_rollback(state);
    return false;
}

/* whole: what is pending takes the place of the shadow. */
static bool set_state(
    struct database *state, const struct table *table, const char *word, bool whole,
    struct error *err)
{
    return statement_run(
        state,
        "update bq_sync_shadows set state = ?2, whole = ?3, nonce = '' where table_name = ?1", err,
        "ssi", table->name, word, (int64_t)whole);
}

static bool set_none(struct database *state, const struct table *table, struct error *err)
{
    return set_state(state, table, "none", false, err);
}

/* The rename is done the old way, which does not look at the views and triggers of the application:
 * a view of a table that is gone would make it fail, and reading all of a large schema holds the
 * write lock for long. None of them can name these tables. */
static bool take_whole(
    struct database *state, const struct table *table, enum shadow_form form, struct error *err)
{
    // Emptied first, because dropping a large table takes as long as deleting it.
    if (!run_in_chunks(
            state, table,
            "delete from $s where ($k) in"
            " (select $k from $s limit %lld)",
            err) ||
        !database_exec(state, "pragma legacy_alter_table = on", err) || !database_begin(state, err))
        return false;
    if (statement_exec_expanded(state, table, "drop table $s; alter table $p rename to $s", err) &&
        make_one(state, table, "$p", form, err) && set_none(state, table, err) &&
        database_commit(state, err))
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
    return set_none(state, table, err) && run_in_chunks(
                                              state, table,
                                              "delete from $p where ($k) in"
                                              " (select $k from $p limit %lld)",
                                              err);
}

bool shadow_store_complete(
    struct database *state, const struct table *table, struct shadow_store *store,
    struct error *err)
{
    bool leftovers = false;

    if (!shadow_store_look(state, table, store, err))
        return false;
    if (!store->exists && !make_tables(state, table, store->form, err))
        return false;
    if (store->pending == PENDING_EFFECTIVE_WHOLE && !take_whole(state, table, store->form, err))
        return false;
    if (store->pending == PENDING_EFFECTIVE_CHANGES &&
        !(store->form == SHADOW_FORM_PACKED ? shadow_merge_chunks
                                            : merge_changes)(state, table, err))
        return false;
    if (!has_leftovers(state, table, &leftovers, err))
        return false;
    if (leftovers && !empty_pending(state, table, err))
        return false;
    return shadow_store_look(state, table, store, err);
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
    struct database *state, const struct table *table, const struct shadow_store *store, bool whole,
    struct error *err)
{
    bool keys = store->form == SHADOW_FORM_KEYS;
    bool packed = store->form == SHADOW_FORM_PACKED;
    const char *seen = packed ? "insert into $p select $k, bq_sync_rows, bq_sync_entries"
                                " from temp.bq_sync_seen where number between ?1 and ?2"
                       : keys
                           ? "insert or replace into $p select $k, bq_sync_hash, bq_sync_converted"
                             " from temp.bq_sync_seen where number between ?1 and ?2"
                             " and bq_sync_hash is not null"
                           : "insert or replace into $p select $k, bq_sync_hash"
                             " from temp.bq_sync_seen where number between ?1 and ?2"
                             " and bq_sync_hash is not null";
    // A key that is gone in one spelling and there in another, 1 and 1.0, is one key here: it
    // stays.
    const char *gone = keys ? "insert or ignore into $p select $k, null, null"
                              " from temp.bq_sync_gone where number between ?1 and ?2"
                            : "insert or replace into $p select $k, null"
                              " from temp.bq_sync_gone where number between ?1 and ?2";

    return copy_chunks(state, table, "bq_sync_seen", seen, err) &&
           (whole || packed || copy_chunks(state, table, "bq_sync_gone", gone, err)) &&
           set_state(state, table, "read", whole, err);
}

/* Whether a table of the shadow is there with the key columns of the definition, in any form. */
static bool has_key(
    struct database *state, const char *prefix, const struct table *table, bool *out_has,
    struct error *err)
{
    *out_has = false;
    for (int form = SHADOW_FORM_ROWS; !*out_has && form <= SHADOW_FORM_PACKED; form++)
        if (!has_layout(state, prefix, table, (enum shadow_form)form, out_has, err))
            return false;
    return true;
}

/* Dropping a large table takes as long as deleting it, so its rows are deleted before. */
static bool empty_tables(struct database *state, const struct table *table, struct error *err)
{
    bool shadow = false;
    bool pending = false;

    return has_key(state, SQLITE_SQL_SHADOW_PREFIX, table, &shadow, err) &&
           has_key(state, SQLITE_SQL_PENDING_PREFIX, table, &pending, err) &&
           (!shadow || run_in_chunks(
                           state, table,
                           "delete from $s where ($k) in (select $k from $s limit %lld)", err)) &&
           (!pending ||
            run_in_chunks(
                state, table, "delete from $p where ($k) in (select $k from $p limit %lld)", err));
}

/* The row that makes the shadow count goes first: a process may be killed in between. */
bool shadow_store_drop(struct database *state, const struct table *table, struct error *err)
{
    bool listed = false;

    if (!database_has_table(state, "bq_sync_shadows", &listed, err))
        return false;
    return (!listed || statement_run(
                           state, "delete from bq_sync_shadows where table_name = ?1", err, "s",
                           table->name)) &&
           empty_tables(state, table, err) &&
           run_in_transaction(
               state, table,
               "drop table if exists $s;"
               "drop table if exists $p",
               err);
}
