/* Parts of Table resources from parts of statements: columns, options, partitioning, keys. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/sql/run/ddl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool option_error(struct sql_compiler *compiler, const struct sql_option *option)
{
    return sql_error(
        compiler->err, option->value->place, "Invalid value for option %s", option->name);
}

/* Runs a constant expression and gives back its one value as text; NULL for NULL. */
bool sql_evaluate(
    struct sql_compiler *compiler, const struct sql_expr *expr, int type, const char **out_text)
{
    struct sql_value value = {0};
    sqlite3_stmt *statement = NULL;

    compiler->scope = NULL;
    if (!sql_translate(compiler, expr, &value))
        return false;
    if (!sql_coerce(compiler, &value, type, &value))
        return sql_mismatch(
            compiler, expr, "Option value has type %s, expected %s", sql_type_name(value.type),
            sql_type_name(type));
    char *sql = sql_printf(compiler->arena, "SELECT %s", value.sql);
    bool ok = sqlite3_prepare_v2(compiler->store->handle, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
    if (ok) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        *out_text = text == NULL ? NULL : sql_copy(compiler->arena, text, strlen(text));
    } else {
        sql_error(compiler->err, expr->place, "%s", sqlite3_errmsg(compiler->store->handle));
    }
    sqlite3_finalize(statement);
    return ok;
}

/* Sets a key, or removes it for NULL. */
void sql_put_text(cJSON *resource, const char *key, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(resource, key);
    if (text != NULL)
        cJSON_AddStringToObject(resource, key, text);
}

cJSON *sql_get_or_add(cJSON *resource, const char *key)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(resource, key);

    if (!cJSON_IsObject(item)) {
        cJSON_DeleteItemFromObjectCaseSensitive(resource, key);
        item = cJSON_AddObjectToObject(resource, key);
    }
    return item;
}

/* [("key", "value"), ...] */
static bool put_labels(
    struct sql_compiler *compiler, const struct sql_option *option, cJSON *resource)
{
    const struct sql_expr *array = option->value;

    if (array->kind != SQL_EXPR_ARRAY)
        return array->kind == SQL_EXPR_NULL || option_error(compiler, option);
    cJSON_DeleteItemFromObjectCaseSensitive(resource, "labels");
    cJSON *labels = cJSON_AddObjectToObject(resource, "labels");
    for (size_t i = 0; i < array->args.count; i++) {
        const struct sql_expr *pair = array->args.items[i];
        const char *texts[2] = {NULL, NULL};
        if (pair->kind != SQL_EXPR_STRUCT || pair->args.count != 2)
            return option_error(compiler, option);
        for (size_t j = 0; j < 2; j++)
            if (!sql_evaluate(compiler, pair->args.items[j], STORE_STRING, &texts[j]) ||
                texts[j] == NULL)
                return compiler->err->code == ERROR_NONE ? option_error(compiler, option) : false;
        sql_put_text(labels, texts[0], texts[1]);
    }
    return store_labels_check(labels, "labels", compiler->err);
}

/* Milliseconds since 1970 from a TIMESTAMP option. */
static bool put_expiration(
    struct sql_compiler *compiler, const struct sql_option *option, cJSON *resource)
{
    const char *text = NULL;

    if (!sql_evaluate(compiler, option->value, STORE_TIMESTAMP, &text))
        return false;
    sql_put_text(
        resource, "expirationTime",
        text == NULL ? NULL : sql_printf(compiler->arena, "%lld", strtoll(text, NULL, 10) / 1000));
    return true;
}

/* Days, with a fraction, as milliseconds; NULL: partitions do not expire. */
static bool put_partition_expiration(
    struct sql_compiler *compiler, const struct sql_option *option, cJSON *resource)
{
    cJSON *partitioning = cJSON_GetObjectItemCaseSensitive(resource, "timePartitioning");
    const char *text = NULL;

    if (!sql_evaluate(compiler, option->value, STORE_FLOAT64, &text))
        return false;
    double milliseconds = text == NULL ? 0 : strtod(text, NULL) * 86400000;
    if (text != NULL && !(milliseconds >= 1 && milliseconds < 9e18))
        return option_error(compiler, option);
    if (partitioning == NULL)
        return text == NULL || sql_error(
                                   compiler->err, option->value->place,
                                   "partition_expiration_days can only be set on a table that is "
                                   "partitioned by time");
    sql_put_text(
        partitioning, "expirationMs",
        text == NULL ? NULL : sql_printf(compiler->arena, "%lld", (long long)(milliseconds + 0.5)));
    return true;
}

