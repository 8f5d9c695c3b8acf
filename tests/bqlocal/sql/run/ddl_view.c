/* CREATE VIEW, CREATE TABLE FUNCTION and DROP TABLE FUNCTION. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/sql/parse/parse.h"
#include "bqlocal/sql/run/ddl.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store_routine.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The names and options of a view's column list. */
static bool name_columns(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_output *output)
{
    if (node->defined_count == 0)
        return true;
    if (node->defined_count != output->count)
        return sql_error(
            compiler->err, node->place,
            "The number of columns in the column definition list does not match the number of "
            "columns produced by the query");
    for (size_t i = 0; i < output->count; i++)
        output->fields[i].name = node->defined[i].name;
    return true;
}

static bool put_column_options(
    struct sql_compiler *compiler, const struct sql_node *node, cJSON *fields)
{
    for (size_t i = 0; i < node->defined_count; i++)
        if (!sql_put_column_options(
                compiler, &node->defined[i].options, cJSON_GetArrayItem(fields, (int)i)))
            return false;
    return true;
}

static bool build_view(struct sql_compiler *compiler, const struct sql_node *node, cJSON *resource)
{
    cJSON *fields = cJSON_AddArrayToObject(sql_get_or_add(resource, "schema"), "fields");
    cJSON *view = sql_get_or_add(resource, "view");
    struct sql_output output = {0};

    sql_put_text(view, "query", node->query_text);
    cJSON_AddFalseToObject(view, "useLegacySql");
    if (node->defined_count > 0)
        cJSON_AddTrueToObject(view, "useExplicitColumnNames");
    return sql_translate_stored(compiler, node->query, NULL, &output) &&
           name_columns(compiler, node, &output) &&
           sql_put_query_columns(compiler, node, &output, fields) &&
           put_column_options(compiler, node, fields) &&
           sql_put_options(compiler, &node->options, resource);
}

static bool store_view(
    struct sql_compiler *compiler, const struct sql_statement *out, const cJSON *resource)
{
    struct store *store = compiler->store;
    bool replaces = strcmp(out->ddl, "REPLACE") == 0;

    if (strcmp(out->ddl, "SKIP") == 0)
        return true;
    if (replaces && !sql_check_type(compiler, out, "VIEW"))
        return false;
    if (compiler->request->dry_run)
        return true;
    return (!replaces ||
            store_table_delete(store, out->target_dataset, out->target_table, compiler->err)) &&
           store_table_insert(
               store, out->target_dataset, out->target_table, resource, compiler->err);
}

bool sql_run_create_view(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    const char *dataset = NULL;
    const char *table = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->place, &dataset, &table))
        return false;
    sql_set_target(out, dataset, table);
    sql_set_operation(node, sql_table_exists(compiler, dataset, table), out);
    cJSON *resource = cJSON_CreateObject();
    bool ok = build_view(compiler, node, resource) && store_view(compiler, out, resource);
    cJSON_Delete(resource);
    return ok;
}

/* Takes descriptions and the like over from the columns that the client gave. */
static void keep_words(const cJSON *given, cJSON *fields)
{
    const cJSON *old;

    cJSON_ArrayForEach(old, given)
    {
        const char *name = json_text(old, "name");
        cJSON *field = name == NULL ? NULL : sql_find_field(fields, name);
        if (field != NULL)
            sql_put_text(field, "description", json_text(old, "description"));
    }
}

/* The names that the client gave the columns, where it says that they are names. */
static bool take_names(
    struct sql_compiler *compiler, const cJSON *resource, struct sql_output *output)
{
    const cJSON *schema = json_at(resource, "schema");
    const cJSON *given = json_at(schema, "fields");
    const cJSON *field;
    size_t i = 0;

    if (!json_bool(json_at(resource, "view"), "useExplicitColumnNames", false))
        return true;
    if ((size_t)cJSON_GetArraySize(given) != output->count)
        return failure_set(
            compiler->err, "invalid", "The schema has %d columns and the view's query %zu",
            cJSON_GetArraySize(given), output->count);
    cJSON_ArrayForEach(field, given)
    {
        const char *name = json_text(field, "name");
        output->fields[i++].name = name == NULL ? "" : name;
    }
    return true;
}

static bool complete(struct sql_compiler *compiler, const struct sql_query *query, cJSON *resource)
{
    const struct sql_node node = {.kind = SQL_CREATE_VIEW, .query = (struct sql_query *)query};
    const cJSON *schema = json_at(resource, "schema");
    cJSON *fields = cJSON_CreateArray();
    struct sql_output output = {0};

    bool ok = sql_translate_stored(compiler, query, NULL, &output) &&
              take_names(compiler, resource, &output) &&
              sql_put_query_columns(compiler, &node, &output, fields);
    keep_words(json_at(schema, "fields"), fields);
    cJSON_DeleteItemFromObjectCaseSensitive(resource, "schema");
    cJSON_AddItemToObject(cJSON_AddObjectToObject(resource, "schema"), "fields", fields);
    return ok;
}

