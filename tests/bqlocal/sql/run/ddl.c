/* CREATE TABLE, DROP TABLE and DROP VIEW, and which file runs which statement. */
#include "bqlocal/sql/run/ddl.h"
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool sql_table_exists(struct sql_compiler *compiler, const char *dataset, const char *table)
{
    struct error ignored;
    cJSON *resource = NULL;
    bool exists = store_table_get(compiler->store, dataset, table, &resource, &ignored);

    cJSON_Delete(resource);
    return exists;
}

void sql_set_operation(const struct sql_node *node, bool exists, struct sql_statement *out)
{
    bool drops = node->kind == SQL_DROP_TABLE || node->kind == SQL_DROP_VIEW ||
                 node->kind == SQL_DROP_TABLE_FUNCTION;
    bool skips = node->if_exists && exists != drops;

    snprintf(
        out->ddl, sizeof out->ddl, "%s",
        skips                        ? "SKIP"
        : drops                      ? "DROP"
        : exists && node->or_replace ? "REPLACE"
                                     : "CREATE");
}

void sql_set_target(struct sql_statement *out, const char *dataset, const char *table)
{
    snprintf(out->target_dataset, sizeof out->target_dataset, "%s", dataset);
    snprintf(out->target_table, sizeof out->target_table, "%s", table);
}

bool sql_check_type(
    struct sql_compiler *compiler, const struct sql_statement *target, const char *type)
{
    cJSON *resource = NULL;

    bool ok = store_table_get(
                  compiler->store, target->target_dataset, target->target_table, &resource,
                  compiler->err) &&
              store_table_check_type(resource, type, compiler->err);
    cJSON_Delete(resource);
    return ok;
}

bool sql_put_query_columns(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output,
    cJSON *fields)
{
    const char *what = node->kind == SQL_CREATE_TABLE  ? "CREATE TABLE"
                       : node->kind == SQL_CREATE_VIEW ? "CREATE VIEW"
                                                       : "CREATE TABLE FUNCTION";

    for (size_t i = 0; i < output->count; i++) {
        int type = output->fields[i].type;
        struct sql_column column = {
            .name = output->fields[i].name,
            .type = type == SQL_TYPE_NULL ? STORE_INT64 : (enum store_type)type};
        if (column.name[0] == '\0')
            return sql_error(
                compiler->err, node->query->place,
                "%s columns must be named, but column %zu has no name", what, i + 1);
        if (sql_find_field(fields, column.name) != NULL)
            return sql_error(
                compiler->err, node->query->place, "%s has columns with duplicate name %s", what,
                column.name);
        if (!sql_add_column(compiler, &column, fields))
            return false;
    }
    return true;
}

static bool put_columns(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output,
    cJSON *resource)
{
    cJSON *fields = cJSON_AddArrayToObject(sql_get_or_add(resource, "schema"), "fields");

    for (size_t i = 0; i < node->defined_count; i++) {
        const struct sql_column *column = &node->defined[i];
        if (sql_find_field(fields, column->name) != NULL)
            return sql_error(
                compiler->err, column->place, "Duplicate column name %s in CREATE TABLE",
                column->name);
        if (!sql_add_column(compiler, column, fields))
            return false;
    }
    if (node->defined_count == 0 && node->query != NULL)
        return sql_put_query_columns(compiler, node, output, fields);
    return true;
}

static bool build_resource(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output,
    cJSON *resource)
{
    if (!put_columns(compiler, node, output, resource))
        return false;
    if (node->has_primary_key)
        sql_put_primary_key(resource, &node->primary_key);
    if (node->partition != NULL && !sql_put_partition(compiler, node->partition, resource))
        return false;
    if (node->has_cluster)
        sql_put_names(cJSON_AddObjectToObject(resource, "clustering"), "fields", &node->cluster);
    return sql_put_options(compiler, &node->options, resource);
}

/* The rows of CREATE TABLE AS. */
static bool fill(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output)
{
    struct sql_expr at = {.place = node->place};
    struct sql_target target = {0};

    if (!sql_target_open(compiler, node, &target))
        return false;
    size_t count = target.schema.count;
    const char **items = sql_alloc(compiler->arena, (count + 1) * sizeof *items);
    bool ok = output->count == count ||
              sql_error(
                  compiler->err, node->place,
                  "The number of columns in the column definition list does not match the number "
                  "of columns produced by the query");
    for (size_t i = 0; ok && i < count; i++) {
        struct sql_value value = {
            .sql = sql_printf(compiler->arena, "c%zu", i), .type = output->fields[i].type};
        ok = sql_assign(compiler, &at, &target.schema.fields[i], &value, &items[i]);
    }
    if (ok)
        ok = sql_execute(
            compiler,
            sql_printf(
                compiler->arena, "INSERT INTO %s SELECT %s FROM (%s)", target.quoted,
                sql_join(compiler, ", ", items, count), output->sql),
            NULL);
    store_schema_clear(&target.schema);
    return ok;
}

