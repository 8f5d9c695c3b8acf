#include "source/shadow.h"

#include "base/buffer.h"
#include "source/fingerprint.h"
#include "source/shadow_keys.h"
#include "source/shadow_scan.h"
#include "source/shadow_store.h"
#include "source/siphash.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"
#include "source/tracking.h"
#include "source/tracking_schema.h"

#include <stdlib.h>
#include <string.h>

/* Rows compared in one read transaction of the state. Locking the file for each row would take
 * longer than the comparison; holding the lock for all rows would keep others from writing. */
#define ROWS_PER_HOLD 10000

struct shadow {
    struct database state;
    const struct table *table;
    enum shadow_mode mode;
    struct shadow_store store;
    sqlite3_stmt *find;      /* the hash of a key as BigQuery has it */
    sqlite3_stmt *see;       /* notes a key with its new hash, NULL if it is the same */
    sqlite3_stmt *set_hash;  /* of the last row: NULL, or that of a version that is kept */
    struct shadow_keys keys; /* SHADOW_FORM_KEYS */
    struct shadow_scan scan; /* SHADOW_FORM_PACKED, which needs none of the statements */
    bool seen_row;           /* the last row has a note */
    struct value_hash values;
    int held_rows; /* since the transaction began */
};

static bool keeps_keys(const struct shadow *shadow)
{
    return shadow->store.form == SHADOW_FORM_KEYS;
}

static bool is_packed(const struct shadow *shadow)
{
    return shadow->store.form == SHADOW_FORM_PACKED;
}

static bool writes(const struct shadow *shadow)
{
    return shadow->mode != SHADOW_COMPARE && shadow->mode != SHADOW_LISTED_COMPARE;
}

/* Whether what BigQuery has held before a replacement is of no use. */
static bool forgets(const struct shadow *shadow)
{
    return shadow->mode == SHADOW_REPLACE || shadow->mode == SHADOW_REPLACE_KEEP_ALL;
}

/* Prepares a statement about the shadow's table (a format of sqlite_sql_expand). */
static bool prepare(
    struct shadow *shadow, const char *format, sqlite3_stmt **out_statement, struct error *err)
{
    return statement_prepare_expanded(&shadow->state, shadow->table, format, out_statement, err);
}

static bool execute(struct shadow *shadow, const char *format, struct error *err)
{
    return statement_exec_expanded(&shadow->state, shadow->table, format, err);
}

/* The statement that creates a view of the rows that BigQuery has.
 *
 * After an acknowledgement the pending changes of the pass are part of the truth, but they are
 * still in a table of their own: merging them may take long, and acknowledging must not. A pass
 * that may write merges them before it reads (shadow_store_complete). One that may not (`plan`,
 * --dry-run) has to lay them over the shadow instead, so the view does: a pending hash wins over
 * the shadow's, and a pending NULL hides the key, because its row is deleted. */
static const char *known_sql(const struct shadow *shadow)
{
    if (!shadow->store.exists || forgets(shadow))
        return "create temp view bq_sync_known as"
               " select $k, 0 as bq_sync_hash, null as bq_sync_converted"
               " from temp.bq_sync_gone where false";
    switch (shadow->store.pending) {
    case PENDING_EFFECTIVE_WHOLE:
        return "create temp view bq_sync_known as select * from main.$p";
    case PENDING_EFFECTIVE_CHANGES:
        return "create temp view bq_sync_known as select * from main.$p"
               " where bq_sync_hash is not null union all"
               " select * from main.$s as s where ($k) not in"
               " (select $k from main.$p)";
    default:
        return "create temp view bq_sync_known as select * from main.$s";
    }
}

/* A key that appears a second time takes the place of the first one, if keys are unique; where they
 * are kept it is another row, and the first one counts. */
static bool prepare_rows(struct shadow *shadow, struct error *err)
{
    return execute(
               shadow,
               "create temp table bq_sync_seen(number integer primary key, $k, bq_sync_hash,"
               " unique ($k)); create temp table bq_sync_gone(number integer primary key, $k)",
               err) &&
           execute(shadow, known_sql(shadow), err) &&
           prepare(
               shadow, "select bq_sync_hash from temp.bq_sync_known where $w", &shadow->find,
               err) &&
           prepare(
               shadow,
               "insert or replace into temp.bq_sync_seen($k, bq_sync_hash) values ($v, :hash)",
               &shadow->see, err) &&
           prepare(
               shadow,
               "update temp.bq_sync_seen set bq_sync_hash = ?1 where number = last_insert_rowid()",
               &shadow->set_hash, err);
}

