/* CREATE TABLE in all its forms. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/sql/run/ddl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const copied_by_like[] = {
    "schema",
    "timePartitioning",
    "rangePartitioning",
    "clustering",
    "requirePartitionFilter",
    "tableConstraints",
    "description",
    "labels"};

/* What LIKE, COPY and CLONE take over from another table. */
static bool put_like(struct sql_compiler *compiler, const struct sql_node *node, cJSON *resource)
{
    const char *dataset = NULL;
    const char *table = NULL;
    cJSON *like = NULL;

    if (!sql_resolve_table(compiler, &node->like, node->line, node->column, &dataset, &table) ||
        !store_table_get(compiler->store, dataset, table, &like, compiler->err))
        return false;
    for (size_t i = 0; i < sizeof copied_by_like / sizeof *copied_by_like; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(like, copied_by_like[i]);
        if (item != NULL) {
            cJSON_DeleteItemFromObjectCaseSensitive(resource, copied_by_like[i]);
            cJSON_AddItemToObject(resource, copied_by_like[i], cJSON_Duplicate(item, true));
        }
    }
    cJSON_Delete(like);
    return true;
}

/* The columns of CREATE TABLE AS where none were written down. */
static bool put_query_columns(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output,
    cJSON *fields)
{
    for (size_t i = 0; i < output->count; i++) {
        int type = output->fields[i].type;
        struct sql_column column = {
            .name = output->fields[i].name,
            .type = type == SQL_TYPE_NULL ? STORE_INT64 : (enum store_type)type};
        if (column.name[0] == '\0')
            return sql_error(
                compiler->err, node->query->line, node->query->column,
                "CREATE TABLE columns must be named, but column %zu has no name", i + 1);
        if (sql_find_field(fields, column.name) != NULL)
            return sql_error(
                compiler->err, node->query->line, node->query->column,
                "CREATE TABLE has columns with duplicate name %s", column.name);
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
                compiler->err, column->line, column->place,
                "Duplicate column name %s in CREATE TABLE", column->name);
        if (!sql_add_column(compiler, column, fields))
            return false;
    }
    if (node->defined_count == 0 && node->query != NULL)
        return put_query_columns(compiler, node, output, fields);
    return true;
}

static bool build_resource(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output,
    cJSON *resource)
{
    if (node->like.count > 0 ? !put_like(compiler, node, resource)
                             : !put_columns(compiler, node, output, resource))
        return false;
    if (node->has_primary_key)
        sql_put_primary_key(resource, &node->primary_key);
    if (node->partition != NULL && !sql_put_partition(compiler, node->partition, resource))
        return false;
    if (node->has_cluster) {
        cJSON_DeleteItemFromObjectCaseSensitive(resource, "clustering");
        sql_put_names(cJSON_AddObjectToObject(resource, "clustering"), "fields", &node->cluster);
    }
    return sql_put_options(compiler, &node->options, resource);
}

/* The rows of CREATE TABLE AS, COPY and CLONE. */
static bool fill(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output)
{
    struct sql_target target = {0};
    const char *source = output->sql;
    bool ok = sql_target_open(compiler, node, &target);

    if (node->like_copies_rows) {
        const char *dataset = NULL;
        const char *table = NULL;
        if (!sql_resolve_table(compiler, &node->like, node->line, node->column, &dataset, &table)) {
            store_schema_clear(&target.schema);
            return false;
        }
        source = sql_printf(
            compiler->arena, "SELECT * FROM %s",
            sql_quote_name(compiler->arena, sql_printf(compiler->arena, "%s.%s", dataset, table)));
    }
    const char **items = sql_alloc(compiler->arena, (target.schema.count + 1) * sizeof *items);
    struct sql_expr at = {.line = node->line, .column = node->column};
    if (ok && node->query != NULL && output->count != target.schema.count)
        ok = sql_error(
            compiler->err, node->line, node->column,
            "The number of columns in the column definition list does not match the number of "
            "columns produced by the query");
    for (size_t i = 0; ok && node->query != NULL && i < target.schema.count; i++) {
        struct sql_value value = {
            .sql = sql_printf(compiler->arena, "c%zu", i), .type = output->fields[i].type};
        ok = sql_assign(compiler, &at, &target.schema.fields[i], &value, &items[i]);
    }
    if (ok)
        ok = sql_execute(
            compiler,
            sql_printf(
                compiler->arena, "INSERT INTO %s SELECT %s FROM (%s)", target.quoted,
                node->query == NULL ? "*" : sql_join(compiler, ", ", items, target.schema.count),
                source),
            NULL);
    store_schema_clear(&target.schema);
    return ok;
}

static bool create(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_statement *out,
    const struct sql_output *output, const cJSON *resource)
{
    bool exists = sql_table_exists(compiler, out->target_dataset, out->target_table);

    if (compiler->request->dry_run)
        return true;
    if (exists && node->or_replace &&
        !store_table_delete(compiler->store, out->target_dataset, out->target_table, compiler->err))
        return false;
    if (!store_table_insert(
            compiler->store, out->target_dataset, out->target_table, resource, compiler->err))
        return false;
    return (node->query == NULL && !node->like_copies_rows) || fill(compiler, node, output);
}

bool sql_run_create(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result,
    struct sql_statement *out)
{
    struct sql_output output = {0};
    const char *dataset = NULL;
    const char *table = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->line, node->column, &dataset, &table))
        return false;
    sql_set_target(out, dataset, table);
    bool exists = sql_table_exists(compiler, dataset, table);
    snprintf(
        out->ddl, sizeof out->ddl, "%s",
        !exists            ? "CREATE"
        : node->or_replace ? "REPLACE"
        : node->if_exists  ? "SKIP"
                           : "CREATE");
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