static bool put_option(
    struct sql_compiler *compiler, const struct sql_option *option, cJSON *resource)
{
    static const char *const texts[][2] = {
        {"description", "description"}, {"friendly_name", "friendlyName"}};
    const char *text = NULL;

    if (strcasecmp(option->name, "labels") == 0)
        return put_labels(compiler, option, resource);
    if (strcasecmp(option->name, "expiration_timestamp") == 0)
        return put_expiration(compiler, option, resource);
    if (strcasecmp(option->name, "partition_expiration_days") == 0)
        return put_partition_expiration(compiler, option, resource);
    if (strcasecmp(option->name, "require_partition_filter") == 0) {
        if (!sql_evaluate(compiler, option->value, STORE_BOOL, &text))
            return false;
        cJSON_DeleteItemFromObjectCaseSensitive(resource, "requirePartitionFilter");
        if (text != NULL)
            cJSON_AddBoolToObject(resource, "requirePartitionFilter", text[0] == '1');
        return true;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcasecmp(option->name, texts[i][0]) == 0) {
            if (!sql_evaluate(compiler, option->value, STORE_STRING, &text))
                return false;
            sql_put_text(resource, texts[i][1], text);
            return true;
        }
    return sql_error(
        compiler->err, option->value->place, "bqlocal does not have the table option %s",
        option->name);
}

bool sql_put_options(
    struct sql_compiler *compiler, const struct sql_options *options, cJSON *resource)
{
    for (size_t i = 0; i < options->count; i++)
        if (!put_option(compiler, &options->items[i], resource))
            return false;
    return true;
}

bool sql_put_column_options(
    struct sql_compiler *compiler, const struct sql_options *options, cJSON *field)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct sql_option *option = &options->items[i];
        const char *text = NULL;
        if (strcasecmp(option->name, "description") != 0)
            return sql_error(
                compiler->err, option->value->place, "bqlocal does not have the column option %s",
                option->name);
        if (!sql_evaluate(compiler, option->value, STORE_STRING, &text))
            return false;
        sql_put_text(field, "description", text);
    }
    return true;
}

void sql_put_type(struct sql_compiler *compiler, const struct sql_column *column, cJSON *field)
{
    bool text = column->type == STORE_STRING || column->type == STORE_BYTES;

    cJSON_DeleteItemFromObjectCaseSensitive(field, "maxLength");
    cJSON_DeleteItemFromObjectCaseSensitive(field, "precision");
    cJSON_DeleteItemFromObjectCaseSensitive(field, "scale");
    sql_put_text(field, "type", store_type_rest(column->type));
    if (column->length > 0)
        sql_put_text(
            field, text ? "maxLength" : "precision",
            sql_printf(compiler->arena, "%lld", (long long)column->length));
    if (column->scale > 0)
        sql_put_text(field, "scale", sql_printf(compiler->arena, "%lld", (long long)column->scale));
}

/* A default must fit its column; NULL in REQUIRED is found when a row is written. */
static bool check_default(struct sql_compiler *compiler, const struct sql_column *column)
{
    struct store_field field = {.name = (char *)(uintptr_t)column->name, .type = column->type};
    const char *ignored = NULL;

    compiler->scope = NULL;
    return column->default_expr == NULL ||
           sql_assign_expr(compiler, column->default_expr, &field, &ignored);
}

bool sql_add_column(struct sql_compiler *compiler, const struct sql_column *column, cJSON *fields)
{
    cJSON *field = cJSON_CreateObject();

    cJSON_AddItemToArray(fields, field);
    sql_put_text(field, "name", column->name);
    sql_put_type(compiler, column, field);
    if (column->required)
        sql_put_text(field, "mode", "REQUIRED");
    if (column->default_sql != NULL)
        sql_put_text(field, "defaultValueExpression", column->default_sql);
    return check_default(compiler, column) &&
           sql_put_column_options(compiler, &column->options, field);
}

cJSON *sql_find_field(cJSON *fields, const char *name)
{
    cJSON *field;

    cJSON_ArrayForEach(field, fields)
    {
        const char *other = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(field, "name"));
        if (other != NULL && strcasecmp(other, name) == 0)
            return field;
    }
    return NULL;
}

