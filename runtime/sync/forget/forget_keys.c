#include "sync/forget/forget_keys.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/text_fit.h"
#include "encode/column_reader.h"
#include "source/sqlite_sql.h"
#include "sync/row_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_CEILING (64u << 20)

/* A statement whose rows have keys, with what makes hashes of them. */
struct hashing {
    struct database *source;
    const struct table *table;
    sqlite3_stmt *statement;
    struct column_reader in;
    struct row_hash hash;
    struct buffer text;
};

/* The table's columns in order, of which only those of the key are read: from the table, or
 * parameters in the order of the key. */
static void append_select(struct buffer *sql, const struct table *table, bool parameters)
{
    buffer_append_text(sql, "select ");
    for (size_t i = 0; i < table->column_count; i++) {
        size_t number = 0;
        for (size_t k = 0; k < table->key_count; k++)
            if (table->key[k] == i)
                number = k + 1;
        buffer_append_text(sql, i > 0 ? ", " : "");
        if (number == 0)
            buffer_append_text(sql, "null");
        else if (parameters)
            buffer_printf(sql, "?%zu", number);
        else
            sqlite_sql_append(sql, "$n.$n", table->name, table->columns[i].source);
    }
    if (!parameters)
        sqlite_sql_append(sql, " from $n", table->name);
}

static void hashing_clear(struct hashing *hashing)
{
    column_reader_clear(&hashing->in);
    row_hash_clear(&hashing->hash);
    buffer_clear(&hashing->text);
    sqlite3_finalize(hashing->statement);
}

/* To be cleared in any case. */
static bool hashing_init(
    struct hashing *hashing, struct database *source, const struct table *table, bool parameters,
    struct error *err)
{
    struct buffer sql;

    *hashing = (struct hashing){.source = source, .table = table};
    buffer_init(&hashing->text, TEXT_CEILING);
    buffer_init(&sql, SQLITE_SQL_CEILING);
    append_select(&sql, table, parameters);
    bool ok = buffer_check(&sql, "statement", err) &&
              database_prepare(source, buffer_text(&sql), &hashing->statement, err) &&
              row_hash_init(&hashing->hash, err) &&
              column_reader_init(&hashing->in, table, hashing->statement, err);
    buffer_clear(&sql);
    return ok;
}

/* The hash of the key of the row that the statement is on. *out_fits: it is a key. */
static bool hash_row(
    struct hashing *hashing, char out_hex[ROW_HASH_SIZE], bool *out_fits, struct error *err)
{
    buffer_reset(&hashing->text);
    column_reader_next(&hashing->in, true);
    row_text_append(&hashing->text, &hashing->in, hashing->table, ROW_TEXT_KEY);
    *out_fits = column_reader_key_fits(&hashing->in);
    return buffer_check(&hashing->text, "a key", err) &&
           row_hash_text(&hashing->hash, buffer_slice(&hashing->text), out_hex, err);
}

/* --- keys as they are named --------------------------------------------------------------- */

static bool refuse(
    const struct table *table, const struct forget_key *key, const char *why, struct error *err)
{
    return error_set(
        err, ERROR_USAGE, "%s cannot be a key of %s: %s", text_or_quotes(key->given), table->name,
        why);
}

/* Binds hex digits as the bytes that they stand for; false if the text is nothing of the kind. */
static bool bind_bytes(sqlite3_stmt *statement, int at, const char *hex)
{
    size_t length = strlen(hex);
    unsigned char *bytes = malloc(length / 2 + 1);
    bool ok = bytes != NULL && length % 2 == 0 && strspn(hex, "0123456789abcdefABCDEF") == length;

    for (size_t i = 0; ok && i < length / 2; i++)
        bytes[i] =
            (unsigned char)((unsigned)hex_digit(hex[2 * i]) << 4 | (unsigned)hex_digit(hex[2 * i + 1]));
    if (ok)
        sqlite3_bind_blob64(statement, at, bytes, length / 2, SQLITE_TRANSIENT);
    free(bytes);
    return ok;
}

