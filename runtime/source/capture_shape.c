/* The part of capture.h that asks SQLite what a table is. */
#include "base/text_fit.h"
#include "source/application_trigger.h"
#include "source/capture.h"
#include "source/capture_collation.h"
#include "source/capture_declared.h"
#include "source/capture_effect.h"
#include "source/capture_guard.h"
#include "source/capture_objects.h"
#include "source/key_conversion.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"
#include "source/unlisted.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Appends name to a list in a fixed field; when it no longer fits, "..." ends the list. */
static void append_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);
    const char *between = used > 0 ? ", " : "";

    if (used >= 3 && strcmp(list + used - 3, "...") == 0)
        return;
    if (used + strlen(between) + strlen(name) + sizeof ", ..." <= size)
        snprintf(list + used, size - used, "%s%s", between, name);
    else if (used + sizeof ", ..." <= size)
        snprintf(list + used, size - used, "%s...", between);
}

/* *out_declared: of a table, a hash of how its columns are declared. */
static bool find_table(
    struct database *source, const struct table *table, struct source_shape *shape,
    uint64_t *out_declared, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!statement_bind(
            source,
            "select type = 'view', sql like 'create virtual %', sql from sqlite_master"
            " where type in ('table', 'view') and lower(name) = lower(?1)",
            &statement, err, "s", table->name))
        return false;
    bool ok = database_step(source, statement, &row, err);
    if (ok && row) {
        shape->exists = true;
        shape->is_view = sqlite3_column_int(statement, 0) == 1;
        shape->is_virtual = sqlite3_column_int(statement, 1) == 1;
        ok = capture_declared_hash(table, statement_borrow_text(statement, 2), out_declared, err);
    }
    sqlite3_finalize(statement);
    return ok;
}

/* What the walk over the table's columns finds out. */
struct columns_seen {
    bool *found;       /* one a column of the definition */
    uint32_t layout;   /* FNV-1a of name and position of each of those */
    uint64_t declared; /* source/capture_declared.h */
    int primary_key_columns;
    bool key_is_integer; /* a key column is declared exactly INTEGER and is in the primary key */
    /* Key columns whose conversion is one-to-one, should none of them be the rowid. */
    size_t one_to_one_columns;
    bool nullable_key;
};

static uint32_t mix(uint32_t hash, const char *text)
{
    do {
        hash = (hash ^ (uint32_t)tolower((unsigned char)*text)) * UINT32_C(16777619);
    } while (*text++ != '\0');
    return hash;
}

static void see_key_column(
    const struct table *table, const char *name, const struct key_declaration *declared,
    bool not_null, struct columns_seen *seen)
{
    for (size_t i = 0; i < table->key_count; i++) {
        const struct column *column = &table->columns[table->key[i]];
        if (strcasecmp(name, column->source) != 0)
            continue;
        if (key_conversion_is_one_to_one(column, declared))
            seen->one_to_one_columns++;
        if (!not_null)
            seen->nullable_key = true;
    }
}

static void see_column(
    const struct table *table, sqlite3_stmt *statement, struct columns_seen *seen,
    struct source_shape *shape)
{
    const char *name = statement_borrow_text(statement, 0);
    const char *type = statement_borrow_text(statement, 1);
    bool in_primary_key = sqlite3_column_int(statement, 2) > 0;
    bool listed = false;

    if (in_primary_key)
        seen->primary_key_columns++;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].unfit && strcasecmp(name, table->columns[i].source) == 0)
            seen->found[i] = listed = true;
    }
    if (listed)
        seen->layout = mix(mix(seen->layout, name), statement_borrow_text(statement, 3));
    else if (!unlisted_is_ignored(table, name))
        append_name(shape->extra, sizeof shape->extra, name);
    see_key_column(
        table, name,
        &(struct key_declaration){.type = type, .strict = sqlite3_column_int(statement, 4) != 0},
        sqlite3_column_int(statement, 5) == 1, seen);
    if (in_primary_key && strcasecmp(type, "integer") == 0 && sqlite_sql_is_key_name(table, name))
        seen->key_is_integer = true;
}

