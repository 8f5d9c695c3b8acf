/* The part of verify.h that tells what was found. */
#include "sync/pass/result.h"
#include "sync/verify/verify.h"

#include <stdio.h>
#include <stdlib.h>

void verify_free(struct verify_table *tables, size_t count)
{
    for (size_t i = 0; tables != NULL && i < count; i++) {
        cJSON_Delete(tables[i].missing);
        cJSON_Delete(tables[i].extra);
        cJSON_Delete(tables[i].different);
        cJSON_Delete(tables[i].duplicated);
    }
    free(tables);
}

bool verify_ok(const struct verify_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!tables[i].equal)
            return false;
    return true;
}

static void add_list(cJSON *json, const char *name, const cJSON *list, int64_t count)
{
    char count_name[32];

    cJSON_AddItemToObject(json, name, cJSON_Duplicate(list, true));
    snprintf(count_name, sizeof count_name, "%s_count", name);
    cJSON_AddNumberToObject(json, count_name, (double)count);
}

cJSON *verify_json(const struct verify_table *tables, size_t count)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddBoolToObject(json, "ok", verify_ok(tables, count));
    cJSON *array = cJSON_AddArrayToObject(json, "tables");
    for (size_t i = 0; i < count; i++) {
        const struct verify_table *table = &tables[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "table", table->table->name);
        cJSON_AddBoolToObject(item, "equal", table->equal);
        cJSON_AddNumberToObject(item, "source_rows", (double)table->source_rows);
        cJSON_AddNumberToObject(item, "warehouse_rows", (double)table->warehouse_rows);
        add_list(item, "missing", table->missing, table->missing_count);
        add_list(item, "extra", table->extra, table->extra_count);
        add_list(item, "different", table->different, table->different_count);
        add_list(item, "duplicated", table->duplicated, table->duplicated_count);
        cJSON_AddNumberToObject(item, "pending", (double)table->pending);
        cJSON_AddNumberToObject(item, "rejected", (double)table->rejected);
        cJSON_AddNumberToObject(item, "bytes_billed", (double)table->bytes_billed);
        cJSON_AddItemToObject(item, "error", result_error_json(&table->error));
        cJSON_AddItemToArray(array, item);
    }
    return json;
}
