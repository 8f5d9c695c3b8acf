#include "source/shadow_keys.h"

#include "source/filter_step.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdio.h>

/* A key in BigQuery has 1 MB at most; beside that the row has to fit into 16 MB. */
#define CONVERTED_CEILING (64u << 20)

/* Prepares a statement (a format of sqlite_sql_expand). */
static bool prepare(
    struct shadow_keys *keys, const char *format, sqlite3_stmt **out_statement, struct error *err)
{
    return statement_prepare_expanded(keys->state, keys->table, format, out_statement, err);
}

/* Prepares "select $k, description tail": the description names the key for people, id = '7'. */
static bool prepare_described(
    struct shadow_keys *keys, const char *tail, sqlite3_stmt **out_statement, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, keys->table, "select $k");
    for (size_t i = 0; i < keys->table->key_count; i++) {
        sqlite_sql_append(
            &sql, i == 0 ? ", $t" : " || ', ' || $t", sqlite_sql_key_name(keys->table, i));
        buffer_printf(&sql, " || ' = ' || substr(quote(bq_sync_key_%zu), 1, 200)", i + 1);
    }
    sqlite_sql_expand(&sql, keys->table, tail);
    bool ok = statement_prepare_buffer(keys->state, &sql, out_statement, err);
    buffer_clear(&sql);
    return ok;
}

bool shadow_keys_init(
    struct shadow_keys *keys, struct database *state, const struct table *table, struct error *err)
{
    *keys = (struct shadow_keys){.state = state, .table = table};
    buffer_init(&keys->was, CONVERTED_CEILING);
    return prepare(
               keys, "select number, bq_sync_converted from temp.bq_sync_seen where $w",
               &keys->find_seen, err) &&
           prepare(
               keys, "select number from temp.bq_sync_seen where bq_sync_converted = ?1",
               &keys->seen_owner, err) &&
           prepare_described(
               keys, " from temp.bq_sync_known where bq_sync_converted = ?1", &keys->known_owner,
               err) &&
           prepare_described(
               keys, " from temp.bq_sync_seen where number = ?1", &keys->describe, err) &&
           prepare(
               keys,
               "update temp.bq_sync_seen set bq_sync_hash = ?2, bq_sync_converted = ?3"
               " where number = ?1",
               &keys->set, err) &&
           prepare(
               keys,
               "insert or ignore into temp.bq_sync_gone($k, bq_sync_converted)"
               " select $k, bq_sync_converted from temp.bq_sync_known where $w",
               &keys->gone, err) &&
           prepare(
               keys,
               "insert or ignore into temp.bq_sync_gone($k, bq_sync_converted)"
               " select $k, bq_sync_converted from temp.bq_sync_known where ($k) ="
               " (select $k from temp.bq_sync_seen where number = ?1)",
               &keys->gone_number, err);
}

void shadow_keys_leave_source(struct shadow_keys *keys)
{
    sqlite3_finalize(keys->live);
    keys->live = NULL;
}

void shadow_keys_clear(struct shadow_keys *keys)
{
    sqlite3_finalize(keys->find_seen);
    sqlite3_finalize(keys->seen_owner);
    sqlite3_finalize(keys->known_owner);
    sqlite3_finalize(keys->describe);
    sqlite3_finalize(keys->set);
    sqlite3_finalize(keys->gone);
    sqlite3_finalize(keys->gone_number);
    shadow_keys_leave_source(keys);
    buffer_clear(&keys->was);
}

static bool run(struct shadow_keys *keys, sqlite3_stmt *statement, struct error *err)
{
    bool ignored;
    bool ok = database_step(keys->state, statement, &ignored, err);

    sqlite3_reset(statement);
    return ok;
}

bool shadow_keys_bind(
    struct database *state, const struct table *table, sqlite3_stmt *statement, sqlite3_stmt *row,
    bool *out_bound, struct error *err)
{
    *out_bound = false;
    for (size_t i = 0; i < table->key_count; i++) {
        int column = (int)table->key[i];
        if (sqlite3_column_type(row, column) == SQLITE_NULL)
            return true;
        int result = sqlite3_bind_value(statement, (int)i + 1, sqlite3_column_value(row, column));
        if (!database_bound(state, result, err))
            return false;
    }
    *out_bound = true;
    return true;
}

