#include "sync/report/table_report.h"

#include "encode/column_type.h"

static const char *const modes[] = {
    [SYNC_APPEND] = "append", [SYNC_UPSERT] = "upsert", [SYNC_REPLACE] = "replace"};
_Static_assert(sizeof modes / sizeof modes[0] == SYNC_REPLACE + 1, "a name for each mode");

const char *describe_mode(enum sync_mode mode)
{
    return modes[mode];
}

const char *describe_type(enum column_type type)
{
    return column_type_info(type)->name;
}

static cJSON *describe_table(const struct table *table)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "table", table->name);
    cJSON_AddStringToObject(json, "target", table->target);
    cJSON_AddStringToObject(json, "mode", describe_mode(table->mode));
    cJSON *key = cJSON_AddArrayToObject(json, "key");
    for (size_t i = 0; i < table->key_count; i++)
        cJSON_AddItemToArray(key, cJSON_CreateString(table->columns[table->key[i]].name));
    cJSON *columns = cJSON_AddArrayToObject(json, "columns");
    for (size_t i = 0; i < table->column_count; i++) {
        cJSON *column = cJSON_CreateObject();
        cJSON_AddStringToObject(column, "name", table->columns[i].name);
        cJSON_AddStringToObject(column, "type", describe_type(table->columns[i].type));
        cJSON_AddStringToObject(
            column, "mode", table->columns[i].required ? "REQUIRED" : "NULLABLE");
        cJSON_AddItemToArray(columns, column);
    }
    return json;
}

cJSON *describe_tables(const struct table *const *tables, size_t count)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *array = cJSON_AddArrayToObject(json, "tables");

    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, describe_table(tables[i]));
    return json;
}
