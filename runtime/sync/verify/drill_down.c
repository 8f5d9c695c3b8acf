#include "sync/verify/drill_down.h"

#include "base/buffer.h"
#include "base/json_normal.h"
#include "source/database.h"
#include "sync/row_text.h"

#include <stdlib.h>
#include <string.h>

#define ROW_CEILING (64u << 20)

struct drill_down {
    /* Temporary and private to this connection. */
    struct database database;
    sqlite3_stmt *add_ours;
    sqlite3_stmt *add_theirs;
    sqlite3_stmt *add_pending;
    const struct table *table;
    struct row_hash *hash;
    /* The text of one row, reused. */
    struct buffer text;
};

static const char schema[] = "create table ours(key text, hash text, shown text, fits integer);"
                             "create index ours_key on ours(key);"
                             "create table theirs(key text, hash text, shown text);"
                             "create table pending(key text primary key) without rowid;"
                             "begin";

bool drill_down_new(
    const struct table *table, struct row_hash *hash, struct drill_down **out_drill_down,
    struct error *err)
{
    struct drill_down *drill_down = calloc(1, sizeof *drill_down);

    if (drill_down == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    buffer_init(&drill_down->text, ROW_CEILING);
    drill_down->table = table;
    drill_down->hash = hash;

    // An empty name opens a private database on disk, which SQLite deletes with the connection
    // ("Temporary Databases").
    if (sqlite3_open("", &drill_down->database.handle) != SQLITE_OK) {
        drill_down_free(drill_down);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    drill_down->database.path = strdup("temporary database");
    if (!database_exec(&drill_down->database, schema, err) ||
        !database_prepare(
            &drill_down->database, "insert into ours values(?1, ?2, ?3, ?4)", &drill_down->add_ours,
            err) ||
        !database_prepare(
            &drill_down->database, "insert into theirs values(?1, ?2, ?3)", &drill_down->add_theirs,
            err) ||
        !database_prepare(
            &drill_down->database, "insert or ignore into pending values(?1)",
            &drill_down->add_pending, err)) {
        drill_down_free(drill_down);
        return false;
    }
    *out_drill_down = drill_down;
    return true;
}

void drill_down_free(struct drill_down *drill_down)
{
    if (drill_down == NULL)
        return;
    sqlite3_finalize(drill_down->add_ours);
    sqlite3_finalize(drill_down->add_theirs);
    sqlite3_finalize(drill_down->add_pending);
    sqlite3_close(drill_down->database.handle);
    free(drill_down->database.path);
    buffer_clear(&drill_down->text);
    free(drill_down);
}

static bool run(struct drill_down *drill_down, sqlite3_stmt *statement, struct error *err)
{
    bool row = false;
    bool ok = database_step(&drill_down->database, statement, &row, err);

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return ok;
}

static void bind_slice(sqlite3_stmt *statement, int at, struct slice text)
{
    sqlite3_bind_text64(statement, at, text.data, text.length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* A key in the report: its one value, or an array of its values. Deletes values. */
static void append_key(struct buffer *out, const struct table *table, cJSON *values)
{
    char *json = cJSON_PrintUnformatted(table->key_count == 1 ? values->child : values);

    buffer_append_text(out, json == NULL ? "null" : json);
    cJSON_free(json);
    cJSON_Delete(values);
}

/* The key as it is stored in SQLite. Integers are kept as text: cJSON's numbers are doubles. */
static void append_source_key(struct buffer *out, const struct table *table, sqlite3_stmt *row)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t k = 0; k < table->key_count; k++) {
        int column = (int)table->key[k];
        const char *text = (const char *)sqlite3_column_text(row, column);
        if (sqlite3_column_type(row, column) == SQLITE_INTEGER)
            cJSON_AddItemToArray(array, cJSON_CreateRaw(text));
        else
            cJSON_AddItemToArray(array, cJSON_CreateString(text == NULL ? "" : text));
    }
    append_key(out, table, array);
}

/* Appends a JSON value in its normal form, so that the way in which BigQuery writes it makes no
 * difference. A row's final hash is that of the hash of its other columns and these texts. */
static void append_json(struct buffer *out, struct slice json)
{
    buffer_append_byte(out, '\n');
    if (json.data != NULL && !json_normal(json, out))
        buffer_append_slice(out, json);
}

bool drill_down_add_source(
    struct drill_down *drill_down, struct column_reader *in, struct slice key_text, bool fits,
    struct error *err)
{
    const struct table *table = drill_down->table;
    char hash[ROW_HASH_SIZE];
    struct buffer *text = &drill_down->text;
    struct buffer shown;

    buffer_reset(text);
    row_text_append(text, in, table, ROW_TEXT_COMPARED);
    if (!row_hash_text(drill_down->hash, buffer_slice(text), hash, err))
        return false;
    buffer_reset(text);
    buffer_append_text(text, hash);
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type == COLUMN_JSON)
            append_json(text, column_json(in, i));
    if (!buffer_check(text, "a row", err) ||
        !row_hash_text(drill_down->hash, buffer_slice(text), hash, err))
        return false;

    buffer_init(&shown, ROW_CEILING);
    append_source_key(&shown, table, in->row);
    bind_slice(drill_down->add_ours, 1, key_text);
    bind_slice(drill_down->add_ours, 2, slice_of(hash));
    bind_slice(drill_down->add_ours, 3, buffer_slice(&shown));
    sqlite3_bind_int(drill_down->add_ours, 4, fits);
    bool ok = run(drill_down, drill_down->add_ours, err);
    buffer_clear(&shown);
    return ok;
}

/* The key as BigQuery returns it: a text in each cell. */
static void append_warehouse_key(
    struct buffer *out, const struct table *table, const char *const *cells)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t k = 0; k < table->key_count; k++) {
        if (cells[k] == NULL)
            cJSON_AddItemToArray(array, cJSON_CreateNull());
        else if (table->columns[table->key[k]].type == COLUMN_INT64)
            cJSON_AddItemToArray(array, cJSON_CreateRaw(cells[k]));
        else
            cJSON_AddItemToArray(array, cJSON_CreateString(cells[k]));
    }
    append_key(out, table, array);
}

