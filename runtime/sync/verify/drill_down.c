#include "sync/verify/drill_down.h"

#include "base/buffer.h"
#include "base/hex.h"
#include "base/json_memory.h"
#include "base/json_normal.h"
#include "source/database.h"
#include "sync/row_text.h"

#include <math.h>
#include <stdio.h>
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
    /* Buckets with a row of which BigQuery prints a JSON value in another way than json_normal. */
    bool spelled[ROW_HASH_BUCKETS];
};

static const char schema[] =
    "create table ours(key text, hash text, shown text, fits integer, bucket integer);"
    "create table theirs(key text, hash text, shown text, named integer, bucket integer);"
    "create table pending(key text primary key, bucket integer, entries integer) without rowid;"
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
            &drill_down->database, "insert into ours values(?1, ?2, ?3, ?4, ?5)",
            &drill_down->add_ours, err) ||
        !database_prepare(
            &drill_down->database, "insert into theirs values(?1, ?2, ?3, ?4, ?5)",
            &drill_down->add_theirs, err) ||
        !database_prepare(
            &drill_down->database,
            "insert into pending values(?1, ?5, ?2) on conflict(key) do update set"
            " entries = entries + excluded.entries",
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

static bool bind_slice(
    struct drill_down *drill_down, sqlite3_stmt *statement, int at, struct slice text,
    struct error *err)
{
    int result =
        sqlite3_bind_text64(statement, at, text.data, text.length, SQLITE_TRANSIENT, SQLITE_UTF8);

    return database_bound(&drill_down->database, result, err);
}

/* The key's text as ?1 and its bucket as ?5, in all three statements. */
static bool bind_key(
    struct drill_down *drill_down, sqlite3_stmt *statement, struct slice key_text,
    struct error *err)
{
    size_t bucket = 0;

    if (!row_hash_bucket(drill_down->hash, key_text, &bucket, err) ||
        !bind_slice(drill_down, statement, 1, key_text, err))
        return false;
    sqlite3_bind_int64(statement, 5, (int64_t)bucket);
    return true;
}

/* A key in the report: its one value, or an array of its values. Deletes values. */
static void append_key(struct buffer *out, const struct table *table, cJSON *values)
{
    char *json = json_print(values != NULL && table->key_count == 1 ? values->child : values);

    if (json == NULL)
        out->failure = BUFFER_MEMORY;
    else
        buffer_append_text(out, json);
    free(json);
    cJSON_Delete(values);
}

/* A number that JSON readers take for a REAL, as SQLite does: 1.0 and 1 are two keys. */
static cJSON *real_json(double value)
{
    char text[40];

    if (!isfinite(value))
        return cJSON_CreateString(value > 0 ? "Infinity" : "-Infinity");
    snprintf(text, sizeof text, "%.17g", value);
    if (strpbrk(text, ".e") == NULL)
        strcat(text, ".0");
    return cJSON_CreateRaw(text);
}

/* Bytes, which need not be UTF-8, as hex digits. */
static cJSON *bytes_json(sqlite3_stmt *row, int column)
{
    const void *bytes = sqlite3_column_blob(row, column);
    size_t length = (size_t)sqlite3_column_bytes(row, column);
    struct buffer hex;

    buffer_init(&hex, ROW_CEILING);
    hex_append(&hex, bytes, length);
    cJSON *json = cJSON_CreateString(length == 0 ? "" : buffer_text(&hex));
    buffer_clear(&hex);
    return json;
}

/* The key as it is stored in SQLite, its storage classes kept, blobs as hex. Numbers are kept as
 * text: cJSON's own are doubles. */
static void append_source_key(struct buffer *out, const struct table *table, sqlite3_stmt *row)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t k = 0; k < table->key_count; k++) {
        int column = (int)table->key[k];
        int type = sqlite3_column_type(row, column);
        if (type == SQLITE_BLOB) {
            cJSON_AddItemToArray(array, bytes_json(row, column));
            continue;
        }
        // Without memory there is none, and the next step fails.
        const char *text = (const char *)sqlite3_column_text(row, column);
        if (type == SQLITE_INTEGER)
            cJSON_AddItemToArray(array, cJSON_CreateRaw(text));
        else if (type == SQLITE_FLOAT)
            cJSON_AddItemToArray(array, real_json(sqlite3_column_double(row, column)));
        else if (type == SQLITE_NULL)
            cJSON_AddItemToArray(array, cJSON_CreateNull());
        else
            cJSON_AddItemToArray(array, cJSON_CreateString(text == NULL ? "" : text));
    }
    append_key(out, table, array);
}

/* Appends a JSON value in its normal form, so that the way in which BigQuery writes it makes no
 * difference. A row's final hash is that of the hash of its other columns and these texts. Returns
 * whether the value was in its normal form. */