bool sql_complete_view(struct store *store, cJSON *resource, struct error *err)
{
    const cJSON *view = json_at(resource, "view");
    const char *text = json_text(view, "query");
    const struct sql_request request = {.text = text, .dry_run = true};
    struct sql_arena arena = {0};
    struct sql_compiler compiler = {
        .arena = &arena, .store = store, .request = &request, .err = err};

    if (text == NULL || text[0] == '\0')
        return failure_set(err, "required", "Required parameter is missing: view.query");
    if (json_bool(view, "useLegacySql", true))
        return failure_set(
            err, "notImplemented",
            "bqlocal does not understand legacy SQL, which is the default: send "
            "\"useLegacySql\": false");
    const struct sql_query *query = sql_parse_query_text(&arena, text, err);
    bool ok = query != NULL && complete(&compiler, query, resource);
    sql_arena_clear(&arena);
    return ok;
}

/* --- table functions ---------------------------------------------------------------------------
 */

static cJSON *type_json(enum store_type type)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "typeKind", store_type_sql(type));
    return json;
}

/* The parameters, as the resource has them and as the query sees them. */
static bool put_parameters(
    struct sql_compiler *compiler, const struct sql_node *node, cJSON *resource,
    struct sql_arguments *out)
{
    cJSON *list = cJSON_AddArrayToObject(resource, "arguments");

    out->items = sql_alloc(compiler->arena, (node->defined_count + 1) * sizeof *out->items);
    for (size_t i = 0; i < node->defined_count; i++) {
        const struct sql_column *one = &node->defined[i];
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(node->defined[j].name, one->name) == 0)
                return sql_error(
                    compiler->err, one->place, "Duplicate argument name %s", one->name);
        cJSON *argument = cJSON_CreateObject();
        cJSON_AddStringToObject(argument, "name", one->name);
        cJSON_AddItemToObject(argument, "dataType", type_json(one->type));
        cJSON_AddItemToArray(list, argument);
        out->items[out->count++] =
            (struct sql_field){.name = one->name, .type = (int)one->type, .sql = "NULL"};
    }
    return true;
}

static bool put_function_options(
    struct sql_compiler *compiler, const struct sql_options *options, cJSON *resource)
{
    for (size_t i = 0; i < options->count; i++)
        if (strcasecmp(options->items[i].name, "description") != 0)
            return sql_error(
                compiler->err, options->items[i].value->place,
                "bqlocal does not have the table function option %s", options->items[i].name);
    return sql_put_options(compiler, options, resource);
}

static bool build_function(
    struct sql_compiler *compiler, const struct sql_node *node, cJSON *resource)
{
    struct sql_arguments arguments = {0};
    struct sql_output output = {0};
    cJSON *columns = cJSON_CreateArray();

    sql_put_text(resource, "routineType", "TABLE_VALUED_FUNCTION");
    sql_put_text(resource, "language", "SQL");
    sql_put_text(resource, "definitionBody", node->query_text);
    bool ok = put_parameters(compiler, node, resource, &arguments) &&
              sql_translate_stored(compiler, node->query, &arguments, &output) &&
              sql_put_query_columns(compiler, node, &output, columns) &&
              put_function_options(compiler, &node->options, resource);
    cJSON_Delete(columns);
    return ok;
}

/* The name of the function and whether it is there. */
static bool find_function(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    const char *dataset = NULL;
    const char *name = NULL;
    cJSON *resource = NULL;
    struct error missing;

    if (!sql_resolve_table(compiler, &node->path, node->place, &dataset, &name))
        return false;
    snprintf(out->target_dataset, sizeof out->target_dataset, "%s", dataset);
    snprintf(out->target_routine, sizeof out->target_routine, "%s", name);
    bool exists = store_routine_get(compiler->store, dataset, name, &resource, &missing);
    cJSON_Delete(resource);
    sql_set_operation(node, exists, out);
    if (!exists && !store_dataset_exists(compiler->store, dataset)) {
        *compiler->err = missing;
        return false;
    }
    if (exists && strcmp(out->ddl, "CREATE") == 0)
        return failure_set(
            compiler->err, "duplicate", "Already Exists: Routine %s:%s.%s",
            compiler->store->project, dataset, name);
    return true;
}

bool sql_run_create_table_function(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    if (!find_function(compiler, node, out))
        return false;
    cJSON *resource = cJSON_CreateObject();
    bool ok =
        build_function(compiler, node, resource) &&
        (compiler->request->dry_run || strcmp(out->ddl, "SKIP") == 0 ||
         store_routine_put(
             compiler->store, out->target_dataset, out->target_routine, resource, compiler->err));
    cJSON_Delete(resource);
    return ok;
}

bool sql_run_drop_table_function(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    cJSON *resource = NULL;

    if (!find_function(compiler, node, out))
        return false;
    if (strcmp(out->ddl, "SKIP") == 0)
        return true;
    bool ok =
        store_routine_get(
            compiler->store, out->target_dataset, out->target_routine, &resource, compiler->err) &&
        (compiler->request->dry_run ||
         store_routine_delete(
             compiler->store, out->target_dataset, out->target_routine, compiler->err));
    cJSON_Delete(resource);
    return ok;
}