/* Binds the key that known_owner stands on. */
static bool bind_known_owner(
    struct shadow_keys *keys, struct database *database, sqlite3_stmt *statement, struct error *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < keys->table->key_count; i++) {
        sqlite3_value *value = sqlite3_column_value(keys->known_owner, (int)i);
        ok = database_bound(database, sqlite3_bind_value(statement, (int)i + 1, value), err);
    }
    return ok;
}

static void bind_slice(sqlite3_stmt *statement, int at, struct slice bytes)
{
    if (bytes.data == NULL)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_blob64(statement, at, bytes.data, bytes.length, SQLITE_STATIC);
}

bool shadow_keys_meet(struct shadow_keys *keys, sqlite3_stmt *row, struct error *err)
{
    bool bound = false;
    bool found = false;

    if (!shadow_keys_bind(keys->state, keys->table, keys->find_seen, row, &bound, err))
        return false;
    if (!bound)
        return true;
    bool ok = database_step(keys->state, keys->find_seen, &found, err);
    if (ok && found) {
        keys->number = sqlite3_column_int64(keys->find_seen, 0);
        keys->doubled = sqlite3_column_type(keys->find_seen, 1) != SQLITE_NULL;
    }
    sqlite3_reset(keys->find_seen);
    return ok;
}

/* The hash of what BigQuery holds is bound by the caller. */
static bool set_seen(struct shadow_keys *keys, struct slice converted, struct error *err)
{
    sqlite3_bind_int64(keys->set, 1, keys->number);
    bind_slice(keys->set, 3, converted);
    return run(keys, keys->set, err);
}

/* The row was sent under another converted key before (1 is 1.0 now), which is free from now on. */
static bool let_go(struct shadow_keys *keys, struct error *err)
{
    sqlite3_bind_int64(keys->gone_number, 1, keys->number);
    return run(keys, keys->gone_number, err);
}

enum live_by { LIVE_BY_INDEX, LIVE_BY_SEARCH };

static bool prepare_live_by(
    struct shadow_keys *keys, struct database *source, enum live_by by, struct error *err)
{
    const struct table *table = keys->table;
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "select 1 from $n where 1", table->name);
    for (size_t i = 0; i < table->key_count; i++) {
        const char *name = sqlite_sql_key_name(table, i);
        char parameter[24];
        snprintf(parameter, sizeof parameter, "?%zu", i + 1);
        if (by == LIVE_BY_INDEX)
            sqlite_sql_append(&sql, " and $n.$n = $r", table->name, name, parameter);
        sqlite_sql_append(&sql, " and $n.$n collate binary = $r", table->name, name, parameter);
        sqlite_sql_append(&sql, " and typeof($n.$n) = typeof($r)", table->name, name, parameter);
    }
    sqlite_sql_append_filter(&sql, table);
    buffer_append_text(&sql, " limit 1");
    bool ok = statement_prepare_buffer(source, &sql, &keys->live, err);
    buffer_clear(&sql);
    return ok;
}

/* Whether the source has a row of the key that known_owner stands on, in the same storage classes:
 * then it still converts to the same. The first comparison finds the row by its index, the second
 * tells apart what the column's collation does not. With a collation of the application, which is
 * unknown here, there is only the second, and the table is searched. */
static bool prepare_live(struct shadow_keys *keys, struct database *source, struct error *err)
{
    struct error ignored;

    return prepare_live_by(keys, source, LIVE_BY_INDEX, &ignored) ||
           prepare_live_by(keys, source, LIVE_BY_SEARCH, err);
}

static bool is_live(
    struct shadow_keys *keys, struct database *source, bool *out_live, struct error *err)
{
    if (keys->live == NULL && !prepare_live(keys, source, err))
        return false;
    bool ok = bind_known_owner(keys, source, keys->live, err) &&
              filter_step(source, keys->table, keys->live, out_live, err);
    sqlite3_reset(keys->live);
    sqlite3_clear_bindings(keys->live);
    return ok;
}

/* known_owner stands on the row that has the key in BigQuery. If this pass has read that row, it
 * has lost the key, or seen_owner would have found it; else the snapshot decides. */
static bool ask_known_owner(
    struct shadow_keys *keys, struct database *source, bool *out_taken, struct error *err)
{
    bool seen = false;

