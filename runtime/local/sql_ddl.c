/* CREATE, ALTER and DROP: statements become Table resources, which the store keeps. */
#include "local/sql_compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool option_error(struct sql_compiler *compiler, const struct sql_option *option)
{
    return sql_error(
        compiler->err, option->value->line, option->value->column, "Invalid value for option %s",
        option->name);
}

/* Runs a constant expression and gives back its one value as text; NULL for NULL. */
static bool evaluate(
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
        sql_error(
            compiler->err, expr->line, expr->column, "%s", sqlite3_errmsg(compiler->store->handle));
    }
    sqlite3_finalize(statement);
    return ok;
}

/* Sets a key, or removes it for NULL. */
static void put_text(cJSON *resource, const char *key, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(resource, key);
    if (text != NULL)
        cJSON_AddStringToObject(resource, key, text);
}

static cJSON *get_or_add(cJSON *resource, const char *key)
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
            if (!evaluate(compiler, pair->args.items[j], STORE_STRING, &texts[j]) ||
                texts[j] == NULL)
                return compiler->err->code == ERROR_NONE ? option_error(compiler, option) : false;
        put_text(labels, texts[0], texts[1]);
    }
    return true;
}

/* Milliseconds since 1970 from a TIMESTAMP option. */
static bool put_expiration(
    struct sql_compiler *compiler, const struct sql_option *option, cJSON *resource)
{
    const char *text = NULL;

    if (!evaluate(compiler, option->value, STORE_TIMESTAMP, &text))
        return false;
    put_text(
        resource, "expirationTime",
        text == NULL ? NULL : sql_printf(compiler->arena, "%lld", strtoll(text, NULL, 10) / 1000));
    return true;
}

static bool put_partition_option(
    struct sql_compiler *compiler, const struct sql_option *option, cJSON *resource)
{
    const char *text = NULL;

    if (!evaluate(compiler, option->value, STORE_FLOAT64, &text))
        return false;
    cJSON *time = cJSON_GetObjectItemCaseSensitive(resource, "timePartitioning");
    if (time == NULL)
        return sql_error(
            compiler->err, option->value->line, option->value->column,
            "partition_expiration_days is only allowed for time-partitioned tables");
    put_text(
        time, "expirationMs",
        text == NULL
            ? NULL
            : sql_printf(
                  compiler->arena, "%lld", (long long)(strtod(text, NULL) * 24 * 3600 * 1000)));
    return true;
}

static bool put_option(
    struct sql_compiler *compiler, const struct sql_option *option, cJSON *resource)
{
    const char *text = NULL;

    if (strcasecmp(option->name, "labels") == 0)
        return put_labels(compiler, option, resource);
    if (strcasecmp(option->name, "expiration_timestamp") == 0)
        return put_expiration(compiler, option, resource);
    if (strcasecmp(option->name, "partition_expiration_days") == 0)
        return put_partition_option(compiler, option, resource);
    if (strcasecmp(option->name, "require_partition_filter") == 0) {
        if (!evaluate(compiler, option->value, STORE_BOOL, &text))
            return false;
        cJSON_DeleteItemFromObjectCaseSensitive(resource, "requirePartitionFilter");
        if (text != NULL)
            cJSON_AddBoolToObject(resource, "requirePartitionFilter", text[0] == '1');
        return true;
    }
    bool description = strcasecmp(option->name, "description") == 0;
    if (description || strcasecmp(option->name, "friendly_name") == 0) {
        if (!evaluate(compiler, option->value, STORE_STRING, &text))
            return false;
        put_text(resource, description ? "description" : "friendlyName", text);
        return true;
    }
    static const char *const ignored[] = {
        "max_staleness", "kms_key_name", "location", "default_table_expiration_days",
        "is_case_insensitive"};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (strcasecmp(option->name, ignored[i]) == 0)
            return true;
    return sql_error(
        compiler->err, option->value->line, option->value->column, "Unknown option: %s",
        option->name);
}

static bool put_options(
    struct sql_compiler *compiler, const struct sql_options *options, cJSON *resource)
{
    for (size_t i = 0; i < options->count; i++)
        if (!put_option(compiler, &options->items[i], resource))
            return false;
    return true;
}

