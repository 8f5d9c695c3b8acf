#include "source/capture_guard.h"

#include "base/text_fit.h"
#include "source/capture_collation.h"
#include "source/capture_filter.h"
#include "source/capture_keyless.h"
#include "source/lent_collation.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the columns of the table are to the guards. */
struct columns {
    struct capture_filter_names names; /* those that a filter may name */
    bool *used;                        /* by the filter of the present constraint, one each */
    bool generated;                    /* the table has generated columns */
    char *id; /* that may be an alias of the rowid, owned; NULL if none can be */
};

/* One unique constraint as the guards need it. */
struct constraint {
    char name[512];        /* of its index */
    struct buffer filter;  /* which rows a partial index has */
    struct buffer match;   /* the condition that a row of the table is in the way of the new one */
    struct buffer columns; /* for UPDATE OF */
    size_t key_columns;    /* how many of the key's columns it compares byte by byte */
    const char *problem;   /* why no trigger can tell which rows are in the way; NULL if one can */
};

static void constraint_init(struct constraint *constraint)
{
    *constraint = (struct constraint){0};
    buffer_init(&constraint->filter, SQLITE_SQL_CEILING);
    buffer_init(&constraint->match, SQLITE_SQL_CEILING);
    buffer_init(&constraint->columns, SQLITE_SQL_CEILING);
}

static void constraint_clear(struct constraint *constraint)
{
    buffer_clear(&constraint->filter);
    buffer_clear(&constraint->match);
    buffer_clear(&constraint->columns);
}

/* Whether nothing of it was lost. */
static bool constraint_check(const struct constraint *constraint, struct error *err)
{
    return buffer_check(&constraint->match, "guard", err) &&
           buffer_check(&constraint->columns, "guard", err) &&
           buffer_check(&constraint->filter, "guard", err);
}

static void columns_clear(struct columns *columns)
{
    for (size_t i = 0; i < columns->names.count; i++)
        free((char *)columns->names.columns[i]);
    free((void *)columns->names.columns);
    free(columns->used);
    free(columns->id);
    *columns = (struct columns){0};
}