/* The query's rows in a temporary table: the query may read the table that is replaced. */
static bool set_aside(
    struct sql_compiler *compiler, const struct sql_output *output, const char **out_table)
{
    *out_table = sql_result_name(compiler);
    return sql_create_result(compiler, compiler->store->handle, *out_table, output->count) &&
           sql_execute(
               compiler,
               sql_printf(compiler->arena, "INSERT INTO temp.\"%s\" %s", *out_table, output->sql),
               NULL);
}

static bool replace(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_statement *out,
    const struct sql_output *output, const cJSON *resource)
{
    struct sql_output rows = *output;
    const char *aside = NULL;

    if (node->query != NULL && !set_aside(compiler, output, &aside))
        return false;
    if (!sql_check_type(compiler, out, "TABLE") ||
        !store_table_delete(
            compiler->store, out->target_dataset, out->target_table, compiler->err) ||
        !store_table_insert(
            compiler->store, out->target_dataset, out->target_table, resource, compiler->err))
        return false;
    if (aside == NULL)
        return true;
    rows.sql = sql_printf(compiler->arena, "SELECT * FROM temp.\"%s\"", aside);
    return fill(compiler, node, &rows) &&
           sql_execute(
               compiler, sql_printf(compiler->arena, "DROP TABLE temp.\"%s\"", aside), NULL);
}

static bool create(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_statement *out,
    const struct sql_output *output, const cJSON *resource)
{
    bool exists = sql_table_exists(compiler, out->target_dataset, out->target_table);

    if (compiler->request->dry_run)
        return true;
    if (exists && node->or_replace)
        return replace(compiler, node, out, output, resource);
    if (!store_table_insert(
            compiler->store, out->target_dataset, out->target_table, resource, compiler->err))
        return false;
    return node->query == NULL || fill(compiler, node, output);
}

static bool run_create(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result,
    struct sql_statement *out)
{
    struct sql_output output = {0};
    const char *dataset = NULL;
    const char *table = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->place, &dataset, &table))
        return false;
    sql_set_target(out, dataset, table);
    sql_set_operation(node, sql_table_exists(compiler, dataset, table), out);
    cJSON *resource = cJSON_CreateObject();
    bool ok = (node->query == NULL || sql_translate_query(compiler, node->query, &output)) &&
              build_resource(compiler, node, &output, resource) &&
              (strcmp(out->ddl, "SKIP") == 0 || create(compiler, node, out, &output, resource));
    if (ok) {
        store_schema_clear(&result->schema);
        ok = store_schema_parse(
            cJSON_GetObjectItemCaseSensitive(resource, "schema"), &result->schema, compiler->err);
    }
    cJSON_Delete(resource);
    return ok;
}

static bool run_drop(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    const char *dataset = NULL;
    const char *table = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->place, &dataset, &table))
        return false;
    sql_set_target(out, dataset, table);
    sql_set_operation(node, sql_table_exists(compiler, dataset, table), out);
    return strcmp(out->ddl, "SKIP") == 0 ||
           (sql_check_type(compiler, out, node->kind == SQL_DROP_VIEW ? "VIEW" : "TABLE") &&
            (compiler->request->dry_run ||
             store_table_delete(compiler->store, dataset, table, compiler->err)));
}

bool sql_run_ddl(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result,
    struct sql_statement *out)
{
    switch (node->kind) {
    case SQL_CREATE_TABLE:
        return run_create(compiler, node, result, out);
    case SQL_CREATE_VIEW:
        return sql_run_create_view(compiler, node, out);
    case SQL_CREATE_TABLE_FUNCTION:
        return sql_run_create_table_function(compiler, node, out);
    case SQL_DROP_TABLE_FUNCTION:
        return sql_run_drop_table_function(compiler, node, out);
    case SQL_ALTER_TABLE:
        return sql_run_alter(compiler, node, out);
    default:
        return run_drop(compiler, node, out);
    }
}
