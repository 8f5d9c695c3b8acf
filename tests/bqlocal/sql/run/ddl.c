/* DROP, schemas, and which statement goes where. */
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

void sql_set_target(struct sql_statement *out, const char *dataset, const char *table)
{
    snprintf(out->target_dataset, sizeof out->target_dataset, "%s", dataset);
    snprintf(out->target_table, sizeof out->target_table, "%s", table);
}

static bool run_drop(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    const char *dataset = NULL;
    const char *table = NULL;
    cJSON *resource = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->line, node->column, &dataset, &table))
        return false;
    sql_set_target(out, dataset, table);
    bool skip = node->if_exists && !sql_table_exists(compiler, dataset, table);
    snprintf(out->ddl, sizeof out->ddl, "%s", skip ? "SKIP" : "DROP");
    if (skip)
        return true;
    if (compiler->request->dry_run) {
        bool ok = store_table_get(compiler->store, dataset, table, &resource, compiler->err);
        cJSON_Delete(resource);
        return ok;
    }
    return store_table_delete(compiler->store, dataset, table, compiler->err);
}

static bool run_schema(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    const char *dataset = node->path.items[node->path.count - 1];
    bool exists = store_dataset_exists(compiler->store, dataset);
    bool drop = node->kind == SQL_DROP_SCHEMA;

    if (node->path.count > 2)
        return sql_error(compiler->err, node->line, node->column, "Invalid dataset name");
    sql_set_target(out, dataset, "");
    bool skip = node->if_exists && exists != drop;
    snprintf(out->ddl, sizeof out->ddl, "%s", skip ? "SKIP" : drop ? "DROP" : "CREATE");
    if (skip || compiler->request->dry_run)
        return true;
    if (drop)
        return store_dataset_delete(compiler->store, dataset, node->cascade, compiler->err);
    cJSON *resource = cJSON_CreateObject();
    bool ok = sql_put_options(compiler, &node->options, resource) &&
              store_dataset_insert(compiler->store, dataset, resource, compiler->err);
    cJSON_Delete(resource);
    return ok;
}

bool sql_run_ddl(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result,
    struct sql_statement *out)
{
    switch (node->kind) {
    case SQL_CREATE_TABLE:
        return sql_run_create(compiler, node, result, out);
    case SQL_ALTER_TABLE:
        return sql_run_alter(compiler, node, out);
    case SQL_DROP_TABLE:
        return run_drop(compiler, node, out);
    default:
        return run_schema(compiler, node, out);
    }
}
