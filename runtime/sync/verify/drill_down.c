#include "sync/verify/drill_down.h"

#include "base/buffer.h"
#include "base/json_normal.h"
#include "source/database.h"
#include "sync/verify/row_text.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define ROW_CEILING (64u << 20)

struct differ {
    struct database database; /* temporary, private */
    sqlite3_stmt *add_ours;
    sqlite3_stmt *add_theirs;
    sqlite3_stmt *add_pending;
    EVP_MD *sha256;
    EVP_MD_CTX *context;
    struct buffer text;
};

static const char schema[] =
    "create table ours(key text primary key, hash text, shown text, fits integer) without rowid;"
    "create table theirs(key text, hash text, shown text);"
    "create table pending(key text primary key) without rowid;"
    "begin";

bool differ_new(struct differ **out_differ, struct error *err)
{
    struct differ *differ = calloc(1, sizeof *differ);

    if (differ == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    buffer_init(&differ->text, ROW_CEILING);
    differ->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    differ->context = EVP_MD_CTX_new();

    // An empty name is a private database on disk that goes with its connection ("Temporary
    // Databases").
    if (differ->sha256 == NULL || differ->context == NULL ||
        sqlite3_open("", &differ->database.handle) != SQLITE_OK) {
        differ_free(differ);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    differ->database.path = strdup("temporary database");
    if (!database_exec(&differ->database, schema, err) ||
        !database_prepare(
            &differ->database, "insert or replace into ours values(?1, ?2, ?3, ?4)",
            &differ->add_ours, err) ||
        !database_prepare(
            &differ->database, "insert into theirs values(?1, ?2, ?3)", &differ->add_theirs, err) ||
        !database_prepare(
            &differ->database, "insert or ignore into pending values(?1)", &differ->add_pending,
            err)) {
        differ_free(differ);
        return false;
    }
    *out_differ = differ;
    return true;
}

void differ_free(struct differ *differ)
{
    if (differ == NULL)
        return;
    sqlite3_finalize(differ->add_ours);
    sqlite3_finalize(differ->add_theirs);
    sqlite3_finalize(differ->add_pending);
    sqlite3_close(differ->database.handle);
    free(differ->database.path);
    EVP_MD_CTX_free(differ->context);
    EVP_MD_free(differ->sha256);
    buffer_clear(&differ->text);
    free(differ);
}

bool differ_hash(
    struct differ *differ, struct slice text, char out_hex[DIFFER_HEX_SIZE], struct error *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (EVP_DigestInit_ex2(differ->context, differ->sha256, NULL) != 1 ||
        EVP_DigestUpdate(differ->context, text.data, text.length) != 1 ||
        EVP_DigestFinal_ex(differ->context, hash, &length) != 1)
        return error_set(err, ERROR_MEMORY, "SHA-256 failed");
    for (unsigned i = 0; i < length; i++) {
        out_hex[2 * i] = digits[hash[i] >> 4];
        out_hex[2 * i + 1] = digits[hash[i] & 15];
    }
    out_hex[2 * (size_t)length] = '\0';
    return true;
}

static bool run(struct differ *differ, sqlite3_stmt *statement, struct error *err)
{
    bool row = false;
    bool ok = database_step(&differ->database, statement, &row, err);

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return ok;
}

static void bind_slice(sqlite3_stmt *statement, int at, struct slice text)
{
    sqlite3_bind_text64(statement, at, text.data, text.length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* The key as people wrote it in SQLite: one value, or an array of them. */
static void append_shown(struct buffer *out, const struct table *table, sqlite3_stmt *row)
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
    char *json = cJSON_PrintUnformatted(table->key_count == 1 ? array->child : array);
    buffer_append_text(out, json == NULL ? "null" : json);
    cJSON_free(json);
    cJSON_Delete(array);
}

/* Behind the hash of everything else, each JSON value in its normal form, so that BigQuery's way of
 * writing it does not count. */
static void append_json(struct buffer *out, struct slice json)
{
    buffer_append_byte(out, '\n');
    if (json.data != NULL && !json_normal(json, out))
        buffer_append_slice(out, json);
}

bool differ_add_ours(
    struct differ *differ, const struct table *table, struct column_reader *in,
    struct slice key_text, bool fits, struct error *err)
{
    char hash[DIFFER_HEX_SIZE];
    struct buffer *text = &differ->text;
    struct buffer shown;

    buffer_reset(text);
    rowtext_append(text, in, table, ROWTEXT_COMPARED);
    if (!differ_hash(differ, buffer_slice(text), hash, err))
        return false;
    buffer_reset(text);
    buffer_append_text(text, hash);
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type == COLUMN_JSON)
            append_json(text, column_json(in, i));
    if (!buffer_check(text, "a row", err) || !differ_hash(differ, buffer_slice(text), hash, err))
        return false;

    buffer_init(&shown, ROW_CEILING);
    append_shown(&shown, table, in->row);
    bind_slice(differ->add_ours, 1, key_text);
    bind_slice(differ->add_ours, 2, slice_of(hash));
    bind_slice(differ->add_ours, 3, buffer_slice(&shown));
    sqlite3_bind_int(differ->add_ours, 4, fits);
    bool ok = run(differ, differ->add_ours, err);
    buffer_clear(&shown);
    return ok;
}

/* BigQuery's key cells: numbers stay numbers. */
static void append_shown_cells(
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
    char *json = cJSON_PrintUnformatted(table->key_count == 1 ? array->child : array);
    buffer_append_text(out, json == NULL ? "null" : json);
    cJSON_free(json);
    cJSON_Delete(array);
}

bool differ_add_theirs(
    struct differ *differ, const struct table *table, size_t count, const char *const *cells,
    struct error *err)
{
    char hash[DIFFER_HEX_SIZE];
    struct buffer *text = &differ->text;
    struct buffer shown;
    size_t at = 2 + table->key_count;

    buffer_reset(text);
    buffer_append_text(text, cells[1] == NULL ? "" : cells[1]);
    for (; at < count; at++)
        append_json(text, slice_of(cells[at]));
    if (!buffer_check(text, "a row", err) || !differ_hash(differ, buffer_slice(text), hash, err))
        return false;

    buffer_init(&shown, ROW_CEILING);
    append_shown_cells(&shown, table, cells + 2);
    bind_slice(differ->add_theirs, 1, slice_of(cells[0] == NULL ? "" : cells[0]));
    bind_slice(differ->add_theirs, 2, slice_of(hash));
    bind_slice(differ->add_theirs, 3, buffer_slice(&shown));
    bool ok = run(differ, differ->add_theirs, err);
    buffer_clear(&shown);
    return ok;
}

bool differ_add_pending(struct differ *differ, struct slice key_text, struct error *err)
{
    bind_slice(differ->add_pending, 1, key_text);
    return run(differ, differ->add_pending, err);
}

/* --- the verdict ------------------------------------------------------------------------- */

static bool list(
    struct differ *differ, const char *sql, cJSON *out_keys, int64_t *out_count, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int64_t count = 0;

    if (!database_prepare(&differ->database, sql, &statement, err))
        return false;
    for (;;) {
        bool row = false;
        if (!database_step(&differ->database, statement, &row, err)) {
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

bool differ_settle(struct differ *differ, struct verify_table *out, struct error *err)
{
    int64_t pending = 0;

    // Rejected keys are listed as changed, to be tried again: they count as rejected, not as
    // pending.
    if (!database_exec(
            &differ->database,
            "create index theirs_key on theirs(key);"
            "delete from pending where key in (select key from ours where not fits);",
            err))
        return false;
    if (!list(
            differ,
            "select o.shown from ours o where o.fits and not exists "
            "(select 1 from theirs t where t.key = o.key)" NOT_PENDING("o") "order by o.key",
            out->missing, &out->missing_count, err) ||
        !list(
            differ,
            "select t.shown from theirs t where not exists (select 1 from ours o where o.key = "
            "t.key)" NOT_PENDING("t") "group by t.key order by t.key",
            out->extra, &out->extra_count, err) ||
        !list(
            differ,
            "select o.shown from ours o join theirs t on t.key = o.key where o.fits" NOT_PENDING(
                "o") "group by o.key having sum(t.hash <> o.hash) > 0 order by o.key",
            out->different, &out->different_count, err) ||
        !list(
            differ,
            "select t.shown from theirs t where true" NOT_PENDING(
                "t") "group by t.key having count(*) > 1 order by t.key",
            out->duplicated, &out->duplicated_count, err) ||
        !list(differ, "select key from pending", NULL, &pending, err))
        return false;
    out->pending += pending;
    return true;
}