static bool prepare_rows_and_keys(struct shadow *shadow, struct error *err)
{
    return execute(
               shadow,
               "create temp table bq_sync_seen(number integer primary key, $k, bq_sync_hash,"
               " bq_sync_converted, unique ($k));"
               "create index temp.bq_sync_seen_converted on bq_sync_seen(bq_sync_converted);"
               "create temp table bq_sync_gone(number integer primary key, $k, bq_sync_converted,"
               " unique ($k))",
               err) &&
           execute(shadow, known_sql(shadow), err) &&
           prepare(
               shadow, "select bq_sync_hash, bq_sync_converted from temp.bq_sync_known where $w",
               &shadow->find, err) &&
           prepare(
               shadow,
               "insert or ignore into temp.bq_sync_seen($k, bq_sync_hash, bq_sync_converted)"
               " values ($v, :hash, :converted)",
               &shadow->see, err) &&
           shadow_keys_init(&shadow->keys, &shadow->state, shadow->table, err);
}

static bool prepare_packed(struct shadow *shadow, struct error *err)
{
    const struct shadow_scan_options options = {
        .whole = shadow_replaces(shadow->mode),
        .knows = !forgets(shadow),
        .writes = writes(shadow),
    };

    return shadow_scan_init(
        &shadow->scan, &shadow->state, shadow->table, &shadow->store, &options, err);
}

static bool prepare_all(struct shadow *shadow, struct error *err)
{
    // The temporary tables are dropped when anything fails, so they need no journal.
    if (!database_exec(&shadow->state, "pragma temp.journal_mode = off", err))
        return false;
    switch (shadow->store.form) {
    case SHADOW_FORM_KEYS:
        return prepare_rows_and_keys(shadow, err);
    case SHADOW_FORM_PACKED:
        return prepare_packed(shadow, err);
    default:
        return prepare_rows(shadow, err);
    }
}

static bool open_state(struct shadow *shadow, struct database_place state, struct error *err)
{
    const char *path = state.path;

    if (writes(shadow)) {
        if (!database_open(path, DATABASE_CREATE, DATABASE_PATIENCE_MS, &shadow->state, err))
            return false;
        shadow->state.commits = state.commits;
        return tracking_schema_prepare(&shadow->state, err) &&
               shadow_store_complete(&shadow->state, shadow->table, &shadow->store, err);
    }
    // Without a state database there is no shadow; every row is new.
    struct tracking opened;
    if (!tracking_open_read(path == NULL ? ":memory:" : path, &opened, err))
        return false;
    shadow->state = opened.database;
    // Temporary tables are to be written; the file cannot be, it is open for reading.
    return database_exec(&shadow->state, "pragma query_only = 0", err) &&
           shadow_store_look(&shadow->state, shadow->table, &shadow->store, err);
}

bool shadow_complete(
    struct database_place state, const struct table *table, enum shadow_form form,
    struct error *err)
{
    struct shadow shadow = {.table = table, .mode = SHADOW_CHANGES, .store = {.form = form}};

    bool ok = open_state(&shadow, state, err);
    database_close(&shadow.state);
    return ok || error_wrap(err, "shadow of %s", table->name);
}

bool shadow_begin(
    struct database_place state, const struct table *table, enum shadow_form form,
    enum shadow_mode mode, struct shadow **out_shadow, struct error *err)
{
    struct shadow *shadow = calloc(1, sizeof *shadow);

    if (shadow == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory scanning %s", table->name);
    shadow->table = table;
    shadow->mode = mode;
    shadow->store.form = form;
    if (!open_state(shadow, state, err) || !prepare_all(shadow, err)) {
        shadow_free(shadow);
        return error_wrap(err, "shadow of %s", table->name);
    }
    *out_shadow = shadow;
    return true;
}

bool shadow_keeps_keys(const struct shadow *shadow)
{
    return keeps_keys(shadow);
}

void shadow_scan_sql(const struct table *table, enum shadow_form form, struct buffer *out)
{
    buffer_append_text(out, table->scan_sql);
    // On a line of its own: the filter may end in a comment.
    if (form == SHADOW_FORM_PACKED)
        buffer_printf(out, "\norder by %zu", table->key[0] + 1);
}

static bool hash_row(
    struct shadow *shadow, sqlite3_stmt *row, uint64_t *out_hash, struct error *err)
{
    struct siphash hash;