/* Asking costs a walk over the schema, so it is done only where the answer counts. */
static bool strictness_matters(const struct table *table)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (table->columns[table->key[i]].type == COLUMN_BYTES)
            return true;
    return false;
}

/* SQLite finds out only now what a view reads, and asks the module of a virtual table. */
static bool fail_unreadable(
    struct database *source, const struct table *table, const struct source_shape *shape,
    struct error *err)
{
    if (!database_is_own_fault(source))
        return false;
    return error_set(
        err, ERROR_SCHEMA,
        "the %s %s in %s cannot be read: %s. Make what is missing or correct the %s, or remove "
        "schemas/%s.json and rebuild",
        shape->is_view ? "view" : "table", table->name, source->path,
        sqlite3_errmsg(source->handle), shape->is_view ? "view" : "table", table->definition);
}

static bool see_columns(
    struct database *source, const struct table *table, struct columns_seen *seen,
    struct source_shape *shape, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    if (!statement_bind(
            source,
            "select name, coalesce(type, ''), pk, cid, case when upper(type) = 'ANY' or ?2 then"
            " (select strict from pragma_table_list(?1) where schema = 'main') end, \"notnull\""
            " from pragma_table_xinfo(?1) where hidden <> 1",
            &statement, err, "si", table->name, (int64_t)strictness_matters(table)))
        return false;
    for (;;) {
        if (!database_step(source, statement, &row, err)) {
            fail_unreadable(source, table, shape, err);
            goto cleanup;
        }
        if (!row)
            break;
        see_column(table, statement, seen, shape);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        if (seen->found[i] || table->columns[i].unfit)
            continue;
        shape->missing_count++;
        append_name(shape->missing, sizeof shape->missing, table->columns[i].source);
    }
    snprintf(
        shape->layout, sizeof shape->layout, "%08" PRIx32 "%016" PRIx64, seen->layout,
        seen->declared);
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}

const char *capture_describe_missing(
    const struct table *table, const struct source_shape *shape,
    char out[static CAPTURE_MISSING_SIZE])
{
    bool many = shape->missing_count > 1;
    bool renamed = !many && shape->extra[0] != '\0' && strstr(shape->extra, ", ") == NULL;
    char hint[700] = "";

    if (renamed)
        text_format(
            hint, sizeof hint, ". If it is the column %s now, add \"source\": \"%s\" to it",
            shape->extra, shape->extra);
    text_format(
        out, CAPTURE_MISSING_SIZE,
        "lacks the column%s %s. Add %s there, or take %s out of schemas/%s.json and rebuild%s",
        many ? "s" : "", shape->missing, many ? "them" : "it", many ? "them" : "it",
        table->definition, hint);
    return out;
}

bool capture_check_columns(
    const struct table *table, const struct source_shape *shape, const char *path,
    struct error *err)
{
    char missing[CAPTURE_MISSING_SIZE];

    if (!shape->exists)
        return error_set(
            err, ERROR_SCHEMA,
            "table %s does not exist in %s. Create it, or remove schemas/%s.json and rebuild",
            table->name, path, table->definition);
    return shape->missing_count == 0 || error_set(
                                            err, ERROR_SCHEMA, "%s in %s %s", table->name, path,
                                            capture_describe_missing(table, shape, missing));
}

/* The rowid's alias has no index of its own; every other primary key, also that of a WITHOUT ROWID
 * table and the quirk INTEGER PRIMARY KEY DESC, has one of origin 'pk'. */
static bool has_primary_key_index(
    struct database *source, const char *table, bool *out_exists, struct error *err)
{
    return statement_has_row(
        source, "select 1 from pragma_index_list(?1) where origin = 'pk'", out_exists, err, "s",
        table);
}