/* A number in the text as SQLite would store it; false if it is none. */
static bool bind_number(sqlite3_stmt *statement, int at, const char *text)
{
    char *end;

    if (*text == '\0' || isspace((unsigned char)*text) != 0)
        return false;
    double number = strtod(text, &end);
    if (*end != '\0')
        return false;
    if (strspn(text, "+-0123456789") == strlen(text))
        sqlite3_bind_int64(statement, at, strtoll(text, NULL, 10));
    else
        sqlite3_bind_double(statement, at, number);
    return true;
}

static bool is_bytes(const struct table *table, size_t k)
{
    return table->columns[table->key[k]].type == COLUMN_BYTES;
}

/* Reads what is bound. */
static bool read_bound(
    struct hashing *hashing, struct forget_key *key, bool *out_fits, struct error *err)
{
    bool row = false;

    return database_step(hashing->source, hashing->statement, &row, err) &&
           hash_row(hashing, key->hash, out_fits, err);
}

static bool refuse_misfit(
    const struct hashing *hashing, const struct forget_key *key, struct error *err)
{
    const struct column_problem *problem = &hashing->in.problems[0];
    const struct table *table = hashing->table;
    char why[300];

    snprintf(
        why, sizeof why, "%.100s %s",
        hashing->in.problem_count > 0 ? table->columns[problem->column].name : "it",
        hashing->in.problem_count > 0 ? problem->reason : "does not fit");
    return refuse(table, key, why, err);
}

/* A key of one column. What is stored as a number may be no text that its column takes: a Julian
 * day. */
static bool read_value(struct hashing *hashing, struct forget_key *key, struct error *err)
{
    sqlite3_stmt *statement = hashing->statement;
    bool fits = false;

    if (is_bytes(hashing->table, 0)) {
        if (!bind_bytes(statement, 1, key->given))
            return refuse(hashing->table, key, "BYTES are named by their hex digits", err);
    } else {
        int result = sqlite3_bind_text(statement, 1, key->given, -1, SQLITE_STATIC);
        if (!database_bound(hashing->source, result, err))
            return false;
    }
    if (!read_bound(hashing, key, &fits, err))
        return false;
    if (!fits) {
        sqlite3_reset(statement);
        if (bind_number(statement, 1, key->given) && !read_bound(hashing, key, &fits, err))
            return false;
    }
    return fits || refuse_misfit(hashing, key, err);
}

/* Binds the value that the row of json_each is on. */
static bool bind_member(
    struct hashing *hashing, size_t k, sqlite3_stmt *member, const struct forget_key *key,
    struct error *err)
{
    const char *type = (const char *)sqlite3_column_text(member, 1);
    int at = (int)k + 1;

    if (type == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (k >= hashing->table->key_count || strcmp(type, "null") == 0 ||
        strcmp(type, "object") == 0 || strcmp(type, "array") == 0)
        return refuse(
            hashing->table, key,
            "it needs one value, a text or a number, for each column of the key", err);
    if (!is_bytes(hashing->table, k)) {
        sqlite3_value *value = sqlite3_column_value(member, 0);
        return database_bound(
            hashing->source, sqlite3_bind_value(hashing->statement, at, value), err);
    }
    return bind_bytes(hashing->statement, at, (const char *)sqlite3_column_text(member, 0)) ||
           refuse(hashing->table, key, "BYTES are named by their hex digits", err);
}

static bool bind_members(
    struct hashing *hashing, sqlite3_stmt *members, const struct forget_key *key, struct error *err)
{
    size_t count = 0;
    bool more = false;