    siphash_init(&hash, shadow->store.hash_key);
    if (!value_hash_row(&shadow->values, &hash, row, shadow->table->column_count, err))
        return false;
    *out_hash = siphash13_finish(&hash);
    return true;
}

static bool find_change(
    struct shadow *shadow, int64_t hash, enum shadow_change *out_change, struct error *err)
{
    struct shadow_keys *keys = &shadow->keys;
    bool replaces = shadow_replaces(shadow->mode);
    bool found = false;

    *out_change = SHADOW_NEW;
    if (replaces && !keeps_keys(shadow))
        return true;
    if (!database_step(&shadow->state, shadow->find, &found, err))
        return false;
    bool same = found && sqlite3_column_type(shadow->find, 0) == SQLITE_INTEGER &&
                sqlite3_column_int64(shadow->find, 0) == hash;
    if (!replaces)
        *out_change = same ? SHADOW_SAME : found ? SHADOW_CHANGED : SHADOW_NEW;
    if (keeps_keys(shadow)) {
        keys->was_known = found;
        buffer_reset(&keys->was);
        if (found)
            buffer_append(
                &keys->was, sqlite3_column_blob(shadow->find, 1),
                (size_t)sqlite3_column_bytes(shadow->find, 1));
    }
    sqlite3_reset(shadow->find);
    return buffer_check(&keys->was, "a key", err);
}

static bool release(struct shadow *shadow, struct error *err)
{
    shadow->held_rows = 0;
    return sqlite3_get_autocommit(shadow->state.handle) != 0 ||
           database_commit(&shadow->state, err);
}

static bool hold(struct shadow *shadow, struct error *err)
{
    if (shadow->held_rows++ % ROWS_PER_HOLD != 0)
        return true;
    if (!release(shadow, err) || !database_exec(&shadow->state, "begin", err))
        return false;
    shadow->held_rows = 1;
    return true;
}

/* Notes the key of the row, with its hash unless BigQuery holds the row as it is. */
static bool see_row(struct shadow *shadow, int64_t hash, bool same, struct error *err)
{
    struct shadow_keys *keys = &shadow->keys;
    int parameter = (int)shadow->table->key_count + 1;
    bool ignored;

    if (same)
        sqlite3_bind_null(shadow->see, parameter);
    else
        sqlite3_bind_int64(shadow->see, parameter, hash);
    if (keeps_keys(shadow) && same)
        sqlite3_bind_blob64(
            shadow->see, parameter + 1, keys->was.data, keys->was.length, SQLITE_STATIC);
    else if (keeps_keys(shadow))
        sqlite3_bind_null(shadow->see, parameter + 1);
    bool ok = database_step(&shadow->state, shadow->see, &ignored, err);
    sqlite3_reset(shadow->see);
    keys->hash = hash;
    keys->doubled = false;
    keys->number = sqlite3_last_insert_rowid(shadow->state.handle);
    return ok;
}

static bool compare_packed(
    struct shadow *shadow, int64_t key, uint64_t hash, enum shadow_change *out_change,
    struct error *err)
{
    bool known = false;
    bool same = false;

    shadow->seen_row = true;
    if (!shadow_scan_row(&shadow->scan, key, hash, &known, &same, err))
        return error_wrap(err, "shadow of %s", shadow->table->name);
    *out_change = !known || shadow_replaces(shadow->mode) ? SHADOW_NEW
                  : same                                  ? SHADOW_SAME
                                                          : SHADOW_CHANGED;
    return true;
}

bool shadow_values(
    struct shadow *shadow, sqlite3 *source, sqlite3_value **values, enum shadow_change *out_change,
    struct error *err)
{
    const struct table *table = shadow->table;
    int64_t key = sqlite3_value_int64(values[table->key[0]]);
    struct siphash hash;

