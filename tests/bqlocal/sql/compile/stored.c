/* Queries that are stored: of views, and of table functions with the values of their arguments. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/sql/parse/parse.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store_routine.h"

#include <string.h>

/* "Quotas and limits": views in one another. */
enum { STORED_DEPTH_MAX = 16 };

bool sql_translate_stored(
    struct sql_compiler *compiler, const struct sql_query *query,
    const struct sql_arguments *arguments, struct sql_output *out)
{
    const struct sql_compiler outer = *compiler;
    struct sql_request request = *outer.request;

    if (outer.stored_depth == STORED_DEPTH_MAX)
        return sql_error(
            compiler->err, SQL_NO_PLACE,
            "Resources exceeded during query execution: views and table functions are nested more "
            "than %d levels deep",
            STORED_DEPTH_MAX);
    request.default_dataset = NULL;
    compiler->request = &request;
    compiler->scope = NULL;
    compiler->ctes = NULL;
    compiler->arguments = arguments;
    compiler->stored_depth++;
    bool ok = sql_translate_query(compiler, query, out);
    compiler->request = outer.request;
    compiler->scope = outer.scope;
    compiler->ctes = outer.ctes;
    compiler->arguments = outer.arguments;
    compiler->stored_depth = outer.stored_depth;
    if (ok)
        sql_compute_once(compiler, query, out);
    return ok;
}

/* The same from its text. */
static bool translate_text(
    struct sql_compiler *compiler, const char *text, const struct sql_arguments *arguments,
    struct sql_output *out)
{
    const char *copy = sql_copy(compiler->arena, text, strlen(text));
    const struct sql_query *query = sql_parse_query_text(compiler->arena, copy, compiler->err);

    return query != NULL && sql_translate_stored(compiler, query, arguments, out);
}

/* Gives the columns the names that a view's column list gives them. */
static bool name_columns(
    struct sql_compiler *compiler, const cJSON *fields, const struct sql_output *out)
{
    const cJSON *field;
    size_t i = 0;

    if ((size_t)cJSON_GetArraySize(fields) != out->count)
        return sql_error(
            compiler->err, SQL_NO_PLACE,
            "The column list has %d columns and the query %zu; create the view again",
            cJSON_GetArraySize(fields), out->count);
    cJSON_ArrayForEach(field, fields)
    {
        const char *name = json_text(field, "name");
        out->fields[i++].name = sql_copy(compiler->arena, name, strlen(name));
    }
    return true;
}

bool sql_translate_view(
    struct sql_compiler *compiler, const char *dataset, const char *table, struct sql_output *out,
    bool *out_found)
{
    cJSON *resource = NULL;

    if (!store_view_get(compiler->store, dataset, table, &resource, compiler->err))
        return false;
    *out_found = resource != NULL;
    if (resource == NULL)
        return true;
    const cJSON *view = json_at(resource, "view");
    const cJSON *schema = json_at(resource, "schema");
    bool ok = translate_text(compiler, json_text(view, "query"), NULL, out) &&
              (!json_bool(view, "useExplicitColumnNames", false) ||
               name_columns(compiler, json_at(schema, "fields"), out));
    cJSON_Delete(resource);
    return ok || error_wrap(compiler->err, "view %s.%s", dataset, table);
}

/* "(INT64, STRING)" of a routine's arguments. */
static const char *signature(struct sql_compiler *compiler, const cJSON *parameters)
{
    size_t count = (size_t)cJSON_GetArraySize(parameters);
    const char **items = sql_alloc(compiler->arena, (count + 1) * sizeof *items);
    const cJSON *parameter;
    size_t i = 0;

    cJSON_ArrayForEach(parameter, parameters)
    {
        items[i++] = json_text(json_at(parameter, "dataType"), "typeKind");
    }
    return sql_printf(compiler->arena, "(%s)", sql_join(compiler, ", ", items, count));
}

/* The values of a call, each of the type that its parameter has. They see no columns. */
static bool translate_arguments(
    struct sql_compiler *compiler, const struct sql_from *from, const cJSON *parameters,
    struct sql_arguments *out)
{
    struct sql_scope *outer = compiler->scope;
    const size_t count = from->args.count;
    struct sql_value *values = sql_alloc(compiler->arena, (count + 1) * sizeof *values);
    const struct sql_expr at = {.place = from->place};
    bool fits = (size_t)cJSON_GetArraySize(parameters) == count;
    bool ok = true;

    out->items = sql_alloc(compiler->arena, (count + 1) * sizeof *out->items);
    compiler->scope = NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = sql_translate(compiler, from->args.items[i], &values[i]);
    compiler->scope = outer;
    for (size_t i = 0; ok && fits && i < count; i++) {
        const cJSON *parameter = cJSON_GetArrayItem(parameters, (int)i);
        const char *name = json_text(parameter, "name");
        enum store_type type = STORE_INT64;
        struct sql_value value = {0};
        fits = store_type_parse(json_text(json_at(parameter, "dataType"), "typeKind"), &type) &&
               sql_coerce(compiler, &values[i], (int)type, &value);
        out->items[out->count++] = (struct sql_field){
            .name = sql_copy(compiler->arena, name, strlen(name)),
            .type = (int)type,
            .sql = value.sql};
    }
    const char *path = from->path.items[from->path.count - 1];
    return ok && (fits || sql_no_signature(
                              compiler, &at,
                              sql_printf(
                                  compiler->arena, "table-valued function %s%s", path,
                                  signature(compiler, parameters)),
                              values, count));
}

bool sql_translate_table_function(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_output *out)
{
    struct sql_arguments arguments = {0};
    const char *dataset = NULL;
    const char *name = NULL;
    cJSON *routine = NULL;

    if (!sql_resolve_table(compiler, &from->path, from->place, &dataset, &name))
        return false;
    if (!store_routine_get(compiler->store, dataset, name, &routine, compiler->err))
        return !store_dataset_exists(compiler->store, dataset)
                   ? false
                   : sql_error(
                         compiler->err, from->place, "Table-valued function not found: %s.%s",
                         dataset, name);
    bool ok = translate_arguments(compiler, from, json_at(routine, "arguments"), &arguments) &&
              (translate_text(compiler, json_text(routine, "definitionBody"), &arguments, out) ||
               error_wrap(compiler->err, "table function %s.%s", dataset, name));
    cJSON_Delete(routine);
    return ok;
}
