/* Names: tables and columns. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool sql_check_dataset(struct sql_compiler *compiler, const char *project, const char *dataset)
{
    struct sql_result *result = compiler->result;
    const char *wanted = compiler->request->location;
    const char *own = compiler->store->project;
    cJSON *resource = NULL;
    struct error missing;

    if (project != NULL && strcmp(project, own) != 0)
        return failure_set(
            compiler->err, "accessDenied",
            "Access Denied: Dataset %s:%s: bqlocal has the project %s alone", project, dataset,
            own);
    if (!store_dataset_get(compiler->store, dataset, &resource, &missing))
        return true;
    char *location = json_text_copy(resource, "location");
    cJSON_Delete(resource);
    bool here = wanted == NULL || location == NULL || strcasecmp(wanted, location) == 0;
    if (result != NULL && result->location == NULL)
        result->location = location;
    else
        free(location);
    return here ||
           failure_set(
               compiler->err, "notFound", "Not found: Dataset %s:%s was not found in location %s",
               own, dataset, wanted);
}

/* Notes that the request reads or changes the table. */
static void note_reference(struct sql_compiler *compiler, const char *dataset, const char *table)
{
    cJSON *references = compiler->result == NULL ? NULL : compiler->result->references;
    const cJSON *known;

    if (references == NULL)
        return;
    cJSON *reference = cJSON_CreateObject();
    cJSON_AddStringToObject(reference, "projectId", compiler->store->project);
    cJSON_AddStringToObject(reference, "datasetId", dataset);
    cJSON_AddStringToObject(reference, "tableId", table);
    cJSON_ArrayForEach(known, references)
    {
        if (!cJSON_Compare(known, reference, true))
            continue;
        cJSON_Delete(reference);
        return;
    }
    cJSON_AddItemToArray(references, reference);
}

bool sql_resolve_table(
    struct sql_compiler *compiler, const struct sql_names *path, struct sql_place place,
    const char **out_dataset, const char **out_table)
{
    if (path->count > 3 || path->count == 0)
        return sql_error(compiler->err, place, "Invalid table name");
    *out_table = path->items[path->count - 1];
    if (strchr(*out_table, '*') != NULL)
        return sql_error(compiler->err, place, "bqlocal does not have wildcard tables");
    if (strcmp(*out_table, "__TABLES__") == 0)
        return sql_error(
            compiler->err, place,
            "bqlocal does not have __TABLES__; it has INFORMATION_SCHEMA.TABLES");
    *out_dataset =
        path->count > 1 ? path->items[path->count - 2] : compiler->request->default_dataset;
    if (*out_dataset == NULL)
        return sql_error(
            compiler->err, SQL_NO_PLACE,
            "Table \"%s\" must be qualified with a dataset (e.g. dataset.table).", *out_table);
    return sql_check_dataset(compiler, path->count == 3 ? path->items[0] : NULL, *out_dataset);
}

bool sql_table_range(
    struct sql_compiler *compiler, const char *dataset, const char *table, const char *alias,
    const char *sqlite_alias, struct sql_range *out)
{
    struct store_schema schema = {0};

    if (!store_schema(compiler->store, dataset, table, &schema, compiler->err))
        return false;
    note_reference(compiler, dataset, table);
    out->scan = sql_note_scan(compiler, dataset, table, sqlite_alias);
    out->alias = alias != NULL ? alias : sql_copy(compiler->arena, table, strlen(table));
    out->count = schema.count;
    out->fields = sql_alloc(compiler->arena, (schema.count + 1) * sizeof *out->fields);
    for (size_t i = 0; i < schema.count; i++) {
        const char *name = schema.fields[i].name;
        out->fields[i].name = sql_copy(compiler->arena, name, strlen(name));
        out->fields[i].type = (int)schema.fields[i].type;
        out->fields[i].sql = sql_printf(
            compiler->arena, "%s.%s", sqlite_alias, sql_quote_name(compiler->arena, name));
    }
    store_schema_clear(&schema);
    return true;
}

static const struct sql_field *find_field(const struct sql_range *range, const char *name)
{
    for (size_t i = 0; i < range->count; i++)
        if (strcasecmp(range->fields[i].name, name) == 0)
            return &range->fields[i];
    return NULL;
}

/* A bare column name in one scope; *out NULL if it is not there. */
static bool find_column(
    struct sql_compiler *compiler, const struct sql_scope *scope, const struct sql_expr *at,
    const char *name, const struct sql_field **out)
{
    *out = NULL;
    for (size_t i = 0; i < scope->range_count; i++) {
        const struct sql_field *field = find_field(&scope->ranges[i], name);
        if (field == NULL)
            continue;
        if (*out != NULL)
            return sql_error(compiler->err, at->place, "Column name %s is ambiguous", name);
        *out = field;
    }
    return true;
}

static bool has_value(const struct sql_grouping *grouping, const char *sql)
{
    for (size_t i = 0; i < grouping->count; i++)
        if (strcmp(grouping->values[i].sql, sql) == 0)
            return true;
    return false;
}

/* The field must be one of GROUP BY's unless an aggregate is around it; in ORDER BY behind SELECT
 * DISTINCT, one that is selected. */
