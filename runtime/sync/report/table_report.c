#include "sync/report/table_report.h"

#include "encode/column_type.h"

const char *table_report_mode(enum send_mode mode)
{
    return mode == SEND_MERGE ? "upsert" : send_mode_name(mode);
}

static const char *deletes_name(enum deletes_choice deletes)
{
    static const char *const names[] = {
        [DELETES_MIRROR] = "mirror", [DELETES_MARK] = "mark", [DELETES_KEEP] = "keep"};

    return names[deletes];
}

static cJSON *table_json(const struct table *table)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "table", table->name);
    cJSON_AddStringToObject(json, "target", table->target);
    cJSON_AddStringToObject(json, "mode", table_report_mode(table->mode));
    cJSON_AddStringToObject(json, "deletes", deletes_name(table->deletes));
    cJSON *key = cJSON_AddArrayToObject(json, "key");
    for (size_t i = 0; i < table->key_count; i++)
        cJSON_AddItemToArray(key, cJSON_CreateString(table->columns[table->key[i]].name));
    cJSON *columns = cJSON_AddArrayToObject(json, "columns");
    for (size_t i = 0; i < table->column_count; i++) {
        cJSON *column = cJSON_CreateObject();
        cJSON_AddStringToObject(column, "name", table->columns[i].name);
        cJSON_AddStringToObject(column, "type", column_type_info(table->columns[i].type)->name);
        cJSON_AddStringToObject(
            column, "mode", table->columns[i].required ? "REQUIRED" : "NULLABLE");
        cJSON_AddItemToArray(columns, column);
    }
    return json;
}

cJSON *table_report_json(const struct table *const *tables, size_t count)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *array = cJSON_AddArrayToObject(json, "tables");

    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, table_json(tables[i]));
    return json;
}