static bool put_column_options(
    struct sql_compiler *compiler, const struct sql_options *options, cJSON *field)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct sql_option *option = &options->items[i];
        const char *text = NULL;
        if (strcasecmp(option->name, "description") != 0)
            return sql_error(
                compiler->err, option->value->line, option->value->column, "Unknown option: %s",
                option->name);
        if (!evaluate(compiler, option->value, STORE_STRING, &text))
            return false;
        put_text(field, "description", text);
    }
    return true;
}

static void put_type(struct sql_compiler *compiler, const struct sql_column *column, cJSON *field)
{
    bool text = column->type == STORE_STRING || column->type == STORE_BYTES;

    cJSON_DeleteItemFromObjectCaseSensitive(field, "maxLength");
    cJSON_DeleteItemFromObjectCaseSensitive(field, "precision");
    cJSON_DeleteItemFromObjectCaseSensitive(field, "scale");
    put_text(field, "type", store_type_rest(column->type));
    if (column->length > 0)
        put_text(
            field, text ? "maxLength" : "precision",
            sql_printf(compiler->arena, "%lld", (long long)column->length));
    if (column->scale > 0)
        put_text(field, "scale", sql_printf(compiler->arena, "%lld", (long long)column->scale));
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

static bool add_column(
    struct sql_compiler *compiler, const struct sql_column *column, cJSON *fields)
{
    cJSON *field = cJSON_CreateObject();

    cJSON_AddItemToArray(fields, field);
    put_text(field, "name", column->name);
    put_type(compiler, column, field);
    if (column->required)
        put_text(field, "mode", "REQUIRED");
    if (column->default_sql != NULL)
        put_text(field, "defaultValueExpression", column->default_sql);
    return check_default(compiler, column) && put_column_options(compiler, &column->options, field);
}

static cJSON *find_field(cJSON *fields, const char *name)
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

static void put_names(cJSON *parent, const char *key, const struct sql_names *names)
{
    cJSON *array = cJSON_AddArrayToObject(parent, key);

    for (size_t i = 0; i < names->count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(names->items[i]));
}

static bool bad_partition(struct sql_compiler *compiler, const struct sql_expr *expr)
{
    return sql_error(
        compiler->err, expr->line, expr->column,
        "PARTITION BY expression must be DATE(<timestamp_column>), DATE(<datetime_column>), "
        "DATETIME_TRUNC(<datetime_column>, DAY/HOUR/MONTH/YEAR), a DATE column, "
        "TIMESTAMP_TRUNC(<timestamp_column>, DAY/HOUR/MONTH/YEAR), DATE_TRUNC(<date_column>, "
        "MONTH/YEAR), or RANGE_BUCKET(<int64_column>, GENERATE_ARRAY(<int64_value>, "
        "<int64_value>[, "
        "<int64_value>]))");
}

static void put_time_partition(cJSON *resource, const char *type, const char *column)
{
    cJSON *time = cJSON_AddObjectToObject(resource, "timePartitioning");

    put_text(time, "type", type);
    if (strcasecmp(column, "_PARTITIONDATE") != 0 && strcasecmp(column, "_PARTITIONTIME") != 0)
        put_text(time, "field", column);
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
    put_text(partitioning, "field", expr->args.items[0]->path.items[0]);
    cJSON *range = cJSON_AddObjectToObject(partitioning, "range");
    put_text(range, "interval", "1");
    for (size_t i = 0; i < array->args.count; i++) {
        const char *text = NULL;
        if (!evaluate(compiler, array->args.items[i], STORE_INT64, &text))
            return false;
        put_text(range, keys[i], text);
    }
    return true;
}

static bool put_partition(
    struct sql_compiler *compiler, const struct sql_expr *expr, cJSON *resource)
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

static void put_primary_key(cJSON *resource, const struct sql_names *columns)
{
    cJSON *constraints = get_or_add(resource, "tableConstraints");

    cJSON_DeleteItemFromObjectCaseSensitive(constraints, "primaryKey");
    put_names(cJSON_AddObjectToObject(constraints, "primaryKey"), "columns", columns);
}

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
        if (find_field(fields, column.name) != NULL)
            return sql_error(
                compiler->err, node->query->line, node->query->column,
                "CREATE TABLE has columns with duplicate name %s", column.name);
        if (!add_column(compiler, &column, fields))
            return false;
    }
    return true;
}

