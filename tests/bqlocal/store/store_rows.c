/* The SQLite tables that hold rows. */
#include "bqlocal/store/store.h"
#include "bqlocal/store/store_internal.h"
#include "bqlocal/store/value.h"

#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A statement over 2,000 columns of 300 bytes stays far below this. */
#define STATEMENT_BYTES_MAX ((size_t)16 << 20)

/* The SQLite table's name, quoted ("d.t" with its quotes), of sqlite3_malloc. */
static char *quoted_name(const char *dataset, const char *table)
{
    return sqlite3_mprintf("\"%w.%w\"", dataset, table);
}

static void append_quoted(struct buffer *out, const char *name)
{
    char *quoted = sqlite3_mprintf("\"%w\"", name);

    buffer_append_text(out, quoted == NULL ? "" : quoted);
    sqlite3_free(quoted);
}

/* The collation und:ci, as far as ASCII goes. */
static void append_definitions(struct buffer *out, const struct store_schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        append_quoted(out, schema->fields[i].name);
        buffer_append_text(out, schema->fields[i].ignores_case ? " collate nocase" : "");
    }
    if (schema->count == 0)
        append_quoted(out, STORE_NO_COLUMNS);
}

static bool create(
    struct store *store, const char *quoted, const struct store_schema *schema, struct error *err)
{
    struct buffer sql;
    bool ok = false;

    buffer_init(&sql, STATEMENT_BYTES_MAX);
    buffer_printf(&sql, "create table %s(", quoted);
    append_definitions(&sql, schema);
    buffer_append_byte(&sql, ')');
    if (buffer_check(&sql, "a table's columns", err))
        ok = store_execute(store, buffer_text(&sql), err);
    buffer_clear(&sql);
    return ok;
}

bool store_rows_create(
    struct store *store, const char *dataset, const char *table, const struct store_schema *schema,
    struct error *err)
{
    char *quoted = quoted_name(dataset, table);
    bool ok = quoted == NULL ? error_set(err, ERROR_MEMORY, "out of memory for %s", table)
                             : create(store, quoted, schema, err);

    sqlite3_free(quoted);
    return ok;
}

/* The expression that turns a column into the wider type. */
static void append_converted(struct buffer *out, const struct store_field *from, enum store_type to)
{
    bool to_text = from->type == STORE_INT64 && (to == STORE_NUMERIC || to == STORE_BIGNUMERIC);
    bool to_real = to == STORE_FLOAT64 && from->type != STORE_FLOAT64;

    if (to_text || to_real)
        buffer_append_text(out, "cast(");
    append_quoted(out, from->name);
    if (to_text || to_real)
        buffer_append_text(out, to_text ? " as text)" : " as real)");
}

static bool only_adds(const struct store_schema *from, const struct store_schema *to)
{
    if (from->count == 0)
        return to->count == 0;
    if (to->count < from->count)
        return false;
    for (size_t i = 0; i < from->count; i++)
        if (strcmp(from->fields[i].name, to->fields[i].name) != 0 ||
            from->fields[i].type != to->fields[i].type)
            return false;
    return true;
}

static bool add_columns(
    struct store *store, const char *quoted, const struct store_schema *schema, size_t first,
    struct error *err)
{
    for (size_t i = first; i < schema->count; i++)
        if (!store_executef(
                store, err, "alter table %s add column \"%w\"", quoted, schema->fields[i].name))
            return false;
    return true;
}

/* Copies the rows into a new table of the same name. */
static bool rewrite(
    struct store *store, const char *quoted, const struct store_schema *from,
    const struct store_schema *to, struct error *err)
{
    static const char aside[] = "\"bqlocal.rebuild\"";
    struct buffer sql;
    bool ok = false;

    buffer_init(&sql, STATEMENT_BYTES_MAX);
    buffer_printf(&sql, "insert into %s select ", aside);
    if (to->count == 0)
        buffer_append_text(&sql, "null");
    for (size_t i = 0; i < to->count; i++) {
        const struct store_field *source = store_schema_find(from, to->fields[i].name);
        if (i > 0)
            buffer_append_byte(&sql, ',');
        if (source == NULL)
            buffer_append_text(&sql, "null");
        else
            append_converted(&sql, source, to->fields[i].type);
    }
    buffer_printf(&sql, " from %s order by rowid", quoted);
    if (!buffer_check(&sql, "a table's columns", err))
        goto cleanup;
    ok = create(store, aside, to, err) && store_execute(store, buffer_text(&sql), err) &&
         store_executef(store, err, "drop table %s", quoted) &&
         store_executef(store, err, "alter table %s rename to %s", aside, quoted);

cleanup:
    buffer_clear(&sql);
    return ok;
}

bool store_rows_rebuild(
    struct store *store, const char *dataset, const char *table, const struct store_schema *from,
    const struct store_schema *to, struct error *err)
{
    char *quoted = quoted_name(dataset, table);
    bool ok;

    if (quoted == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for %s", table);
    if (only_adds(from, to))
        ok = add_columns(store, quoted, to, from->count, err);
    else
        ok = rewrite(store, quoted, from, to, err);
    sqlite3_free(quoted);
    return ok;
}
