/* INSERT, UPDATE, DELETE, TRUNCATE, and what MERGE shares with them: the target table and the
 * values written into its columns. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/sql/parse/parse.h"
#include "bqlocal/store/limit.h"
#include "bqlocal/store/partitions.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool sql_target_open(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_target *out)
{
    if (!sql_resolve_table(compiler, &node->path, node->place, &out->dataset, &out->table))
        return false;
    out->quoted = sql_quote_name(
        compiler->arena, sql_printf(compiler->arena, "%s.%s", out->dataset, out->table));
    return store_schema(compiler->store, out->dataset, out->table, &out->schema, compiler->err);
}

bool sql_rowid(struct sql_compiler *compiler, const struct sql_target *target, const char **out)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};

    for (size_t i = 0; i < 3; i++) {
        bool taken = false;
        for (size_t j = 0; j < target->schema.count; j++)
            taken = taken || strcasecmp(target->schema.fields[j].name, names[i]) == 0;
        if (!taken) {
            *out = names[i];
            return true;
        }
    }
    return sql_error(
        compiler->err, SQL_NO_PLACE,
        "bqlocal cannot change a table whose columns are named rowid, _rowid_ and oid at once");
}

bool sql_assign(
    struct sql_compiler *compiler, const struct sql_expr *at, const struct store_field *field,
    const struct sql_value *value, const char **out_sql)
{
    struct sql_value converted = {0};

    if (!sql_coerce(compiler, value, (int)field->type, &converted))
        return sql_mismatch(
            compiler, at, "Value of type %s cannot be assigned to %s, which has type %s",
            sql_type_name(value->type), field->name, store_type_sql(field->type));
    *out_sql = converted.sql;
    if (limit_is_set(field)) {
        char *limited = limit_sql(field, converted.sql);
        *out_sql = sql_printf(compiler->arena, "%s", limited == NULL ? "" : limited);
        sqlite3_free(limited);
    }
    if (field->required)
        *out_sql = sql_printf(
            compiler->arena, "bq_required(%s,%s)", *out_sql,
            sql_quote_text(compiler->arena, field->name, strlen(field->name)));
    return true;
}

bool sql_default(
    struct sql_compiler *compiler, const struct store_field *field, const char **out_sql)
{
    struct sql_value value = {.sql = "NULL", .type = SQL_TYPE_NULL};
    struct sql_scope *outer = compiler->scope;
    struct sql_expr nowhere = {0};
    bool ok = true;

    if (field->default_sql != NULL) {
        struct sql_expr *expr =
            sql_parse_expression(compiler->arena, field->default_sql, compiler->err);
        if (expr == NULL)
            return false;
        compiler->scope = NULL;
        ok = sql_translate(compiler, expr, &value);
        compiler->scope = outer;
    }
    return ok && sql_assign(compiler, &nowhere, field, &value, out_sql);
}

bool sql_assign_expr(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct store_field *field,
    const char **out_sql)
{
    struct sql_value value = {0};

    return sql_translate(compiler, expr, &value) &&
           sql_assign(compiler, expr, field, &value, out_sql);
}

static bool find_column(
    struct sql_compiler *compiler, const struct sql_target *target, const char *name,
    struct sql_place place, size_t *out_index)
{
    for (size_t i = 0; i < target->schema.count; i++)
        if (strcasecmp(target->schema.fields[i].name, name) == 0) {
            *out_index = i;
            return true;
        }
    return sql_error(
        compiler->err, place, "Column %s is not present in table %s.%s", name, target->dataset,
        target->table);
}

bool sql_target_columns(
    struct sql_compiler *compiler, const struct sql_target *target, const struct sql_names *names,
    struct sql_place place, size_t **out_indexes, size_t *out_count)
{
    size_t count = names->count > 0 ? names->count : target->schema.count;
    size_t *indexes = sql_alloc(compiler->arena, (count + 1) * sizeof *indexes);
    bool *seen = sql_alloc(compiler->arena, target->schema.count + 1);

    for (size_t i = 0; i < count; i++) {
        indexes[i] = i;
        if (names->count > 0 && !find_column(compiler, target, names->items[i], place, &indexes[i]))
            return false;
        if (seen[indexes[i]])
            return sql_error(
                compiler->err, place, "INSERT has columns with duplicate name: %s",
                names->items[i]);
        seen[indexes[i]] = true;
    }
    *out_indexes = indexes;
    *out_count = count;
    return true;
}

/* The column list "a, b, ..." of an INSERT: the given columns, then those left out that have a
 * default or are REQUIRED. defaults: ", expression" for each of the latter. */