    siphash_init(&hash, shadow->store.hash_key);
    if (!value_hash_values(&shadow->values, &hash, source, values, table->column_count, err))
        return error_wrap(err, "shadow of %s", table->name);
    return compare_packed(shadow, key, siphash13_finish(&hash), out_change, err);
}

bool shadow_row(
    struct shadow *shadow, sqlite3_stmt *row, enum shadow_change *out_change, struct error *err)
{
    uint64_t word = 0;

    if (!hash_row(shadow, row, &word, err))
        return error_wrap(err, "shadow of %s", shadow->table->name);
    if (is_packed(shadow))
        return compare_packed(
            shadow, sqlite3_column_int64(row, (int)shadow->table->key[0]), word, out_change, err);
    int64_t hash = (int64_t)word;
    struct database *state = &shadow->state;
    bool *bound = &shadow->seen_row;
    if (!shadow_keys_bind(state, shadow->table, shadow->find, row, bound, err) ||
        !shadow_keys_bind(state, shadow->table, shadow->see, row, bound, err))
        return error_wrap(err, "shadow of %s", shadow->table->name);
    // The reader of a row with a NULL key will reject it.
    if (!shadow->seen_row) {
        *out_change = SHADOW_NEW;
        return true;
    }
    if (!hold(shadow, err) || !find_change(shadow, hash, out_change, err) ||
        !see_row(shadow, hash, *out_change == SHADOW_SAME, err))
        return error_wrap(err, "shadow of %s", shadow->table->name);
    if (!keeps_keys(shadow) || sqlite3_changes(shadow->state.handle) > 0)
        return true;
    // The same key again, in a view.
    *out_change = SHADOW_NEW;
    return shadow_keys_meet(&shadow->keys, row, err) ||
           error_wrap(err, "shadow of %s", shadow->table->name);
}

bool shadow_claim(
    struct shadow *shadow, struct database *source, struct slice converted,
    enum shadow_claim *out_claim, struct buffer *out_other, struct error *err)
{
    return shadow_keys_claim(&shadow->keys, source, converted, out_claim, out_other, err) ||
           error_wrap(err, "shadow of %s", shadow->table->name);
}

/* Notes of the row that keys need no care of. */
static bool reject_row(struct shadow *shadow, bool key_fits, bool *out_kept, struct error *err)
{
    bool kept = key_fits && shadow->mode == SHADOW_REPLACE_KEEP_ALL;
    bool ok = true;
    bool ignored;

    // shadow_row has bound the key.
    if (shadow->mode == SHADOW_REPLACE_KEEP_KNOWN) {
        ok = database_step(&shadow->state, shadow->find, &kept, err);
        sqlite3_reset(shadow->find);
    }
    if (kept)
        sqlite3_bind_zeroblob(shadow->set_hash, 1, 0);
    else
        sqlite3_bind_null(shadow->set_hash, 1);
    ok = ok && database_step(&shadow->state, shadow->set_hash, &ignored, err);
    sqlite3_reset(shadow->set_hash);
    *out_kept = kept;
    return ok;
}

static bool reject_packed(struct shadow *shadow, bool key_fits, bool *out_kept)
{
    *out_kept = (shadow->mode == SHADOW_REPLACE_KEEP_ALL && key_fits) ||
                (shadow->mode == SHADOW_REPLACE_KEEP_KNOWN && shadow->scan.was_known);
    shadow_scan_reject(&shadow->scan, *out_kept);
    return true;
}

bool shadow_reject(
    struct shadow *shadow, bool key_fits, struct slice converted, bool *out_kept, struct error *err)
{
    bool own = false;

