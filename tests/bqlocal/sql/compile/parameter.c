/* Query parameters ("Running parameterized queries"; REST: QueryParameter): scalars, arrays of
 * scalars, and arrays of structs of scalars, which only UNNEST in FROM takes. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/store/json_body.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/value.h"

#include <string.h>
#include <strings.h>

/* Of a QueryParameterType; NULL if it has none. */
static const char *type_of(const cJSON *declared)
{
    return cJSON_GetStringValue(json_at(declared, "type"));
}

static bool is_type(const cJSON *declared, const char *name)
{
    const char *type = type_of(declared);

    return type != NULL && strcasecmp(type, name) == 0;
}

static const cJSON *find_parameter(const struct sql_compiler *compiler, const struct sql_expr *expr)
{
    const cJSON *item;
    size_t index = 0;

    cJSON_ArrayForEach(item, compiler->request->parameters)
    {
        const char *name = json_text(item, "name");
        if (expr->text == NULL ? index == expr->index
                               : name != NULL && strcasecmp(name, expr->text) == 0)
            return item;
        index++;
    }
    return NULL;
}

bool sql_check_parameters(struct sql_compiler *compiler)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, compiler->request->parameters)
    {
        const char *name = json_text(item, "name");
        for (const cJSON *next = item->next; name != NULL && next != NULL; next = next->next) {
            const char *other = json_text(next, "name");
            if (other != NULL && strcasecmp(name, other) == 0)
                return sql_error(
                    compiler->err, SQL_NO_PLACE, "Query parameter %s is given more than once: %s",
                    name, other);
        }
    }
    return true;
}

/* Google's servers accept a number or a boolean where a string is expected, and its Node.js client
 * sends them. NULL: there is no value. */
static const char *scalar_text(const cJSON *value, char *room, int size)
{
    if (cJSON_IsNumber(value) || cJSON_IsBool(value))
        return cJSON_PrintPreallocated((cJSON *)value, room, size, false) ? room : NULL;
    return cJSON_GetStringValue(value);
}

/* Puts U+0000 where JSON_ZERO stands for it; returns the new length. Of types other than STRING no
 * text has it, and JSON_ZERO makes the text wrong. */
static size_t restore_zeros(char *text, size_t length)
{
    char *end = text + length;
    char *to = strstr(text, JSON_ZERO);

    for (const char *at = to; at != NULL && at < end; to++) {
        bool zero = end - at >= 2 && memcmp(at, JSON_ZERO, 2) == 0;
        *to = zero ? '\0' : *at;
        at += zero ? 2 : 1;
    }
    return to == NULL ? length : (size_t)(to - text);
}

static bool parameter_value(
    struct sql_compiler *compiler, const struct sql_expr *expr, enum store_type type,
    const cJSON *value, struct sql_value *out)
{
    char room[64];
    const char *given = scalar_text(json_at(value, "value"), room, sizeof room);
    struct buffer bytes;
    char *text;

    if (given == NULL) {
        *out = (struct sql_value){.sql = "NULL", .type = (int)type};
        return true;
    }
    size_t length = strlen(given);
    buffer_init(&bytes, length + 4);
    bool ok = type != STORE_BYTES || value_base64_decode((struct slice){given, length}, &bytes);
    if (type == STORE_BYTES)
        text =
            sql_copy(compiler->arena, bytes.data == NULL ? "" : bytes.data, length = bytes.length);
    else
        text = sql_copy(compiler->arena, given, length);
    buffer_clear(&bytes);
    if (type == STORE_STRING)
        length = restore_zeros(text, length);
    if (!ok || !sql_literal(compiler, type, text, length, out))
        return sql_error(
            compiler->err, SQL_NO_PLACE, "Invalid value for query parameter %s: %s is no %s",
            expr->text == NULL ? "?" : expr->text, given, store_type_sql(type));
    return true;
}