static bool append_json(struct buffer *out, struct slice json)
{
    buffer_append_byte(out, '\n');
    size_t begin = out->length;
    if (json.data == NULL)
        return true;
    if (!json_normal(json, out, NULL))
        buffer_append_slice(out, json);
    return out->failure == BUFFER_OK &&
           slice_equals((struct slice){out->data + begin, out->length - begin}, json);
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
    sqlite3_bind_int(drill_down->add_ours, 4, fits);
    bool ok = bind_slice(drill_down, drill_down->add_ours, 2, slice_of(hash), err) &&
              bind_slice(drill_down, drill_down->add_ours, 3, buffer_slice(&shown), err) &&
              bind_key(drill_down, drill_down->add_ours, key_text, err) &&
              run(drill_down, drill_down->add_ours, err);
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

static bool has_null(const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cells[i] == NULL)
            return true;
    return false;
}

bool drill_down_add_warehouse(
    struct drill_down *drill_down, size_t count, const char *const *cells, struct error *err)
{
    const struct table *table = drill_down->table;
    char hash[ROW_HASH_SIZE];
    struct buffer *text = &drill_down->text;
    struct buffer shown;
    const struct slice key_text = slice_of(cells[0] == NULL ? "" : cells[0]);
    size_t bucket = 0;

    if (!row_hash_bucket(drill_down->hash, key_text, &bucket, err))
        return false;
    buffer_reset(text);
    buffer_append_text(text, cells[1] == NULL ? "" : cells[1]);
    for (size_t at = 2 + table->key_count; at < count; at++)
        if (!append_json(text, slice_of(cells[at])))
            drill_down->spelled[bucket] = true;
    if (!buffer_check(text, "a row", err) ||
        !row_hash_text(drill_down->hash, buffer_slice(text), hash, err))
        return false;

    buffer_init(&shown, ROW_CEILING);
    append_warehouse_key(&shown, table, cells + 2);
    sqlite3_bind_int(drill_down->add_theirs, 4, !has_null(cells + 2, table->key_count));
    bool ok = bind_slice(drill_down, drill_down->add_theirs, 2, slice_of(hash), err) &&
              bind_slice(drill_down, drill_down->add_theirs, 3, buffer_slice(&shown), err) &&
              bind_key(drill_down, drill_down->add_theirs, key_text, err) &&
              run(drill_down, drill_down->add_theirs, err);
    buffer_clear(&shown);
    return ok;
}

bool drill_down_add_pending(
    struct drill_down *drill_down, struct slice key_text, int entries, struct error *err)
{
    sqlite3_bind_int(drill_down->add_pending, 2, entries);
    return bind_key(drill_down, drill_down->add_pending, key_text, err) &&
           run(drill_down, drill_down->add_pending, err);
}

/* --- what differs ------------------------------------------------------------------------ */

/* Runs a statement that returns keys; counts them all and lists the first ones. */
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
        if (count < VERIFY_KEYS_MAX)
            cJSON_AddItemToArray(
                out_keys, cJSON_CreateRaw((const char *)sqlite3_column_text(statement, 0)));
        count++;
    }
    sqlite3_finalize(statement);
    *out_count = count;
    return true;
}

/* One row a key: how many rows of SQLite hold it that fit and that do not, and how many of BigQuery
 * do. */
static const char verdicts_sql[] =
    "create index theirs_key on theirs(key, hash);"
    "create index ours_key on ours(key, hash);"
    "delete from pending where entries <= 0;"
    "create table verdicts as select key, min(bucket) as bucket, max(ours) as ours,"
    " max(theirs) as theirs, sum(fits) as fits, sum(misfits) as misfits, sum(held) as held,"
    " min(named) as named,"
    " key in (select key from pending) as pending from"
    " (select key, bucket, shown as ours, null as theirs, fits, not fits as misfits, 0 as held,"
    " 1 as named from ours union all select key, bucket, null, shown, 0, 0, 1, named from theirs)"
    " group by key;";

/* What is wrong with a key. A key that is pending is not compared. A rejected row counts as present
 * but is not compared: BigQuery may still hold an older version of it, which is neither extra nor
 * different; but no version of a row with NULL in its key was ever sent, except in mode replace. A
 * key that BigQuery holds too often is duplicated and, if one of its rows has another
 * content, also different. */
#define MULTISET   "(select multiset from mode)"
#define KEEPS      "(select keeps from mode)"
#define MISSING    "(fits > 0 and held < case when " MULTISET " then fits else 1 end)"
#define EXTRA      "(held > 0 and fits = 0 and (misfits = 0 or not (named or " MULTISET ")))"
#define DUPLICATED "(held > case when " MULTISET " then max(1, fits + misfits) else 1 end)"

/* None of BigQuery's rows beside a rejected row is one of SQLite's. Unless it is known which row
 * has the key, it may be an older version of the rejected one, and the others are rejected as well.
 */
