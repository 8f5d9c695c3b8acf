#include "source/capture_guard.h"

#include "source/capture_index_text.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <string.h>
#include <strings.h>

/* One unique constraint as the guards need it. */
struct constraint {
    struct buffer match;   /* the condition that a row of the table is in the way of the new one */
    struct buffer columns; /* for UPDATE OF */
    bool any_update;       /* a column of it may change without being named in SET */
    size_t key_columns;    /* how many of the key's columns it compares byte by byte */
};

static void constraint_init(struct constraint *constraint)
{
    *constraint = (struct constraint){0};
    buffer_init(&constraint->match, SQLITE_SQL_CEILING);
    buffer_init(&constraint->columns, SQLITE_SQL_CEILING);
}

static void constraint_clear(struct constraint *constraint)
{
    buffer_clear(&constraint->match);
    buffer_clear(&constraint->columns);
}

static bool is_key_column(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->key_count; i++) {
        if (strcasecmp(name, sqlite_sql_key_name(table, i)) == 0)
            return true;
    }
    return false;
}

/* Appends new."c"; with fallback, the default that REPLACE stores instead of a NULL. */
static void append_new_value(struct buffer *out, const char *name, const char *fallback)
{
    if (fallback == NULL)
        sqlite_sql_append(out, "new.$n", name);
    else
        sqlite_sql_append(out, "coalesce(new.$n, ($r))", name, fallback);
}

/* The application's text on lines of its own: it may end in a comment. */
static void append_nested(
    struct buffer *out, const char *before, struct slice text, const char *after)
{
    buffer_append_text(out, before);
    buffer_append_slice(out, text);
    buffer_append_text(out, "\n");
    buffer_append_text(out, after);
}

/* An expression's value for the new row: the expression over a row made of the new values, under
 * the table's name in case the expression spells it; NULL if the index leaves the row out. The
 * filter comes first: where it is false the expression may be an error (json_extract of a text that
 * is not JSON). */
static bool append_new_expression(
    const struct source_table *in, struct slice expression, struct slice filter, struct buffer *out,
    struct error *err)
{
    struct database *source = in->source;
    const char *table = in->table->name;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool first = true;
    bool ok = false;

    if (!statement_bind(
            source,
            "select name, case when \"notnull\" then dflt_value end from pragma_table_xinfo(?1)"
            " where hidden <> 1",
            &statement, err, "s", table))
        return false;
    buffer_append_text(out, "(select ");
    if (filter.length > 0) {
        append_nested(out, "case when (", filter, ") then (");
        append_nested(out, "", expression, ") end");
    } else {
        append_nested(out, "(", expression, ")");
    }
    buffer_append_text(out, " from (select ");
    for (;;) {
        if (!database_step(source, statement, &row, err))
            goto cleanup;
        if (!row)
            break;
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        buffer_append_text(out, first ? "" : ", ");
        append_new_value(out, name, (const char *)sqlite3_column_text(statement, 1));
        sqlite_sql_append(out, " as $n", name);
        first = false;
    }
    sqlite_sql_append(out, ") as $n)", table);
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}

/* Columns of the statement below. */
enum {
    ITEM_INDEX,
    ITEM_POSITION,
    ITEM_NAME,
    ITEM_COLLATION,
    ITEM_DEFAULT,
    ITEM_HIDDEN,
    ITEM_SQL,
    ITEM_PARTIAL
};

static const char items_sql[] =
    "select l.name, x.seqno, x.name, x.coll, case when c.\"notnull\" then c.dflt_value end,"
    " coalesce(c.hidden, 0), m.sql, l.partial"
    " from pragma_index_list(?1) l, pragma_index_xinfo(l.name) x"
    " left join pragma_table_xinfo(?1) c on c.name = x.name"
    " left join sqlite_master m on m.type = 'index' and m.name = l.name"
    " where l.\"unique\" and x.key order by l.name, x.seqno";

static bool add_item(
    const struct source_table *in, sqlite3_stmt *item, struct constraint *constraint,
    struct error *err)
{
    const struct table *table = in->table;
    const char *name = (const char *)sqlite3_column_text(item, ITEM_NAME);
    const char *collation = (const char *)sqlite3_column_text(item, ITEM_COLLATION);
    const char *fallback = (const char *)sqlite3_column_text(item, ITEM_DEFAULT);
    const char *sql = (const char *)sqlite3_column_text(item, ITEM_SQL);
    struct buffer *match = &constraint->match;
    struct slice expression;
    struct slice filter = {0};