/* Whether parameters may stand here. */
static bool check_place(struct sql_compiler *compiler, const struct sql_expr *expr)
{
    return compiler->stored_depth == 0 ||
           sql_error(
               compiler->err, expr->place,
               "Query parameters cannot be used in views and table functions");
}

bool sql_parameter(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    const cJSON *item = find_parameter(compiler, expr);
    const char *type_name = type_of(json_at(item, "parameterType"));
    enum store_type type = STORE_STRING;

    if (!check_place(compiler, expr))
        return false;
    if (item == NULL && expr->text != NULL)
        return sql_error(compiler->err, expr->place, "Query parameter '%s' not found", expr->text);
    if (item == NULL)
        return sql_error(
            compiler->err, expr->place, "Query parameter number %zu is not defined",
            expr->index + 1);
    if (type_name == NULL || !store_type_parse(type_name, &type))
        return sql_error(
            compiler->err, expr->place, "bqlocal does not have a query parameter of type %s here",
            type_name == NULL ? "unknown" : type_name);
    return parameter_value(compiler, expr, type, json_at(item, "parameterValue"), out);
}

static bool array_parameter(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value **out_values,
    size_t *out_count, int *out_type)
{
    const cJSON *item = find_parameter(compiler, expr);
    const cJSON *values = json_at(json_at(item, "parameterValue"), "arrayValues");
    const char *type_name = type_of(json_at(json_at(item, "parameterType"), "arrayType"));
    enum store_type type = STORE_STRING;
    const cJSON *value;

    if (!check_place(compiler, expr))
        return false;
    if (type_name == NULL || !store_type_parse(type_name, &type))
        return sql_error(compiler->err, expr->place, "UNNEST needs an array of scalar values");
    *out_values =
        sql_alloc(compiler->arena, ((size_t)cJSON_GetArraySize(values) + 1) * sizeof **out_values);
    *out_count = 0;
    *out_type = (int)type;
    cJSON_ArrayForEach(value, values)
    {
        if (!parameter_value(compiler, expr, type, value, *out_values + *out_count))
            return false;
        ++*out_count;
    }
    return true;
}

bool sql_array(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value **out_values,
    size_t *out_count, int *out_type)
{
    if (expr->kind == SQL_EXPR_PARAMETER)
        return array_parameter(compiler, expr, out_values, out_count, out_type);
    if (expr->kind != SQL_EXPR_ARRAY)
        return sql_error(
            compiler->err, expr->place,
            "bqlocal has UNNEST of array literals and array parameters only");
    struct sql_value *values = sql_alloc(compiler->arena, (expr->args.count + 1) * sizeof *values);
    for (size_t i = 0; i < expr->args.count; i++)
        if (!sql_translate(compiler, expr->args.items[i], &values[i]))
            return false;
    int type = (int)expr->type;
    if (!expr->has_operand && !sql_common_type_of(values, expr->args.count, &type))
        return sql_error(
            compiler->err, expr->place, "Array elements do not have a common supertype");
    for (size_t i = 0; i < expr->args.count; i++) {
        if (!sql_coerce(compiler, &values[i], type, &values[i]))
            return sql_mismatch(
                compiler, expr, "Array element type %s does not coerce to %s",
                sql_type_name(values[i].type), sql_type_name(type));
    }
    *out_values = values;
    *out_count = expr->args.count;
    *out_type = type;
    return true;
}

/* --- arrays of structs ------------------------------------------------------------------------ */

static const cJSON *struct_type(const struct sql_compiler *compiler, const struct sql_expr *expr)
{
    const cJSON *declared = NULL;

    if (expr->kind == SQL_EXPR_PARAMETER)
        declared = json_at(find_parameter(compiler, expr), "parameterType");
    declared = is_type(declared, "ARRAY") ? json_at(declared, "arrayType") : NULL;
    return is_type(declared, "STRUCT") ? declared : NULL;
}

bool sql_is_struct_array(const struct sql_compiler *compiler, const struct sql_expr *expr)
{
    return struct_type(compiler, expr) != NULL;
}