    int result = sqlite3_bind_text(members, 1, key->given, -1, SQLITE_STATIC);
    if (!database_bound(hashing->source, result, err))
        return false;
    for (;;) {
        if (!database_step(hashing->source, members, &more, err))
            return false;
        if (!more)
            break;
        if (!bind_member(hashing, count++, members, key, err))
            return false;
    }
    return count == hashing->table->key_count ||
           refuse(
               hashing->table, key,
               "a key of several columns is named by a JSON array of its values", err);
}

/* A key of several columns. */
static bool read_array(struct hashing *hashing, struct forget_key *key, struct error *err)
{
    sqlite3_stmt *members = NULL;
    bool fits = false;

    // Of what is no array there are no members.
    bool ok = database_prepare(
                  hashing->source,
                  "select value, type from json_each(case when json_valid(?1) then"
                  " case json_type(?1) when 'array' then ?1 else '[]' end else '[]' end)",
                  &members, err) &&
              bind_members(hashing, members, key, err) && read_bound(hashing, key, &fits, err);
    sqlite3_finalize(members);
    return ok && (fits || refuse_misfit(hashing, key, err));
}

static bool read_hashes(
    struct database *source, const struct table *table, struct forget_key *keys, size_t count,
    struct error *err)
{
    struct hashing hashing;
    bool ok = hashing_init(&hashing, source, table, true, err);

    for (size_t i = 0; ok && i < count; i++) {
        ok = table->key_count == 1 ? read_value(&hashing, &keys[i], err)
                                   : read_array(&hashing, &keys[i], err);
        sqlite3_reset(hashing.statement);
        sqlite3_clear_bindings(hashing.statement);
    }
    hashing_clear(&hashing);
    return ok;
}

bool forget_keys_transformed(const struct table *table)
{
    for (size_t k = 0; k < table->key_count; k++)
        if (table->columns[table->key[k]].transform != TRANSFORM_NONE)
            return true;
    return false;
}

static bool read_plain(
    struct database *source, const struct table *plain, struct forget_key *keys, size_t count,
    struct error *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < count; i++) {
        struct forget_key key = {.given = keys[i].given};
        ok = read_hashes(source, plain, &key, 1, err);
        if (ok)
            memcpy(keys[i].plain_hash, key.hash, sizeof key.hash);
        // What the column cannot hold without its transform was never sent so.
        ok = ok || err->code == ERROR_USAGE;
    }
    return ok;
}

bool forget_keys_read(
    struct database *source, const struct table *table, struct forget_key *keys, size_t count,
    struct error *err)
{
    struct table plain = *table;

    if (!read_hashes(source, table, keys, count, err))
        return false;
    if (!forget_keys_transformed(table))
        return true;
    struct column *columns = malloc(table->column_count * sizeof *columns);
    if (columns == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    memcpy(columns, table->columns, table->column_count * sizeof *columns);
    for (size_t k = 0; k < table->key_count; k++)
        columns[table->key[k]].transform = TRANSFORM_NONE;
    plain.columns = columns;
    bool ok = read_plain(source, &plain, keys, count, err);
    free(columns);
    return ok;
}

/* --- keys of rows ------------------------------------------------------------------------- */

static void note_live(struct forget_key *keys, size_t count, const char *hash, size_t *found)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].in_source || strcmp(keys[i].hash, hash) != 0)
            continue;
        keys[i].in_source = true;
        ++*found;
    }
}

bool forget_keys_find(
    struct database *source, const struct table *table, struct forget_key *keys, size_t count,
    size_t *out_found, struct error *err)
{
    struct hashing hashing;
    char hash[ROW_HASH_SIZE];
    bool fits = false;
    bool more = true;

    *out_found = 0;
    for (size_t i = 0; i < count; i++)
        keys[i].in_source = false;
    bool ok = hashing_init(&hashing, source, table, false, err);
    while (ok && more) {
        ok = database_step(source, hashing.statement, &more, err) &&
             (!clock_stopped() ||
              error_set(err, ERROR_STOPPED, "stopped while reading %s", table->name));
        if (!ok || !more)
            break;
        ok = hash_row(&hashing, hash, &fits, err);
        if (ok && fits)
            note_live(keys, count, hash, out_found);
    }
    hashing_clear(&hashing);
    return ok;
}