    // Without its filter a partial index cannot be used, and the guard would read the whole table.
    if (sqlite3_column_int(item, ITEM_PARTIAL) == 1 &&
        (sql == NULL || !capture_index_text_filter(sql, &filter)))
        return error_set(
            err, ERROR_SCHEMA, "cannot read the filter of the unique index %s of %s",
            (const char *)sqlite3_column_text(item, ITEM_INDEX), table->name);
    if (filter.length > 0 && match->length == 0)
        append_nested(match, "(", filter, ")");
    buffer_append_text(match, match->length > 0 ? " and " : "");
    if (name != NULL) {
        sqlite_sql_append(match, "$n.$n collate $n = ", table->name, name, collation);
        append_new_value(match, name, fallback);
        sqlite_sql_append(
            &constraint->columns, "$r$n", constraint->columns.length > 0 ? ", " : "", name);
        // A generated column changes with the columns it is made from.
        constraint->any_update |= sqlite3_column_int(item, ITEM_HIDDEN) > 1;
        if (is_key_column(table, name) && strcasecmp(collation, "binary") == 0)
            constraint->key_columns++;
        return true;
    }
    constraint->any_update = true;
    if (sql == NULL ||
        !capture_index_text_item(sql, (size_t)sqlite3_column_int(item, ITEM_POSITION), &expression))
        return error_set(
            err, ERROR_SCHEMA, "cannot read the expressions of the unique index %s of %s",
            (const char *)sqlite3_column_text(item, ITEM_INDEX), table->name);
    append_nested(match, "(", expression, "");
    sqlite_sql_append(match, ") collate $n = ", collation);
    return append_new_expression(in, expression, filter, match, err);
}

/* The other row's key columns, with a text before and behind each and one between them. */
static void append_key(
    struct buffer *out, const struct table *table, const char *before, const char *behind,
    const char *between)
{
    for (size_t i = 0; i < table->key_count; i++)
        sqlite_sql_append(
            out, "$r$r$n.$n$r", i > 0 ? between : "", before, table->name,
            sqlite_sql_key_name(table, i), behind);
}

/* Appends the condition for the other row: it is in the way, has a key, is not the row that
 * changes, and is not found by its id alone. */
static void append_from(
    struct buffer *out, const struct source_table *in, const struct constraint *constraint,
    const char *event)
{
    const struct table *table = in->table;
    bool update = strcmp(event, "update") == 0;

    sqlite_sql_append(out, "from $n\n    where ", table->name);
    buffer_append_slice(out, buffer_slice(&constraint->match));
    if (!in->shape->integer_key)
        append_key(out, table, "\n      and ", " is not null", "");
    // The new row of an INSERT has no INTEGER PRIMARY KEY yet, if SQLite is to choose one.
    if (update || !in->shape->integer_key) {
        buffer_append_text(out, "\n      and (");
        for (size_t i = 0; i < table->key_count; i++)
            sqlite_sql_append(
                out, "$r$n.$n collate binary is not $r.$n", i > 0 ? " or " : "", table->name,
                sqlite_sql_key_name(table, i), update ? "old" : "new",
                sqlite_sql_key_name(table, i));
        buffer_append_text(out, ")");
    }
    if (in->shape->integer_key)
        sqlite_sql_append(
            out,
            "\n      and coalesce($n.$n <= (select watermark from bq_sync_capture"
            " where table_name = $t), 1)",
            table->name, sqlite_sql_key_name(table, 0), table->name);
}

/* Why a guard looks as it does.
 *
 * REPLACE deletes every row that is in the way of the new one. If such a row is in the way because
 * of another unique constraint than the key, its key is not the new row's, and SQLite fires no
 * DELETE trigger for it (unless recursive_triggers is on), so its deletion would never reach
 * BigQuery. A BEFORE trigger still sees that row, and lists its key as changed. It fires for every
 * INSERT and UPDATE, not only for REPLACE, because a trigger cannot see the conflict policy; if the
 * statement then fails, the entry is rolled back with it, and if it ignores the row, the entry only
 * makes bqsync send that row once more. Inside the body the outer statement's conflict policy
 * applies to our own INSERT too ("or replace", "or ignore"), except where an upsert clause is
 * given; hence "on conflict do update", which also accepts a row that is in the way twice. */