static bool add_column(struct columns *columns, const char *name, struct error *err)
{
    size_t count = columns->names.count;
    const char **names = realloc((void *)columns->names.columns, (count + 1) * sizeof *names);

    if (names == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    columns->names.columns = names;
    names[count] = strdup(name);
    if (names[count] == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    columns->names.count++;
    return true;
}

static bool note_id(struct columns *columns, const char *name, struct error *err)
{
    free(columns->id);
    columns->id = strdup(name);
    return columns->id != NULL || error_set(err, ERROR_MEMORY, "out of memory");
}

static bool read_columns(const struct source_table *in, struct columns *out, struct error *err)
{
    const char *table = in->table->name;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool builtin = false;
    bool ok = false;

    *out = (struct columns){.names.table = table};
    if (!statement_bind(
            in->source,
            "select name, hidden, pk > 0 and type like 'integer' from pragma_table_xinfo(?1)",
            &statement, err, "s", table))
        return false;
    for (;;) {
        if (!database_step(in->source, statement, &row, err))
            goto cleanup;
        if (!row)
            break;
        const char *name = statement_borrow_text(statement, 0);
        if (sqlite3_column_int(statement, 2) == 1 && !note_id(out, name, err))
            goto cleanup;
        if (sqlite3_column_int(statement, 1) > 1) {
            out->generated = true;
            continue;
        }
        if (!capture_collation_of_column_is_builtin(in->source, table, name, &builtin, err) ||
            (builtin && !add_column(out, name, err)))
            goto cleanup;
    }
    out->used = calloc(out->names.count + 1, sizeof(bool));
    ok = out->used != NULL || error_set(err, ERROR_MEMORY, "out of memory");

cleanup:
    sqlite3_finalize(statement);
    return ok;
}

/* Columns of the statement below. */
enum {
    ITEM_INDEX,
    ITEM_NAME,
    ITEM_COLLATION,
    ITEM_DEFAULT,
    ITEM_GENERATED,
    ITEM_SQL,
    ITEM_PARTIAL,
    ITEM_PLACE
};

static const char items_sql[] =
    "select l.name, x.name, x.coll, c.\"notnull\" and c.dflt_value is not null, c.hidden > 1,"
    " m.sql, l.partial, x.seqno"
    " from pragma_index_list(?1) l, pragma_index_xinfo(l.name) x"
    " left join pragma_table_xinfo(?1) c on c.name = x.name"
    " left join sqlite_master m on m.type = 'index' and m.name = l.name"
    " where l.\"unique\" and x.key order by l.name, x.seqno";

static void append_update_name(struct constraint *constraint, const char *name)
{
    sqlite_sql_append(
        &constraint->columns, "$r$n", constraint->columns.length > 0 ? ", " : "", name);
}

/* The names by which SET can give a row another rowid. A column may have one of them; then a guard
 * fires for an UPDATE in which it has nothing to find. */
static void add_rowid_names(const struct columns *columns, struct constraint *constraint)
{
    static const char *const names[] = {"rowid", "oid", "_rowid_"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        append_update_name(constraint, names[i]);
    if (columns->id != NULL)
        append_update_name(constraint, columns->id);
}

/* SQLite compares the names in UPDATE OF with those in SET, and takes any name for a column's. So
 * the names of the rowid stand there as well where the column may be an alias of it. */
static void add_update_column(
    const struct columns *columns, struct constraint *constraint, const char *name)
{
    if (columns->id != NULL && strcasecmp(name, columns->id) == 0)
        add_rowid_names(columns, constraint);
    else
        append_update_name(constraint, name);
}

/* Rows enter and leave a partial index with the columns of its filter, so the filter's columns
 * count as the index's own. */
static void add_filter(
    const struct columns *columns, const char *sql, struct constraint *constraint)
{
    memset(columns->used, 0, columns->names.count * sizeof(bool));
    if (!capture_filter_read(sql, &columns->names, &constraint->filter, columns->used)) {
        constraint->problem = "its filter is more than comparisons of columns and literals";
        return;
    }
    for (size_t i = 0; i < columns->names.count; i++)
        if (columns->used[i])
            add_update_column(columns, constraint, columns->names.columns[i]);
}

/* The first item of an index brings its filter along. */
static void add_item(
    const struct source_table *in, const struct columns *columns, sqlite3_stmt *item,
    struct constraint *constraint)
{
    const struct table *table = in->table;
    const char *name = statement_borrow_text(item, ITEM_NAME);
    const char *collation = statement_borrow_text(item, ITEM_COLLATION);
    struct buffer *match = &constraint->match;

    if (constraint->name[0] == '\0') {
        statement_text(item, ITEM_INDEX, constraint->name, sizeof constraint->name);
        if (sqlite3_column_int(item, ITEM_PARTIAL) == 1)
            add_filter(columns, statement_borrow_text(item, ITEM_SQL), constraint);
    }
    if (sqlite3_column_type(item, ITEM_NAME) == SQLITE_NULL) {
        constraint->problem = "it is an index over an expression";
        return;
    }
    if (!lent_collation_is_builtin(collation))
        constraint->problem = "it compares with a collation of the application";
    else if (sqlite3_column_int(item, ITEM_GENERATED) == 1)
        constraint->problem = "it has a generated column";
    else if (sqlite3_column_int(item, ITEM_DEFAULT) == 1)
        constraint->problem = "REPLACE stores a column's default there instead of NULL";
    sqlite_sql_append(
        match, "$r$n.$n collate $n = new.$n", match->length > 0 ? " and " : "", table->name, name,
        collation, name);
    add_update_column(columns, constraint, name);
    if (sqlite_sql_is_key_name(table, name) && strcasecmp(collation, "binary") == 0)
        constraint->key_columns++;
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
    if (constraint->filter.length > 0) {
        buffer_append_text(out, "(");
        buffer_append_slice(out, buffer_slice(&constraint->filter));
        buffer_append_text(out, ") and ");
    }
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
    char kind[30];

    sqlite3_snprintf(sizeof kind, kind, "replace_%d_%s", number, event);
    sqlite_sql_append(out, "create trigger if not exists $g\nbefore $r", kind, table->name, event);
    if (strcmp(event, "update") == 0) {
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

/* The guards in the making. */
struct guards {
    const struct source_table *in;
    struct columns columns;
    struct buffer *out;
    char *problem; /* the first one, of problem_size bytes */
    size_t problem_size;
};

static void note_problem(struct guards *guards, const struct constraint *constraint)
{
    if (guards->problem[0] != '\0')
        return;
    if (constraint->problem != NULL)
        text_format(
            guards->problem, guards->problem_size,
            "triggers cannot tell which rows REPLACE removes through the unique index %.*s: %s",
            TEXT_FIT(constraint->name, 200), constraint->problem);
    else
        snprintf(
            guards->problem, guards->problem_size,
            "triggers that find the rows which REPLACE removes would have SQLite compute the "
            "generated columns before it has chosen the id of a new row");
}

/* A constraint that compares the whole key removes a row of the same key only, which the key's own
 * triggers note. */
static void append_guards(struct guards *guards, const struct constraint *constraint, int number)
{
    const struct columns *columns = &guards->columns;

    if (constraint->key_columns == guards->in->table->key_count)
        return;
    if (constraint->problem != NULL || (columns->generated && columns->id != NULL)) {
        note_problem(guards, constraint);
        return;
    }
    append_trigger(guards->out, guards->in, constraint, number, "insert");
    append_trigger(guards->out, guards->in, constraint, number, "update");
}

static bool append_index_guards(struct guards *guards, struct error *err)
{
    const struct source_table *in = guards->in;
    sqlite3_stmt *statement = NULL;
    struct constraint constraint;
    int number = 0;
    bool row = false;
    bool ok = false;

    constraint_init(&constraint);
    if (!statement_bind(in->source, items_sql, &statement, err, "s", in->table->name))
        goto cleanup;
    for (;;) {
        if (!database_step(in->source, statement, &row, err))
            goto cleanup;
        bool ends = !row || sqlite3_column_int(statement, ITEM_PLACE) == 0;
        if (ends && constraint.name[0] != '\0') {
            append_guards(guards, &constraint, ++number);
            constraint_clear(&constraint);
            constraint_init(&constraint);
        }
        if (!row)
            break;
        add_item(in, &guards->columns, statement, &constraint);
        if (!constraint_check(&constraint, err))
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
    return statement_has_row(
        source, "select 1 from pragma_table_xinfo(?1) where lower(name) = ?2", out_exists, err,
        "ss", table, name);
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
    if (ok && !database_prepare(source, buffer_text(&sql), &statement, err)) {
        *out_name = NULL;
        // A disk or a memory that failed does not say that there is none.
        ok = database_is_own_fault(source);
    }
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

/* Where the key is not the rowid, a rowid that is given explicitly can be in another row's way. */
static bool append_rowid_guards(struct guards *guards, struct error *err)
{
    const struct source_table *in = guards->in;
    struct constraint constraint;
    const char *rowid = NULL;

    if (in->shape->integer_key)
        return true;
    if (!find_rowid(in->source, in->table->name, &rowid, err))
        return false;
    if (rowid == NULL)
        return true;
    constraint_init(&constraint);
    add_rowid_names(&guards->columns, &constraint);
    sqlite_sql_append(&constraint.match, "$n.$r = new.$r", in->table->name, rowid, rowid);
    bool ok = constraint_check(&constraint, err);
    if (ok)
        append_guards(guards, &constraint, 0);
    constraint_clear(&constraint);
    return ok;
}

bool capture_guard_append_sql(
    const struct source_table *in, struct buffer *out_sql, char *out_problem, size_t size,
    struct error *err)
{
    struct guards guards = {.in = in, .out = out_sql, .problem = out_problem, .problem_size = size};

    out_problem[0] = '\0';
    bool ok = read_columns(in, &guards.columns, err) && append_rowid_guards(&guards, err) &&
              append_index_guards(&guards, err);
    capture_keyless_append_sql(in, out_sql);
    ok = ok && buffer_check(out_sql, "guards", err);
    columns_clear(&guards.columns);
    return ok;
}