bool drill_down_add_warehouse(
    struct drill_down *drill_down, size_t count, const char *const *cells, struct error *err)
{
    const struct table *table = drill_down->table;
    char hash[ROW_HASH_SIZE];
    struct buffer *text = &drill_down->text;
    struct buffer shown;
    size_t at = 2 + table->key_count;

    buffer_reset(text);
    buffer_append_text(text, cells[1] == NULL ? "" : cells[1]);
    for (; at < count; at++)
        append_json(text, slice_of(cells[at]));
    if (!buffer_check(text, "a row", err) ||
        !row_hash_text(drill_down->hash, buffer_slice(text), hash, err))
        return false;

    buffer_init(&shown, ROW_CEILING);
    append_warehouse_key(&shown, table, cells + 2);
    bind_slice(drill_down->add_theirs, 1, slice_of(cells[0] == NULL ? "" : cells[0]));
    bind_slice(drill_down->add_theirs, 2, slice_of(hash));
    bind_slice(drill_down->add_theirs, 3, buffer_slice(&shown));
    bool ok = run(drill_down, drill_down->add_theirs, err);
    buffer_clear(&shown);
    return ok;
}

bool drill_down_add_pending(struct drill_down *drill_down, struct slice key_text, struct error *err)
{
    bind_slice(drill_down->add_pending, 1, key_text);
    return run(drill_down, drill_down->add_pending, err);
}

/* --- what differs ------------------------------------------------------------------------ */

/* Runs a statement that returns keys; counts them all and lists the first ones. out_keys NULL: only
 * counts. */
static bool list(
    struct drill_down *drill_down, const char *sql, cJSON *out_keys, int64_t *out_count,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int64_t count = 0;

    if (!database_prepare(&drill_down->database, sql, &statement, err))
        return false;
    for (;;) {
        bool row = false;
        if (!database_step(&drill_down->database, statement, &row, err)) {
            sqlite3_finalize(statement);
            return false;
        }
        if (!row)
            break;
        if (out_keys != NULL && count < VERIFY_KEYS_MAX)
            cJSON_AddItemToArray(
                out_keys, cJSON_CreateRaw((const char *)sqlite3_column_text(statement, 0)));
        count++;
    }
    sqlite3_finalize(statement);
    *out_count = count;
    return true;
}

#define NOT_PENDING(alias) " and " alias ".key not in (select key from pending) "

/* One statement for each list. In all of them a pending key is ignored, and a rejected row counts
 * as present but is not compared: BigQuery may still hold an older version of it, which is neither
 * extra nor different. The dirty set lists rejected keys, too, so they are first removed from the
 * pending ones. A key that BigQuery holds twice is both duplicated and, if one of its rows has
 * another content, different. Of several rows of ours that are one key in BigQuery, one is there,
 * and the others are rejected ones. */
bool drill_down_compare(struct drill_down *drill_down, struct verify_table *out, struct error *err)
{
    int64_t pending = 0;
    int64_t doubled = 0;

    if (!database_exec(
            &drill_down->database,
            "create index theirs_key on theirs(key);"
            "delete from pending where key in (select key from ours where not fits);",
            err))
        return false;
    if (!list(
            drill_down,
            "select o.shown from ours o where o.fits and not exists "
            "(select 1 from theirs t where t.key = o.key)" NOT_PENDING(
                "o") "group by o.key order by o.key",
            out->missing, &out->missing_count, err) ||
        !list(
            drill_down,
            "select t.shown from theirs t where not exists (select 1 from ours o where o.key = "
            "t.key)" NOT_PENDING("t") "group by t.key order by t.key",
            out->extra, &out->extra_count, err) ||
        !list(
            drill_down,
            "select o.shown from ours o where o.fits and exists (select 1 from theirs t where "
            "t.key ="
            " o.key and not exists (select 1 from ours x where x.key = t.key and"
            " (x.hash = t.hash or not x.fits)))" NOT_PENDING("o") "group by o.key order by o.key",
            out->different, &out->different_count, err) ||
        !list(
            drill_down,
            "select t.shown from theirs t where true" NOT_PENDING(
                "t") "group by t.key having count(*) > 1 order by t.key",
            out->duplicated, &out->duplicated_count, err) ||
        !list(
            drill_down,
            "select 1 from ours o where o.fits and exists (select 1 from ours x where x.key = o.key"
            " and x.fits and x.rowid < o.rowid)",
            NULL, &doubled, err) ||
        !list(
            drill_down,
            "select key from pending where key not in"
            " (select key from ours where fits group by key having count(*) > 1)",
            NULL, &pending, err))
        return false;
    out->rejected += doubled;
    out->pending += pending;
    return true;
}