    *out_kept = false;
    if (!shadow->seen_row)
        return true;
    if (is_packed(shadow))
        return reject_packed(shadow, key_fits, out_kept);
    bool ok =
        keeps_keys(shadow)
            ? shadow_keys_reject(&shadow->keys, converted, shadow_replaces(shadow->mode), &own, err)
            : reject_row(shadow, key_fits, out_kept, err);
    *out_kept = *out_kept || (own && shadow_replaces(shadow->mode));
    return ok || error_wrap(err, "shadow of %s", shadow->table->name);
}

bool shadow_gone(struct shadow *shadow, sqlite3_stmt *row, struct error *err)
{
    return shadow_keys_gone(&shadow->keys, row, err) ||
           error_wrap(err, "shadow of %s", shadow->table->name);
}

/* The deleted keys, in the form of rows of changes_sql. */
static bool prepare_gone(struct shadow *shadow, sqlite3_stmt **out_statement, struct error *err)
{
    const struct table *table = shadow->table;
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    buffer_append_text(&sql, "select ");
    for (size_t column = 0; column < table->column_count; column++) {
        size_t number = 0;
        for (size_t i = 0; i < table->key_count; i++)
            number = table->key[i] == column ? i + 1 : number;
        if (number > 0)
            buffer_printf(&sql, "bq_sync_key_%zu, ", number);
        else
            buffer_append_text(&sql, "null, ");
    }
    buffer_append_text(&sql, "1 from temp.bq_sync_gone g");
    if (keeps_keys(shadow))
        buffer_append_text(
            &sql, " where not exists (select 1 from temp.bq_sync_seen s"
                  " where s.bq_sync_converted = g.bq_sync_converted)");
    buffer_append_text(&sql, " order by number");
    bool ok = statement_prepare_buffer(&shadow->state, &sql, out_statement, err);
    buffer_clear(&sql);
    return ok;
}

/* Lists the keys that were in no row. */
static bool list_unseen(struct shadow *shadow, struct error *err)
{
    if (shadow->mode == SHADOW_LISTED || shadow->mode == SHADOW_LISTED_COMPARE || is_packed(shadow))
        return true;
    return execute(
        shadow,
        keeps_keys(shadow) ? "insert or ignore into temp.bq_sync_gone($k, bq_sync_converted)"
                             " select $k, bq_sync_converted from temp.bq_sync_known"
                             " where ($k) not in (select $k from temp.bq_sync_seen)"
                           : "insert into temp.bq_sync_gone($k) select $k from temp.bq_sync_known"
                             " where ($k) not in (select $k from temp.bq_sync_seen)",
        err);
}

bool shadow_deleted(
    struct shadow *shadow, bool (*visit)(void *context, sqlite3_stmt *row, struct error *err),
    void *context, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    shadow_keys_leave_source(&shadow->keys);
    if (!release(shadow, err) || (is_packed(shadow) && !shadow_scan_finish(&shadow->scan, err)))
        goto cleanup;
    if (shadow_replaces(shadow->mode))
        return true;
    if (!list_unseen(shadow, err) || !prepare_gone(shadow, &statement, err))
        goto cleanup;
    for (;;) {
        if (!database_step(&shadow->state, statement, &row, err))
            goto cleanup;
        if (!row)
            break;
        if (!visit(context, statement, err))
            goto cleanup;
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok || error_wrap(err, "shadow of %s", shadow->table->name);
}

bool shadow_end(struct shadow *shadow, struct error *err)
{
    if (!writes(shadow))
        return true;
    return (release(shadow, err) && shadow_store_keep(
                                        &shadow->state, shadow->table, &shadow->store,
                                        shadow_replaces(shadow->mode), err)) ||
           error_wrap(err, "shadow of %s", shadow->table->name);
}

void shadow_free(struct shadow *shadow)
{
    if (shadow == NULL)
        return;
    sqlite3_finalize(shadow->find);
    sqlite3_finalize(shadow->see);
    sqlite3_finalize(shadow->set_hash);
    shadow_keys_clear(&shadow->keys);
    shadow_scan_clear(&shadow->scan);
    database_close(&shadow->state);
    free(shadow);
}

bool shadow_known(
    struct database *state, const struct table *table, enum shadow_form form, bool *out_known,
    struct error *err)
{
    struct shadow_store store = {.form = form};

    if (!shadow_store_look(state, table, &store, err))
        return error_wrap(err, "shadow of %s", table->name);
    *out_known = store.exists;
    return true;
}

bool shadow_drop(struct database_place state, const struct table *table, struct error *err)
{
    struct database opened;

    if (!database_open(state.path, DATABASE_WRITE, DATABASE_PATIENCE_MS, &opened, err))
        return false;
    opened.commits = state.commits;
    bool ok = shadow_store_drop(&opened, table, err);
    database_close(&opened);
    return ok || error_wrap(err, "shadow of %s", table->name);
}