    bool ok = bind_known_owner(keys, keys->state, keys->find_seen, err) &&
              bind_known_owner(keys, keys->state, keys->gone, err) &&
              database_step(keys->state, keys->find_seen, &seen, err);
    sqlite3_reset(keys->find_seen);
    if (!ok)
        return false;
    *out_taken = false;
    if (!seen && !is_live(keys, source, out_taken, err))
        return false;
    return seen || *out_taken || run(keys, keys->gone, err);
}

/* The description that a row of known_owner or describe has behind the key. */
static bool append_description(
    struct shadow_keys *keys, sqlite3_stmt *row, struct buffer *out_other, struct error *err)
{
    buffer_append_text(out_other, statement_borrow_text(row, (int)keys->table->key_count));
    return statement_check(keys->state, err);
}

static bool find_known_owner(
    struct shadow_keys *keys, struct database *source, struct slice converted,
    enum shadow_claim *out_claim, struct buffer *out_other, struct error *err)
{
    bool found = false;
    bool taken = false;

    bind_slice(keys->known_owner, 1, converted);
    bool ok = database_step(keys->state, keys->known_owner, &found, err) &&
              (!found || ask_known_owner(keys, source, &taken, err));
    if (ok && found) {
        *out_claim = taken ? SHADOW_CLAIM_TAKEN : SHADOW_CLAIM_MOVED;
        ok = !taken || append_description(keys, keys->known_owner, out_other, err);
    }
    sqlite3_reset(keys->known_owner);
    return ok;
}

static bool find_seen_owner(
    struct shadow_keys *keys, struct slice converted, int64_t *out_number, struct error *err)
{
    bool found = false;

    bind_slice(keys->seen_owner, 1, converted);
    bool ok = database_step(keys->state, keys->seen_owner, &found, err);
    if (ok && found)
        *out_number = sqlite3_column_int64(keys->seen_owner, 0);
    sqlite3_reset(keys->seen_owner);
    return ok;
}

static bool describe_seen(
    struct shadow_keys *keys, int64_t number, struct buffer *out_other, struct error *err)
{
    bool found = false;

    sqlite3_bind_int64(keys->describe, 1, number);
    bool ok = database_step(keys->state, keys->describe, &found, err) &&
              (!found || append_description(keys, keys->describe, out_other, err));
    sqlite3_reset(keys->describe);
    return ok;
}

static bool is_own(const struct shadow_keys *keys, struct slice converted)
{
    return keys->was_known && slice_equals(buffer_slice(&keys->was), converted);
}

bool shadow_keys_claim(
    struct shadow_keys *keys, struct database *source, struct slice converted,
    enum shadow_claim *out_claim, struct buffer *out_other, struct error *err)
{
    enum shadow_claim claim = SHADOW_CLAIM_OWN;
    int64_t owner = keys->doubled ? keys->number : 0;

    if (!keys->doubled && !find_seen_owner(keys, converted, &owner, err))
        return false;
    if (owner != 0 && (keys->doubled || owner != keys->number)) {
        *out_claim = SHADOW_CLAIM_TAKEN;
        return describe_seen(keys, owner, out_other, err);
    }
    if (!is_own(keys, converted)) {
        if (!find_known_owner(keys, source, converted, &claim, out_other, err))
            return false;
        if (claim != SHADOW_CLAIM_TAKEN && keys->was_known && !let_go(keys, err))
            return false;
    }
    *out_claim = claim;
    sqlite3_bind_int64(keys->set, 2, keys->hash);
    return claim == SHADOW_CLAIM_TAKEN || set_seen(keys, converted, err);
}

bool shadow_keys_reject(
    struct shadow_keys *keys, struct slice converted, bool marked, bool *out_own, struct error *err)
{
    const struct slice none = {0};

    // What was seen under this key is another row.
    *out_own = !keys->doubled && converted.data != NULL && is_own(keys, converted);
    if (keys->doubled)
        return true;
    if (*out_own && marked)
        sqlite3_bind_zeroblob(keys->set, 2, 0);
    else
        sqlite3_bind_null(keys->set, 2);
    return set_seen(keys, *out_own ? converted : none, err) &&
           (*out_own || !keys->was_known || let_go(keys, err));
}

bool shadow_keys_gone(struct shadow_keys *keys, sqlite3_stmt *row, struct error *err)
{
    bool bound = false;

    return shadow_keys_bind(keys->state, keys->table, keys->gone, row, &bound, err) &&
           (!bound || run(keys, keys->gone, err));
}