static bool put_columns(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output,
    cJSON *resource)
{
    cJSON *fields = cJSON_AddArrayToObject(get_or_add(resource, "schema"), "fields");

    for (size_t i = 0; i < node->defined_count; i++) {
        const struct sql_column *column = &node->defined[i];
        if (find_field(fields, column->name) != NULL)
            return sql_error(
                compiler->err, column->line, column->place,
                "Duplicate column name %s in CREATE TABLE", column->name);
        if (!add_column(compiler, column, fields))
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
        put_primary_key(resource, &node->primary_key);
    if (node->partition != NULL && !put_partition(compiler, node->partition, resource))
        return false;
    if (node->has_cluster) {
        cJSON_DeleteItemFromObjectCaseSensitive(resource, "clustering");
        put_names(cJSON_AddObjectToObject(resource, "clustering"), "fields", &node->cluster);
    }
    return put_options(compiler, &node->options, resource);
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

static bool table_exists(struct sql_compiler *compiler, const char *dataset, const char *table)
{
    struct error ignored;
    cJSON *resource = NULL;
    bool exists = store_table_get(compiler->store, dataset, table, &resource, &ignored);

    cJSON_Delete(resource);
    return exists;
}

static bool create(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_statement *out,
    const struct sql_output *output, const cJSON *resource)
{
    bool exists = table_exists(compiler, out->target_dataset, out->target_table);

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

static void set_target(struct sql_statement *out, const char *dataset, const char *table)
{
    snprintf(out->target_dataset, sizeof out->target_dataset, "%s", dataset);
    snprintf(out->target_table, sizeof out->target_table, "%s", table);
}

static bool run_create(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result,
    struct sql_statement *out)
{
    struct sql_output output = {0};
    const char *dataset = NULL;
    const char *table = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->line, node->column, &dataset, &table))
        return false;
    set_target(out, dataset, table);
    bool exists = table_exists(compiler, dataset, table);
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

/* A table being altered: its resource as it will be. */
struct alteration {
    struct sql_compiler *compiler;
    cJSON *resource;
    cJSON *fields;
    const char **renames; /* pairs, NULL-terminated */
    size_t rename_count;
};

static bool alter_add_column(struct alteration *alteration, const struct sql_alter *alter)
{
    struct sql_compiler *compiler = alteration->compiler;
    const struct sql_column *column = &alter->column;

    if (find_field(alteration->fields, column->name) != NULL)
        return column->if_not_exists || sql_error(
                                            compiler->err, alter->line, alter->place,
                                            "Column already exists: %s", column->name);
    if (column->required)
        return sql_error(
            compiler->err, alter->line, alter->place,
            "Cannot add required columns to an existing schema. The field %s cannot be NOT NULL",
            column->name);
    if (column->default_sql != NULL)
        return sql_error(
            compiler->err, alter->line, alter->place,
            "ALTER TABLE ADD COLUMN does not support DEFAULT: add the column %s, then use ALTER "
            "COLUMN SET DEFAULT",
            column->name);
    return add_column(compiler, column, alteration->fields);
}

/* Whether partitioning, clustering or the primary key use a column. */
static bool is_used(const struct alteration *alteration, const char *name, const char **out_by)
{
    const cJSON *resource = alteration->resource;
    const cJSON *lists[2] = {
        cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(resource, "clustering"), "fields"),
        cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(
                cJSON_GetObjectItemCaseSensitive(resource, "tableConstraints"), "primaryKey"),
            "columns")};
    static const char *const partitions[] = {"timePartitioning", "rangePartitioning"};
    const cJSON *item;

    for (size_t i = 0; i < 2; i++) {
        const char *field = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(resource, partitions[i]), "field"));
        *out_by = "partitioning";
        if (field != NULL && strcasecmp(field, name) == 0)
            return true;
    }
    for (size_t i = 0; i < 2; i++) {
        *out_by = i == 0 ? "clustering" : "the primary key";
        cJSON_ArrayForEach(item, lists[i]) if (
            cJSON_IsString(item) && strcasecmp(item->valuestring, name) == 0) return true;
    }
    return false;
}

static bool check_unused(struct alteration *alteration, const struct sql_alter *alter)
{
    const char *by = NULL;

    return !is_used(alteration, alter->column.name, &by) ||
           sql_error(
               alteration->compiler->err, alter->line, alter->place,
               "Column %s cannot be changed this way because it is used by %s", alter->column.name,
               by);
}

static bool alter_drop_column(
    struct alteration *alteration, const struct sql_alter *alter, cJSON *field)
{
    if (!check_unused(alteration, alter))
        return false;
    if (cJSON_GetArraySize(alteration->fields) == 1)
        return sql_error(
            alteration->compiler->err, alter->line, alter->place,
            "Cannot drop column %s: a table must keep one column", alter->column.name);
    cJSON_Delete(cJSON_DetachItemViaPointer(alteration->fields, field));
    return true;
}