static void append_trigger(
    struct buffer *out, const struct source_table *in, const struct constraint *constraint,
    int number, const char *event)
{
    const struct table *table = in->table;
    char suffix[48];

    sqlite3_snprintf(sizeof suffix, suffix, "_replace_%d_%s", number, event);
    sqlite_sql_append(
        out, "create trigger if not exists $g\nbefore $r", table->name, suffix, event);
    if (strcmp(event, "update") == 0 && !constraint->any_update) {
        buffer_append_text(out, " of ");
        buffer_append_slice(out, buffer_slice(&constraint->columns));
    }
    sqlite_sql_append(out, " on $n\nwhen exists (\n    select 1 ", table->name);
    append_from(out, in, constraint, event);
    sqlite_sql_expand(
        out, table, "\n  )\nbegin\n  insert into $d ($k, bq_sync_sequence)\n    select ");
    append_key(out, table, "", "", ", ");
    sqlite_sql_expand(
        out, table, ", coalesce((select sequence from bq_sync_capture where table_name = $t), 0) ");
    append_from(out, in, constraint, event);
    sqlite_sql_expand(
        out, table,
        "\n    on conflict ($k) do update\n    set bq_sync_sequence = excluded.bq_sync_sequence"
        "\n    where bq_sync_sequence <> excluded.bq_sync_sequence;\nend;\n");
}

/* A constraint that compares the whole key removes a row of the same key only, which the key's own
 * triggers note. */
static void append_guards(
    struct buffer *out, const struct source_table *in, const struct constraint *constraint,
    int number)
{
    if (constraint->match.length == 0 || constraint->key_columns == in->table->key_count)
        return;
    append_trigger(out, in, constraint, number, "insert");
    append_trigger(out, in, constraint, number, "update");
}

static bool append_index_guards(
    const struct source_table *in, struct buffer *out, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    struct constraint constraint;
    char index[512] = "";
    char name[512] = "";
    int number = 0;
    bool row = false;
    bool ok = false;

    constraint_init(&constraint);
    if (!statement_bind(in->source, items_sql, &statement, err, "s", in->table->name))
        goto cleanup;
    for (;;) {
        if (!database_step(in->source, statement, &row, err))
            goto cleanup;
        if (row)
            statement_text(statement, ITEM_INDEX, name, sizeof name);
        if (!row || strcmp(name, index) != 0) {
            append_guards(out, in, &constraint, number);
            constraint_clear(&constraint);
            constraint_init(&constraint);
            number++;
            strcpy(index, name);
        }
        if (!row)
            break;
        if (!add_item(in, statement, &constraint, err))
            goto cleanup;
        if (!buffer_check(&constraint.match, "guard", err))
            goto cleanup;
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    constraint_clear(&constraint);
    return ok;
}

static bool has_column(
    struct database *source, const char *table, const char *name, bool *out_exists,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (!statement_bind(
            source, "select 1 from pragma_table_xinfo(?1) where lower(name) = ?2", &statement, err,
            "ss", table, name))
        return false;
    bool ok = database_step(source, statement, out_exists, err);
    sqlite3_finalize(statement);
    return ok;
}

/* The name by which the table's rowid can be had, NULL if it has none (WITHOUT ROWID) or columns
 * take all of them. */
static bool find_rowid(
    struct database *source, const char *table, const char **out_name, struct error *err)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    bool taken = true;

    *out_name = NULL;
    for (size_t i = 0; taken && i < sizeof names / sizeof names[0]; i++) {
        if (!has_column(source, table, names[i], &taken, err))
            return false;
        if (!taken)
            *out_name = names[i];
    }
    if (*out_name == NULL)
        return true;
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "select $r from $n limit 0", *out_name, table);
    bool ok = buffer_check(&sql, "statement", err);
    if (ok &&
        sqlite3_prepare_v2(source->handle, buffer_text(&sql), -1, &statement, NULL) != SQLITE_OK)
        *out_name = NULL;
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

/* Where the key is not the rowid, a rowid that is given explicitly can be in another row's way. */
static bool append_rowid_guards(
    const struct source_table *in, struct buffer *out, struct error *err)
{
    struct constraint constraint;
    const char *rowid = NULL;

    if (in->shape->integer_key)
        return true;
    if (!find_rowid(in->source, in->table->name, &rowid, err))
        return false;
    if (rowid == NULL)
        return true;
    constraint_init(&constraint);
    constraint.any_update = true;
    sqlite_sql_append(&constraint.match, "$n.$r = new.$r", in->table->name, rowid, rowid);
    append_guards(out, in, &constraint, 0);
    constraint_clear(&constraint);
    return true;
}

bool capture_guard_append_sql(
    const struct source_table *in, struct buffer *out_sql, struct error *err)
{
    return append_rowid_guards(in, out_sql, err) && append_index_guards(in, out_sql, err) &&
           buffer_check(out_sql, "guards", err);
}