static bool check_visible(
    struct sql_compiler *compiler, const struct sql_scope *scope, const struct sql_expr *at,
    const struct sql_field *field)
{
    if (scope->distinct != NULL)
        return has_value(scope->distinct, field->sql) ||
               sql_error(
                   compiler->err, at->place,
                   "ORDER BY clause expression references column %s which is not visible after "
                   "SELECT DISTINCT",
                   field->name);
    if (scope->grouping == NULL || scope->in_aggregate || has_value(scope->grouping, field->sql))
        return true;
    return sql_error(
        compiler->err, at->place,
        "SELECT list expression references column %s which is neither grouped nor aggregated",
        field->name);
}

static const struct sql_item *find_alias(const struct sql_scope *scope, const char *name)
{
    for (size_t i = 0; scope->aliases != NULL && i < scope->aliases->item_count; i++) {
        const struct sql_item *item = &scope->aliases->items[i];
        if (item->expr != NULL && item->alias != NULL && strcasecmp(item->alias, name) == 0)
            return item;
    }
    return NULL;
}

static bool resolve_alias(
    struct sql_compiler *compiler, struct sql_scope *scope, const struct sql_item *item,
    struct sql_value *out)
{
    struct sql_scope *inner = compiler->scope;
    const struct sql_scope before = *scope;

    // In "SELECT a + 1 AS a ... ORDER BY a" the aliased expression sees the column, not the alias.
    scope->aliases = NULL;
    // What is selected may hold what ORDER BY behind SELECT DISTINCT may not.
    if (scope->distinct != NULL) {
        scope->distinct = NULL;
        scope->no_aggregates = NULL;
        scope->no_windows = false;
    }
    compiler->scope = scope;
    bool ok = sql_translate(compiler, item->expr, out);
    compiler->scope = inner;
    scope->aliases = before.aliases;
    scope->distinct = before.distinct;
    scope->no_aggregates = before.no_aggregates;
    scope->no_windows = before.no_windows;
    out->literal = false;
    return ok;
}

static void count_name(struct sql_compiler *compiler, const struct sql_scope *scope)
{
    struct sql_probe *probe = compiler->probe;

    if (probe == NULL)
        return;
    probe->inner += scope == probe->scope;
    for (const struct sql_scope *around = probe->scope->parent; around != NULL;
         around = around->parent)
        probe->outer += scope == around;
}

static bool take_field(
    struct sql_compiler *compiler, const struct sql_scope *scope, const struct sql_expr *at,
    const struct sql_field *field, struct sql_value *out)
{
    count_name(compiler, scope);
    *out = (struct sql_value){.sql = field->sql, .type = field->type};
    return check_visible(compiler, scope, at, field);
}

/* alias.column; *out_found false if no range has the alias. */
static bool resolve_qualified(
    struct sql_compiler *compiler, const struct sql_scope *scope, const struct sql_expr *at,
    struct sql_value *out, bool *out_found)
{
    const char *alias = at->path.items[at->path.count - 2];
    const char *name = at->path.items[at->path.count - 1];

    *out_found = false;
    for (size_t i = 0; i < scope->range_count; i++) {
        if (strcasecmp(scope->ranges[i].alias, alias) != 0)
            continue;
        *out_found = true;
        const struct sql_field *field = find_field(&scope->ranges[i], name);
        if (field != NULL)
            return take_field(compiler, scope, at, field, out);
        struct sql_place behind_dot = at->place;
        behind_dot.column += (int)strlen(alias) + 1;
        return sql_error(
            compiler->err, behind_dot, "Name %s not found inside %s", name, scope->ranges[i].alias);
    }
    return true;
}

const struct sql_field *sql_find_argument(
    const struct sql_compiler *compiler, const struct sql_names *path)
{
    const struct sql_arguments *arguments = compiler->arguments;

    for (size_t i = 0; arguments != NULL && path->count == 1 && i < arguments->count; i++)
        if (strcasecmp(arguments->items[i].name, path->items[0]) == 0)
            return &arguments->items[i];
    return NULL;
}

bool sql_resolve_path(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    const char *name = expr->path.items[0];

    for (struct sql_scope *scope = compiler->scope; scope != NULL; scope = scope->parent) {
        const struct sql_field *field = NULL;
        bool found = false;
        if (expr->path.count > 1) {
            if (!resolve_qualified(compiler, scope, expr, out, &found))
                return false;
            if (found)
                return true;
            continue;
        }
        const struct sql_item *item = scope->in_aggregate ? NULL : find_alias(scope, name);
        if (item != NULL)
            return resolve_alias(compiler, scope, item, out);
        if (!find_column(compiler, scope, expr, name, &field))
            return false;
        if (field != NULL)
            return take_field(compiler, scope, expr, field, out);
        for (size_t i = 0; i < scope->range_count; i++)
            if (strcasecmp(scope->ranges[i].alias, name) == 0)
                return sql_error(
                    compiler->err, expr->place,
                    "bqlocal does not have STRUCT values: %s names a table", name);
    }
    const struct sql_field *argument = sql_find_argument(compiler, &expr->path);
    if (argument == NULL)
        return sql_error(compiler->err, expr->place, "Unrecognized name: %s", name);
    *out = (struct sql_value){.sql = argument->sql, .type = argument->type};
    return true;
}