static bool alter_rename_column(
    struct alteration *alteration, const struct sql_alter *alter, cJSON *field)
{
    struct sql_compiler *compiler = alteration->compiler;

    if (!check_unused(alteration, alter))
        return false;
    cJSON *other = find_field(alteration->fields, alter->new_name);
    if (other != NULL && other != field)
        return sql_error(
            compiler->err, alter->line, alter->place, "Column already exists: %s", alter->new_name);
    const char *old = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(field, "name"));
    alteration->renames[alteration->rename_count++] = sql_copy(compiler->arena, old, strlen(old));
    alteration->renames[alteration->rename_count++] = alter->new_name;
    put_text(field, "name", alter->new_name);
    return true;
}

static bool can_widen(enum store_type from, enum store_type to)
{
    if (from == to)
        return true;
    if (from == STORE_INT64)
        return to == STORE_NUMERIC || to == STORE_BIGNUMERIC || to == STORE_FLOAT64;
    return from == STORE_NUMERIC && (to == STORE_BIGNUMERIC || to == STORE_FLOAT64);
}

static bool alter_set_type(
    struct alteration *alteration, const struct sql_alter *alter, cJSON *field)
{
    const char *old = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(field, "type"));
    enum store_type from = STORE_STRING;
    bool known = old != NULL && store_type_parse(old, &from);

    if (!known || !can_widen(from, alter->column.type))
        return sql_error(
            alteration->compiler->err, alter->line, alter->place,
            "ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type (%s) is "
            "assignable to the new type (%s)",
            store_type_sql(from), store_type_sql(alter->column.type));
    if (from != alter->column.type && !check_unused(alteration, alter))
        return false;
    put_type(alteration->compiler, &alter->column, field);
    return true;
}

static bool alter_drop_not_null(
    struct alteration *alteration, const struct sql_alter *alter, cJSON *field)
{
    const char *mode = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(field, "mode"));

    if (mode == NULL || strcasecmp(mode, "REQUIRED") != 0)
        return sql_error(
            alteration->compiler->err, alter->line, alter->place,
            "Column %s is already nullable: DROP NOT NULL does not apply", alter->column.name);
    put_text(field, "mode", "NULLABLE");
    return true;
}

static bool alter_set_default(
    struct alteration *alteration, const struct sql_alter *alter, cJSON *field)
{
    struct sql_column column = alter->column;
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(field, "type"));

    if (type == NULL || !store_type_parse(type, &column.type) ||
        !check_default(alteration->compiler, &column))
        return false;
    put_text(field, "defaultValueExpression", column.default_sql);
    return true;
}

static bool alter_column(struct alteration *alteration, const struct sql_alter *alter)
{
    cJSON *field = find_field(alteration->fields, alter->column.name);

    if (field == NULL)
        return alter->if_exists || sql_error(
                                       alteration->compiler->err, alter->line, alter->place,
                                       "Column not found: %s", alter->column.name);
    switch (alter->kind) {
    case SQL_DROP_COLUMN:
        return alter_drop_column(alteration, alter, field);
    case SQL_RENAME_COLUMN:
        return alter_rename_column(alteration, alter, field);
    case SQL_COLUMN_DROP_NOT_NULL:
        return alter_drop_not_null(alteration, alter, field);
    case SQL_COLUMN_SET_TYPE:
        return alter_set_type(alteration, alter, field);
    case SQL_COLUMN_SET_OPTIONS:
        return put_column_options(alteration->compiler, &alter->options, field);
    case SQL_COLUMN_SET_DEFAULT:
        return alter_set_default(alteration, alter, field);
    default:
        put_text(field, "defaultValueExpression", NULL);
        return true;
    }
}

static bool alter_primary_key(struct alteration *alteration, const struct sql_alter *alter)
{
    cJSON *constraints = get_or_add(alteration->resource, "tableConstraints");
    bool has = cJSON_HasObjectItem(constraints, "primaryKey");

    if (alter->kind == SQL_DROP_PRIMARY_KEY) {
        cJSON_DeleteItemFromObjectCaseSensitive(constraints, "primaryKey");
        return has || alter->if_exists ||
               sql_error(
                   alteration->compiler->err, alter->line, alter->place,
                   "The table has no primary key");
    }
    if (has)
        return sql_error(
            alteration->compiler->err, alter->line, alter->place,
            "The table already has a primary key");
    put_primary_key(alteration->resource, &alter->key);
    return true;
}