static bool has_field(const struct sql_structs *structs, const char *name)
{
    for (size_t i = 0; i < structs->count; i++)
        if (strcasecmp(structs->fields[i].name, name) == 0)
            return true;
    return false;
}

static bool read_fields(
    struct sql_compiler *compiler, const struct sql_expr *expr, const cJSON *declared,
    struct sql_structs *out)
{
    const cJSON *types = json_at(declared, "structTypes");
    const cJSON *field;

    if (cJSON_GetArraySize(types) == 0)
        return sql_error(
            compiler->err, expr->place, "Query parameter %s: a STRUCT needs its structTypes",
            expr->text == NULL ? "?" : expr->text);
    out->fields =
        sql_alloc(compiler->arena, (size_t)cJSON_GetArraySize(types) * sizeof *out->fields);
    cJSON_ArrayForEach(field, types)
    {
        const char *name = json_text(field, "name");
        const char *type_name = type_of(json_at(field, "type"));
        enum store_type type = STORE_STRING;
        if (name == NULL || name[0] == '\0')
            return sql_error(
                compiler->err, expr->place,
                "bqlocal has no STRUCT parameters with fields without "
                "names");
        if (has_field(out, name))
            return sql_error(
                compiler->err, expr->place, "Struct field name %s is used more than once", name);
        if (type_name == NULL || !store_type_parse(type_name, &type))
            return sql_error(
                compiler->err, expr->place,
                "bqlocal does not have a query parameter of type %s here",
                type_name == NULL ? "unknown" : type_name);
        out->fields[out->count++] = (struct sql_field){.name = name, .type = (int)type};
    }
    return true;
}

/* A struct's value has a member for each field of its type and no other. */
static bool read_struct(
    struct sql_compiler *compiler, const struct sql_expr *expr, const cJSON *value,
    const struct sql_structs *structs, const char **out_row)
{
    const cJSON *members = json_at(value, "structValues");
    const char **items = sql_alloc(compiler->arena, structs->count * sizeof *items);

    if (!cJSON_IsObject(members) || (size_t)cJSON_GetArraySize(members) != structs->count)
        return sql_error(
            compiler->err, SQL_NO_PLACE,
            "Invalid value for query parameter %s: a struct has %d values, and its type %zu fields",
            expr->text == NULL ? "?" : expr->text, cJSON_GetArraySize(members), structs->count);
    // Members mostly come in the order of the type, so that each is found at once.
    const cJSON *next = members->child;
    for (size_t i = 0; i < structs->count; i++, next = next == NULL ? NULL : next->next) {
        const char *name = structs->fields[i].name;
        const cJSON *item =
            next != NULL && strcmp(next->string, name) == 0 ? next : json_at(members, name);
        struct sql_value field = {0};
        if (item == NULL)
            return sql_error(
                compiler->err, SQL_NO_PLACE,
                "Invalid value for query parameter %s: a struct has no value for its field %s",
                expr->text == NULL ? "?" : expr->text, name);
        if (!parameter_value(
                compiler, expr, (enum store_type)structs->fields[i].type, item, &field))
            return false;
        items[i] = field.sql;
    }
    *out_row = sql_printf(compiler->arena, "(%s)", sql_join(compiler, ",", items, structs->count));
    return true;
}

bool sql_struct_array(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_structs *out)
{
    const cJSON *values =
        json_at(json_at(find_parameter(compiler, expr), "parameterValue"), "arrayValues");
    const cJSON *value;

    *out = (struct sql_structs){0};
    if (!read_fields(compiler, expr, struct_type(compiler, expr), out))
        return false;
    out->rows =
        sql_alloc(compiler->arena, ((size_t)cJSON_GetArraySize(values) + 1) * sizeof *out->rows);
    cJSON_ArrayForEach(value, values)
    {
        if (!read_struct(compiler, expr, value, out, &out->rows[out->row_count]))
            return false;
        out->row_count++;
    }
    return true;
}
