#include "sync/report/table_report.h"

static const char *const types[] = {
    [COLUMN_INT64] = "INT64",
    [COLUMN_FLOAT64] = "FLOAT64",
    [COLUMN_BOOL] = "BOOL",
    [COLUMN_STRING] = "STRING",
    [COLUMN_BYTES] = "BYTES",
    [COLUMN_NUMERIC] = "NUMERIC",
    [COLUMN_BIGNUMERIC] = "BIGNUMERIC",
    [COLUMN_DATE] = "DATE",
    [COLUMN_TIME] = "TIME",
    [COLUMN_DATETIME] = "DATETIME",
    [COLUMN_TIMESTAMP] = "TIMESTAMP",
    [COLUMN_JSON] = "JSON",
};

const char *describe_mode(enum send_mode mode)
{
    return mode == SEND_MERGE ? "upsert" : send_mode_name(mode);
}

const char *describe_type(enum column_type type)
{
    return types[type];
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