void sql_put_names(cJSON *parent, const char *key, const struct sql_names *names)
{
    cJSON *array = cJSON_AddArrayToObject(parent, key);

    for (size_t i = 0; i < names->count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(names->items[i]));
}

void sql_put_primary_key(cJSON *resource, const struct sql_names *columns)
{
    cJSON *constraints = sql_get_or_add(resource, "tableConstraints");

    cJSON_DeleteItemFromObjectCaseSensitive(constraints, "primaryKey");
    sql_put_names(cJSON_AddObjectToObject(constraints, "primaryKey"), "columns", columns);
}

static bool bad_partition(struct sql_compiler *compiler, const struct sql_expr *expr)
{
    return sql_error(
        compiler->err, expr->place,
        "PARTITION BY expression must be a DATE column, DATE(column), DATE_TRUNC, DATETIME_TRUNC "
        "or TIMESTAMP_TRUNC of a column to HOUR, DAY, MONTH or YEAR, or RANGE_BUCKET(column, "
        "GENERATE_ARRAY(start, end, interval))");
}

static void put_time_partition(cJSON *resource, const char *type, const char *column)
{
    cJSON *time = cJSON_AddObjectToObject(resource, "timePartitioning");

    sql_put_text(time, "type", type);
    if (strcasecmp(column, "_PARTITIONDATE") != 0 && strcasecmp(column, "_PARTITIONTIME") != 0)
        sql_put_text(time, "field", column);
}

/* RANGE_BUCKET(column, GENERATE_ARRAY(start, end, step)) */
static bool put_range_partition(
    struct sql_compiler *compiler, const struct sql_expr *expr, cJSON *resource)
{
    const struct sql_expr *array = expr->args.count == 2 ? expr->args.items[1] : NULL;
    static const char *const keys[] = {"start", "end", "interval"};

    bool fits = array != NULL && expr->args.items[0]->kind == SQL_EXPR_PATH &&
                array->kind == SQL_EXPR_CALL && strcmp(array->text, "GENERATE_ARRAY") == 0 &&
                (array->args.count == 2 || array->args.count == 3);
    if (!fits)
        return bad_partition(compiler, expr);
    cJSON *partitioning = cJSON_AddObjectToObject(resource, "rangePartitioning");
    sql_put_text(partitioning, "field", expr->args.items[0]->path.items[0]);
    cJSON *range = cJSON_AddObjectToObject(partitioning, "range");
    sql_put_text(range, "interval", "1");
    for (size_t i = 0; i < array->args.count; i++) {
        const char *text = NULL;
        if (!sql_evaluate(compiler, array->args.items[i], STORE_INT64, &text))
            return false;
        sql_put_text(range, keys[i], text);
    }
    return true;
}

bool sql_put_partition(struct sql_compiler *compiler, const struct sql_expr *expr, cJSON *resource)
{
    static const char *const parts[] = {"HOUR", "DAY", "MONTH", "YEAR"};

    if (expr->kind == SQL_EXPR_PATH && expr->path.count == 1) {
        put_time_partition(resource, "DAY", expr->path.items[0]);
        return true;
    }
    if (expr->kind != SQL_EXPR_CALL || expr->args.count < 1)
        return bad_partition(compiler, expr);
    if (strcmp(expr->text, "RANGE_BUCKET") == 0)
        return put_range_partition(compiler, expr, resource);
    const struct sql_expr *column = expr->args.items[0];
    if (column->kind != SQL_EXPR_PATH || column->path.count != 1)
        return bad_partition(compiler, expr);
    if (strcmp(expr->text, "DATE") == 0 && expr->args.count == 1) {
        put_time_partition(resource, "DAY", column->path.items[0]);
        return true;
    }
    bool trunc = strcmp(expr->text, "TIMESTAMP_TRUNC") == 0 ||
                 strcmp(expr->text, "DATETIME_TRUNC") == 0 || strcmp(expr->text, "DATE_TRUNC") == 0;
    if (!trunc || expr->args.count != 2 || expr->args.items[1]->kind != SQL_EXPR_PATH)
        return bad_partition(compiler, expr);
    for (size_t i = 0; i < 4; i++)
        if (strcasecmp(expr->args.items[1]->path.items[0], parts[i]) == 0) {
            put_time_partition(resource, parts[i], column->path.items[0]);
            return true;
        }
    return bad_partition(compiler, expr);
}