/* Whether a unique index over some or all of the key columns, and no others, makes the key one. */
static bool has_unique_key(
    struct database *source, const struct table *table, bool *out_unique, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;
    int index = -1;
    bool covered = false;

    *out_unique = false;
    if (!statement_bind(
            source,
            "select l.seq, i.name from pragma_index_list(?1) l, pragma_index_info(l.name) i"
            " where l.\"unique\" and not l.partial order by l.seq",
            &statement, err, "s", table->name))
        return false;
    for (;;) {
        if (!database_step(source, statement, &row, err))
            goto cleanup;
        if (!row || sqlite3_column_int(statement, 0) != index) {
            *out_unique = *out_unique || covered;
            covered = row;
        }
        if (!row)
            break;
        index = sqlite3_column_int(statement, 0);
        covered = covered && sqlite_sql_is_key_name(table, statement_borrow_text(statement, 1));
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}

static void describe_key_problem(const struct table *table, struct source_shape *shape)
{
    char names[256] = "";

    if (table->key_count == 0) {
        snprintf(
            shape->key_problem, sizeof shape->key_problem, "the definition of %s names no key",
            table->name);
        return;
    }
    for (size_t i = 0; i < table->key_count; i++)
        append_name(names, sizeof names, table->columns[table->key[i]].source);
    text_format(
        shape->key_problem, sizeof shape->key_problem,
        "%s has neither a primary key nor a unique index on (%s), so two rows may share a key: "
        "create unique index on these columns, choose another key, or let its mode be \"replace\", "
        "which needs no \"key\"",
        table->name, names);
}

/* What no unique index guards, a view or a virtual table, may hold one key twice. */
static bool is_one_to_one(
    const struct table *table, const struct columns_seen *seen, bool alias,
    const struct source_shape *shape)
{
    const struct key_declaration rowid = {.type = "integer", .rowid_alias = true};

    if (shape->is_view || shape->key_problem[0] != '\0')
        return false;
    return seen->one_to_one_columns == table->key_count ||
           (alias && table->key_count == 1 &&
            key_conversion_is_one_to_one(&table->columns[table->key[0]], &rowid));
}

static bool inspect_key(
    struct database *source, const struct table *table, const struct columns_seen *seen,
    struct source_shape *shape, struct error *err)
{
    bool indexed = false;
    bool unique = false;

    if (!has_primary_key_index(source, table->name, &indexed, err))
        return false;
    bool alias = seen->key_is_integer && seen->primary_key_columns == 1 && !indexed;
    shape->integer_key = alias && table->key_count == 1 && table->new_rows_sql != NULL;
    shape->nullable_key = seen->nullable_key;
    shape->keeps_keys = table->mode != SEND_REPLACE && !is_one_to_one(table, seen, alias, shape);
    if (alias || shape->is_view || shape->is_virtual)
        return true;
    if (!has_unique_key(source, table, &unique, err))
        return false;
    if (!unique)
        describe_key_problem(table, shape);
    return true;
}

/* Keys are looked up by their columns' collations, and stored values of a generated key may fail to
 * be computed. */
static bool inspect_key_columns(
    struct database *source, const struct table *table, struct source_shape *shape,
    struct error *err)
{
    for (size_t i = 0; i < table->key_count && shape->why_scan[0] == '\0'; i++) {
        const char *column = sqlite_sql_key_name(table, i);
        bool builtin = false;
        bool generated = false;
        if (!statement_has_row(
                source,
                "select 1 from pragma_table_xinfo(?1) where lower(name) = lower(?2) and hidden > 1",
                &generated, err, "ss", table->name, column) ||
            !capture_collation_of_column_is_builtin(source, table->name, column, &builtin, err))
            return false;
        if (!builtin)
            text_format(
                shape->why_scan, sizeof shape->why_scan,
                "the key column %.*s compares with a collation of the application",
                TEXT_FIT(column, 200));
        else if (generated)
            text_format(
                shape->why_scan, sizeof shape->why_scan, "the key column %.*s is generated",
                TEXT_FIT(column, 200));
    }
    return true;
}

/* Whether triggers on the table would be exact and harmless; if so, *guards makes its guards, and
 * *newer says whether the application has a trigger because of which they have to be made again. */
static bool inspect_triggers(
    const struct source_table *in, struct source_shape *shape, struct buffer *guards, bool *newer,
    struct error *err)
{
    struct database *source = in->source;
    const struct table *table = in->table;
    const size_t size = sizeof shape->why_scan;

    if (shape->is_view || shape->is_virtual) {
        snprintf(
            shape->why_scan, sizeof shape->why_scan, "it is a %s, and SQLite has no triggers on %s",
            shape->is_view ? "view" : "virtual table",
            shape->is_view ? "changes of a view's rows" : "virtual tables");
        return true;
    }
    if (shape->key_problem[0] != '\0') {
        text_format(shape->why_scan, sizeof shape->why_scan, "%s", shape->key_problem);
        return true;
    }
    if (shape->missing_count > 0)
        return true;
    if (!inspect_key_columns(source, table, shape, err))
        return false;
    if (shape->why_scan[0] != '\0')
        return true;
    if (!capture_guard_append_sql(in, guards, shape->why_scan, size, err))
        return false;
    bool guarded = guards->length > 0;
    if (shape->why_scan[0] == '\0' &&
        !capture_effect_judge(in, guarded, shape->why_scan, size, err))
        return false;
    return shape->why_scan[0] != '\0' ||
           application_trigger_judge(in, guarded, shape->why_scan, size, newer, err);
}

static bool inspect_extra(
    struct database *source, const struct table *table, struct source_shape *shape,
    struct error *err)
{
    return !table->unlisted_fails || shape->extra[0] == '\0' ||
           unlisted_describe(source, table, shape->extra_problem, sizeof shape->extra_problem, err);
}

/* A filter may name columns that the definition does not list. */
static void inspect_filter(
    struct database *source, const struct table *table, struct source_shape *shape)
{
    sqlite3_stmt *statement = NULL;

    if (table->where == NULL || shape->missing_count > 0)
        return;
    int result = sqlite3_prepare_v2(source->handle, table->scan_sql, -1, &statement, NULL);
    sqlite3_finalize(statement);
    // Whoever reads the table gets, and reports, any other failure.
    if ((result & 0xff) == SQLITE_ERROR)
        text_format(
            shape->filter_problem, sizeof shape->filter_problem,
            "its filter cannot be evaluated: %.*s. Correct `where` in schemas/%.*s.json and "
            "rebuild",
            TEXT_FIT(sqlite3_errmsg(source->handle), 200), TEXT_FIT(table->definition, 200));
}

bool capture_inspect(
    struct database *source, const struct table *table, struct source_shape *out_shape,
    struct error *err)
{
    struct columns_seen seen = {
        .found = sqlite3_malloc64(table->column_count * sizeof(bool)),
        .layout = UINT32_C(2166136261),
    };
    struct source_shape shape = {0};
    const struct source_table in = {source, table, &shape};
    struct buffer guards;
    bool newer = false;

    if (seen.found == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory inspecting %s", table->name);
    memset(seen.found, 0, table->column_count * sizeof(bool));
    buffer_init(&guards, SQLITE_SQL_CEILING);
    bool ok = find_table(source, table, &shape, &seen.declared, err);
    if (ok && shape.exists)
        ok = see_columns(source, table, &seen, &shape, err) &&
             inspect_extra(source, table, &shape, err) &&
             inspect_key(source, table, &seen, &shape, err) &&
             inspect_triggers(&in, &shape, &guards, &newer, err);
    ok = ok && capture_objects_state(&in, buffer_text(&guards), &shape.capture, err);
    if (newer && shape.capture == CAPTURE_INTACT)
        shape.capture = CAPTURE_INTERRUPTED;
    if (ok && shape.exists)
        inspect_filter(source, table, &shape);
    buffer_clear(&guards);
    sqlite3_free(seen.found);
    // An error of the schema names the table.
    if (!ok)
        return err->code != ERROR_SCHEMA && error_wrap(err, "columns of %s", table->name);
    *out_shape = shape;
    return true;
}

bool capture_schema_cookie(struct database *source, int64_t *out_cookie, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!database_keep(source, "pragma schema_version", &statement, err))
        return false;
    bool ok = database_step(source, statement, &row, err);
    if (ok)
        *out_cookie = sqlite3_column_int64(statement, 0);
    database_give_back(statement);
    return ok;
}