static bool insert_columns(
    struct sql_compiler *compiler, const struct sql_target *target, const size_t *indexes,
    size_t count, const char **out_columns, const char **out_defaults)
{
    struct sql_list columns = {0};
    struct sql_list defaults = {0};

    for (size_t i = 0; i < count; i++)
        sql_push(
            compiler->arena, &columns,
            (void *)(uintptr_t)sql_quote_name(
                compiler->arena, target->schema.fields[indexes[i]].name));
    for (size_t i = 0; i < target->schema.count; i++) {
        const struct store_field *field = &target->schema.fields[i];
        const char *sql = NULL;
        bool given = false;
        for (size_t j = 0; j < count; j++)
            given = given || indexes[j] == i;
        if (given || (!field->required && field->default_sql == NULL))
            continue;
        if (!sql_default(compiler, field, &sql))
            return false;
        sql_push(
            compiler->arena, &columns,
            (void *)(uintptr_t)sql_quote_name(compiler->arena, field->name));
        sql_push(compiler->arena, &defaults, sql_printf(compiler->arena, ", %s", sql));
    }
    *out_columns = sql_join(compiler, ", ", (const char *const *)columns.items, columns.count);
    *out_defaults = sql_join(compiler, "", (const char *const *)defaults.items, defaults.count);
    return true;
}

bool sql_insert_head(
    struct sql_compiler *compiler, const struct sql_target *target, const size_t *indexes,
    size_t count, const char **out_head, const char **out_defaults)
{
    const char *columns = NULL;

    if (!insert_columns(compiler, target, indexes, count, &columns, out_defaults))
        return false;
    *out_head = sql_printf(compiler->arena, "INSERT INTO %s (%s)", target->quoted, columns);
    return true;
}

static bool insert_rows(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_target *target,
    const size_t *indexes, size_t count, const char **out_sql)
{
    const char **rows = sql_alloc(compiler->arena, node->row_count * sizeof *rows);
    const char **items = sql_alloc(compiler->arena, (count + 1) * sizeof *items);
    const char *head = NULL;
    const char *defaults = NULL;

    if (!sql_insert_head(compiler, target, indexes, count, &head, &defaults))
        return false;
    for (size_t i = 0; i < node->row_count; i++) {
        const struct sql_row *row = &node->rows[i];
        if (row->values.count != count)
            return sql_error(
                compiler->err, row->place,
                "Inserted row has wrong column count; Has %zu, expected %zu", row->values.count,
                count);
        for (size_t j = 0; j < count; j++)
            if (!sql_assign_expr(
                    compiler, row->values.items[j], &target->schema.fields[indexes[j]], &items[j]))
                return false;
        rows[i] =
            sql_printf(compiler->arena, "(%s%s)", sql_join(compiler, ",", items, count), defaults);
    }
    *out_sql = sql_printf(
        compiler->arena, "%s VALUES %s", head, sql_join(compiler, ",", rows, node->row_count));
    return true;
}

static bool insert_query(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_target *target,
    const size_t *indexes, size_t count, const char **out_sql)
{
    struct sql_expr at = {.place = node->query->place};
    const char **items = sql_alloc(compiler->arena, (count + 1) * sizeof *items);
    struct sql_output output = {0};
    const char *head = NULL;
    const char *defaults = NULL;

    if (!sql_translate_query(compiler, node->query, &output) ||
        !sql_insert_head(compiler, target, indexes, count, &head, &defaults))
        return false;
    if (output.count != count)
        return sql_error(
            compiler->err, at.place, "Inserted row has wrong column count; Has %zu, expected %zu",
            output.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct store_field *field = &target->schema.fields[indexes[i]];
        struct sql_value value = {
            .sql = sql_printf(compiler->arena, "c%zu", i), .type = output.fields[i].type};
        struct sql_value ignored;
        if (!sql_coerce(compiler, &value, (int)field->type, &ignored))
            return sql_error(
                compiler->err, at.place,
                "Query column %zu has type %s which cannot be inserted into column %s, which has "
                "type %s",
                i + 1, sql_type_name(value.type), field->name, store_type_sql(field->type));
        if (!sql_assign(compiler, &at, field, &value, &items[i]))
            return false;
    }
    *out_sql = sql_printf(
        compiler->arena, "%s SELECT %s%s FROM (%s)", head, sql_join(compiler, ",", items, count),
        defaults, output.sql);
    return true;
}