static bool alter_one(struct alteration *alteration, const struct sql_alter *alter)
{
    switch (alter->kind) {
    case SQL_ADD_COLUMN:
        return alter_add_column(alteration, alter);
    case SQL_SET_OPTIONS:
        return put_options(alteration->compiler, &alter->options, alteration->resource);
    case SQL_ADD_PRIMARY_KEY:
    case SQL_DROP_PRIMARY_KEY:
        return alter_primary_key(alteration, alter);
    case SQL_RENAME_TO:
        return true;
    default:
        return alter_column(alteration, alter);
    }
}

/* RENAME TO: a new table with the old one's resource and rows. */
static bool rename_table(
    struct sql_compiler *compiler, const char *dataset, const char *table, const char *new_name,
    const cJSON *resource)
{
    char *to = sql_printf(compiler->arena, "%s.%s", dataset, new_name);
    char *from = sql_printf(compiler->arena, "%s.%s", dataset, table);

    return store_table_insert(compiler->store, dataset, new_name, resource, compiler->err) &&
           sql_execute(
               compiler,
               sql_printf(
                   compiler->arena, "INSERT INTO %s SELECT * FROM %s",
                   sql_quote_name(compiler->arena, to), sql_quote_name(compiler->arena, from)),
               NULL) &&
           store_table_delete(compiler->store, dataset, table, compiler->err);
}

static bool alter_all(
    struct sql_compiler *compiler, const struct sql_node *node, const char *dataset,
    const char *table, cJSON *resource)
{
    struct alteration alteration = {.compiler = compiler, .resource = resource};
    const char *new_name = NULL;

    alteration.fields = cJSON_GetObjectItemCaseSensitive(get_or_add(resource, "schema"), "fields");
    if (alteration.fields == NULL)
        alteration.fields = cJSON_AddArrayToObject(get_or_add(resource, "schema"), "fields");
    alteration.renames =
        sql_alloc(compiler->arena, (2 * node->alter_count + 2) * sizeof *alteration.renames);
    for (size_t i = 0; i < node->alter_count; i++) {
        if (!alter_one(&alteration, &node->alters[i]))
            return false;
        if (node->alters[i].kind == SQL_RENAME_TO)
            new_name = node->alters[i].new_name;
    }
    if (compiler->request->dry_run)
        return true;
    if (new_name != NULL)
        return rename_table(compiler, dataset, table, new_name, resource);
    return store_table_alter(
        compiler->store, dataset, table, resource, alteration.renames, compiler->err);
}

static bool run_alter(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    const char *dataset = NULL;
    const char *table = NULL;
    cJSON *resource = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->line, node->column, &dataset, &table))
        return false;
    set_target(out, dataset, table);
    snprintf(out->ddl, sizeof out->ddl, "ALTER");
    if (node->if_exists && !table_exists(compiler, dataset, table)) {
        snprintf(out->ddl, sizeof out->ddl, "SKIP");
        return true;
    }
    if (!store_table_get(compiler->store, dataset, table, &resource, compiler->err))
        return false;
    bool ok = alter_all(compiler, node, dataset, table, resource);
    cJSON_Delete(resource);
    return ok;
}

static bool run_drop(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    const char *dataset = NULL;
    const char *table = NULL;
    cJSON *resource = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->line, node->column, &dataset, &table))
        return false;
    set_target(out, dataset, table);
    bool skip = node->if_exists && !table_exists(compiler, dataset, table);
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
    set_target(out, dataset, "");
    bool skip = node->if_exists && exists != drop;
    snprintf(out->ddl, sizeof out->ddl, "%s", skip ? "SKIP" : drop ? "DROP" : "CREATE");
    if (skip || compiler->request->dry_run)
        return true;
    if (drop)
        return store_dataset_delete(compiler->store, dataset, node->cascade, compiler->err);
    cJSON *resource = cJSON_CreateObject();
    bool ok = put_options(compiler, &node->options, resource) &&
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
        return run_create(compiler, node, result, out);
    case SQL_ALTER_TABLE:
        return run_alter(compiler, node, out);
    case SQL_DROP_TABLE:
        return run_drop(compiler, node, out);
    default:
        return run_schema(compiler, node, out);
    }
}
