/* ALTER TABLE. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/sql/run/ddl.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A table being altered: its resource as it will be. */
struct alteration {
    struct sql_compiler *compiler;
    cJSON *resource;
    cJSON *fields;
};

static bool alter_add_column(struct alteration *alteration, const struct sql_alter *alter)
{
    struct sql_compiler *compiler = alteration->compiler;
    const struct sql_column *column = &alter->column;

    if (sql_find_field(alteration->fields, column->name) != NULL)
        return column->if_not_exists ||
               sql_error(compiler->err, alter->place, "Column already exists: %s", column->name);
    if (column->required)
        return sql_error(
            compiler->err, alter->place,
            "Cannot add required columns to an existing schema. The field %s cannot be NOT NULL",
            column->name);
    if (column->default_sql != NULL)
        return sql_error(
            compiler->err, alter->place,
            "ALTER TABLE ADD COLUMN does not support DEFAULT: add the column %s, then use ALTER "
            "COLUMN SET DEFAULT",
            column->name);
    return sql_add_column(compiler, column, alteration->fields);
}

/* Whether partitioning, clustering or the primary key use a column. */
static bool is_used(const struct alteration *alteration, const char *name, const char **out_by)
{
    const cJSON *resource = alteration->resource;
    const cJSON *lists[2] = {
        json_at(json_at(resource, "clustering"), "fields"),
        json_at(json_at(json_at(resource, "tableConstraints"), "primaryKey"), "columns")};
    static const char *const partitions[] = {"timePartitioning", "rangePartitioning"};
    const cJSON *item;

    for (size_t i = 0; i < 2; i++) {
        const char *field = json_text(json_at(resource, partitions[i]), "field");
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
               alteration->compiler->err, alter->place,
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
            alteration->compiler->err, alter->place,
            "Cannot drop column %s: a table must keep one column", alter->column.name);
    cJSON_Delete(cJSON_DetachItemViaPointer(alteration->fields, field));
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

/* What the column may hold, of those types that have parameters, and of INT64: 19 digits. */
static struct store_field limits_of(enum store_type type, int64_t length, int64_t scale)
{
    bool text = type == STORE_STRING || type == STORE_BYTES;

    return (struct store_field){
        .type = type,
        .length = text ? length : 0,
        .precision = text                  ? 0
                     : type == STORE_INT64 ? 19
                                           : (int)length,
        .scale = (int)scale,
    };
}

static bool alter_set_type(
    struct alteration *alteration, const struct sql_alter *alter, cJSON *field)
{
    const char *old = json_text(field, "type");
    enum store_type from = STORE_STRING;
    bool known = old != NULL && store_type_parse(old, &from);
    const struct sql_column *column = &alter->column;
    char types[2][LIMIT_TEXT_SIZE];
    const char *length = from == STORE_STRING || from == STORE_BYTES ? "maxLength" : "precision";
    struct store_field before =
        limits_of(from, json_number(field, length, 0), json_number(field, "scale", 0));
    struct store_field after = limits_of(column->type, column->length, column->scale);

    if (!known || !can_widen(from, column->type) || !limit_is_wider(&before, &after))
        return sql_error(
            alteration->compiler->err, alter->place,
            "ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type (%s) is "
            "assignable to the new type (%s)",
            limit_type_name(&before, types[0]), limit_type_name(&after, types[1]));
    if (from != alter->column.type && !check_unused(alteration, alter))
        return false;
    sql_put_type(alteration->compiler, &alter->column, field);
    return true;
}

static bool alter_drop_not_null(
    struct alteration *alteration, const struct sql_alter *alter, cJSON *field)
{
    const char *mode = json_text(field, "mode");

    if (mode == NULL || strcasecmp(mode, "REQUIRED") != 0)
        return sql_error(
            alteration->compiler->err, alter->place,
            "Column %s is already nullable: DROP NOT NULL does not apply", alter->column.name);
    sql_put_text(field, "mode", "NULLABLE");
    return true;
}

static bool alter_column(struct alteration *alteration, const struct sql_alter *alter)
{
    cJSON *field = sql_find_field(alteration->fields, alter->column.name);

    if (field == NULL)
        return alter->if_exists || sql_error(
                                       alteration->compiler->err, alter->place,
                                       "Column not found: %s", alter->column.name);
    switch (alter->kind) {
    case SQL_DROP_COLUMN:
        return alter_drop_column(alteration, alter, field);
    case SQL_COLUMN_DROP_NOT_NULL:
        return alter_drop_not_null(alteration, alter, field);
    case SQL_COLUMN_SET_TYPE:
        return alter_set_type(alteration, alter, field);
    default:
        return sql_put_column_options(alteration->compiler, &alter->options, field);
    }
}

static bool alter_one(struct alteration *alteration, const struct sql_alter *alter)
{
    switch (alter->kind) {
    case SQL_ADD_COLUMN:
        return alter_add_column(alteration, alter);
    case SQL_SET_OPTIONS:
        return sql_put_options(alteration->compiler, &alter->options, alteration->resource);
    default:
        return alter_column(alteration, alter);
    }
}

static bool alter_all(
    struct sql_compiler *compiler, const struct sql_node *node, const char *dataset,
    const char *table, cJSON *resource)
{
    struct alteration alteration = {.compiler = compiler, .resource = resource};

    alteration.fields =
        cJSON_GetObjectItemCaseSensitive(sql_get_or_add(resource, "schema"), "fields");
    if (alteration.fields == NULL)
        alteration.fields = cJSON_AddArrayToObject(sql_get_or_add(resource, "schema"), "fields");
    for (size_t i = 0; i < node->alter_count; i++)
        if (!alter_one(&alteration, &node->alters[i]))
            return false;
    return compiler->request->dry_run ||
           store_table_alter(compiler->store, dataset, table, resource, compiler->err);
}

bool sql_run_alter(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out)
{
    const char *dataset = NULL;
    const char *table = NULL;
    cJSON *resource = NULL;

    if (!sql_resolve_table(compiler, &node->path, node->place, &dataset, &table))
        return false;
    sql_set_target(out, dataset, table);
    snprintf(out->ddl, sizeof out->ddl, "ALTER");
    if (node->if_exists && !sql_table_exists(compiler, dataset, table)) {
        snprintf(out->ddl, sizeof out->ddl, "SKIP");
        return true;
    }
    if (!store_table_get(compiler->store, dataset, table, &resource, compiler->err))
        return false;
    bool ok = store_table_check_type(resource, "TABLE", compiler->err) &&
              alter_all(compiler, node, dataset, table, resource);
    cJSON_Delete(resource);
    return ok;
}