static bool run_insert(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_target *target,
    struct sql_statement *out)
{
    size_t *indexes = NULL;
    size_t count = 0;
    const char *sql = NULL;

    if (!sql_target_columns(compiler, target, &node->columns, node->place, &indexes, &count))
        return false;
    bool ok = node->query != NULL ? insert_query(compiler, node, target, indexes, count, &sql)
                                  : insert_rows(compiler, node, target, indexes, count, &sql);
    return ok && sql_execute(compiler, sql, &out->inserted);
}

bool sql_translate_sets(
    struct sql_compiler *compiler, const struct sql_target *target, const struct sql_sets *sets,
    const char **out_sql)
{
    const char **items = sql_alloc(compiler->arena, (sets->count + 1) * sizeof *items);
    bool *seen = sql_alloc(compiler->arena, target->schema.count + 1);

    for (size_t i = 0; i < sets->count; i++) {
        const struct sql_set *set = &sets->items[i];
        const char *value = NULL;
        size_t index = 0;
        if (!find_column(compiler, target, set->column, set->place, &index))
            return false;
        if (seen[index])
            return sql_error(
                compiler->err, set->place, "Update item %s assigned more than once", set->column);
        seen[index] = true;
        if (!sql_assign_expr(compiler, set->expr, &target->schema.fields[index], &value))
            return false;
        items[i] = sql_printf(
            compiler->arena, "%s = %s",
            sql_quote_name(compiler->arena, target->schema.fields[index].name), value);
    }
    *out_sql = sql_join(compiler, ", ", items, sets->count);
    return true;
}

static bool run_update(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_target *target,
    struct sql_statement *out)
{
    const char *where = NULL;
    const char *sets = NULL;

    if (!sql_translate_bool(compiler, node->where, "WHERE clause", &where) ||
        !sql_translate_sets(compiler, target, &node->sets, &sets))
        return false;
    sql_note_filters(compiler, node->where);
    char *sql =
        sql_printf(compiler->arena, "UPDATE %s AS t0 SET %s WHERE %s", target->quoted, sets, where);
    return sql_execute(compiler, sql, &out->updated);
}

static bool run_delete(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_target *target,
    struct sql_statement *out)
{
    const char *where = "1";

    if (node->where != NULL && !sql_translate_bool(compiler, node->where, "WHERE clause", &where))
        return false;
    sql_note_filters(compiler, node->where);
    char *sql = sql_printf(compiler->arena, "DELETE FROM %s AS t0 WHERE %s", target->quoted, where);
    return sql_execute(compiler, sql, &out->deleted);
}

static bool run_on_target(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_target *target,
    struct sql_statement *out)
{
    struct sql_range range = {0};
    struct sql_scope scope = {
        .ranges = &range, .range_count = 1, .no_aggregates = "DML", .no_windows = true};
    bool ok = false;

    if (node->kind == SQL_INSERT)
        return run_insert(compiler, node, target, out);
    if (node->kind == SQL_MERGE)
        return sql_run_merge(compiler, node, target, out);
    if (!sql_table_range(compiler, target->dataset, target->table, node->alias, "t0", &range))
        return false;
    compiler->scope = &scope;
    ok = node->kind == SQL_UPDATE ? run_update(compiler, node, target, out)
                                  : run_delete(compiler, node, target, out);
    compiler->scope = NULL;
    return ok;
}

bool sql_run_dml(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    struct sql_target target = {0};

    if (!sql_target_open(compiler, node, &target))
        return false;
    snprintf(out->target_dataset, sizeof out->target_dataset, "%s", target.dataset);
    snprintf(out->target_table, sizeof out->target_table, "%s", target.table);
    out->is_dml = true;
    struct partition_watch watch = {0};
    bool limited = !compiler->request->dry_run && node->kind != SQL_TRUNCATE;
    bool ok =
        (!limited ||
         partitions_watch(compiler->store, target.dataset, target.table, &watch, compiler->err)) &&
        run_on_target(compiler, node, &target, out) &&
        (!limited || partitions_judge(&watch, compiler->err));
    partitions_forget(&watch);
    bool changed = out->inserted + out->updated + out->deleted > 0;
    if (ok && changed && !compiler->request->dry_run)
        store_table_touch(compiler->store, target.dataset, target.table, false);
    store_schema_clear(&target.schema);
    return ok;
}