#define UNKNOWN                                                                                    \
    "(fits > 0 and held > 0 and misfits > 0 and not exists (select 1 from theirs t join ours o"    \
    " on o.key = t.key and o.hash = t.hash where t.key = v.key and o.fits))"
#define OWNERS    "(select owners from mode)"
#define DISPLACED "(" UNKNOWN " and not " MULTISET " and not " OWNERS ")"

/* A row of BigQuery that SQLite does not hold, or not as often. */
#define DIFFERENT                                                                                  \
    "(fits > 0 and held > 0 and case when misfits = 0 then exists (select 1 from theirs t"         \
    " where t.key = v.key group by t.hash having count(*) > (select case when v.held = v.fits"     \
    " then count(*) else count(*) * v.held end from ours o where o.key = t.key"                    \
    " and o.hash = t.hash and o.fits)) else " UNKNOWN " and (" MULTISET " or " OWNERS ") end)"

static bool make_verdicts(struct drill_down *drill_down, bool owners_known, struct error *err)
{
    const struct table *table = drill_down->table;
    const bool multiset = table->mode == SEND_REPLACE;
    char mode[100];

    snprintf(
        mode, sizeof mode, "create table mode as select %d as multiset, %d as owners, %d as keeps",
        multiset, !multiset && owners_known, table->deletes == DELETES_KEEP);
    return database_exec(&drill_down->database, verdicts_sql, err) &&
           database_exec(&drill_down->database, mode, err) &&
           database_exec(
               &drill_down->database,
               "create table wrong as select key, bucket, ours, theirs, fits, misfits,"
               " " MISSING " as missing, " EXTRA " and not " KEEPS " as extra,"
               " " EXTRA " and " KEEPS " as kept, " DIFFERENT " as different,"
               " " DISPLACED " as displaced,"
               " " DUPLICATED " as duplicated from verdicts v where not pending",
               err);
}

static bool list_keys(struct drill_down *drill_down, struct verify_table *out, struct error *err)
{
    return list(
               drill_down, "select ours from wrong where missing order by key", out->missing,
               &out->missing_count, err) &&
           list(
               drill_down, "select theirs from wrong where extra order by key", out->extra,
               &out->extra_count, err) &&
           list(
               drill_down, "select ours from wrong where different order by key", out->different,
               &out->different_count, err) &&
           list(
               drill_down, "select theirs from wrong where duplicated order by key",
               out->duplicated, &out->duplicated_count, err);
}

/* Without a key, the key's text is that of the row, so equal rows are one group. */
static bool count_rows(struct drill_down *drill_down, struct verify_table *out, struct error *err)
{
    struct database *database = &drill_down->database;

    return database_query_int64(
               database, "select sum(fits - held) from verdicts where fits > held", 0,
               &out->missing_count, err) &&
           database_query_int64(
               database, "select sum(held - fits) from verdicts where held > fits", 0,
               &out->extra_count, err) &&
           database_query_int64(
               database, "select count(*) from wrong where different", 0, &out->different_count,
               err);
}

bool drill_down_compare(
    struct drill_down *drill_down, bool owners_known, struct verify_table *out, struct error *err)
{
    struct database *database = &drill_down->database;
    int64_t pending = 0;
    int64_t surplus = 0;
    int64_t displaced = 0;
    int64_t kept = 0;

    if (!make_verdicts(drill_down, owners_known, err) ||
        !(drill_down->table->key_count == 0 ? count_rows : list_keys)(drill_down, out, err) ||
        !database_query_int64(
            database,
            "select count(*) from pending where key not in"
            " (select key from verdicts where misfits > 0 and fits = 0)",
            0, &pending, err) ||
        !database_query_int64(
            database, "select sum(fits - 1) from wrong where fits > 1 and not " MULTISET, 0,
            &surplus, err) ||
        !database_query_int64(database, "select sum(displaced) from wrong", 0, &displaced, err) ||
        !database_query_int64(database, "select sum(kept) from wrong", 0, &kept, err))
        return false;
    out->kept += kept;
    out->pending += pending;
    out->rejected += surplus + displaced;
    return true;
}

bool drill_down_explain(
    struct drill_down *drill_down, bool explained[ROW_HASH_BUCKETS], struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;

    if (!database_prepare(
            &drill_down->database,
            "select bucket from pending union select bucket from wrong where missing or extra"
            " or kept or different or duplicated or misfits > 0 or (fits > 1 and not " MULTISET ")",
            &statement, err))
        return false;
    bool ok = true;
    memcpy(explained, drill_down->spelled, sizeof drill_down->spelled);
    while (ok && row) {
        ok = database_step(&drill_down->database, statement, &row, err);
        if (ok && row)
            explained[sqlite3_column_int64(statement, 0) % ROW_HASH_BUCKETS] = true;
    }
    sqlite3_finalize(statement);
    return ok;
}
