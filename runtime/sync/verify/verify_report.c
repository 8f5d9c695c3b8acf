#include "sync/verify/verify_report.h"

#include "base/json_exact.h"
#include "sync/pass/result.h"

#include <stdio.h>
#include <stdlib.h>

bool verify_report_new(
    const struct table *const *tables, size_t count, struct verify_table **out_report,
    struct error *err)
{
    struct verify_table *report = calloc(count + 1, sizeof *report);

    if (report == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        report[i].table = tables[i];
        report[i].missing = cJSON_CreateArray();
        report[i].extra = cJSON_CreateArray();
        report[i].different = cJSON_CreateArray();
        report[i].duplicated = cJSON_CreateArray();
    }
    *out_report = report;
    return true;
}

void verify_report_free(struct verify_table *report, size_t count)
{
    for (size_t i = 0; report != NULL && i < count; i++) {
        cJSON_Delete(report[i].missing);
        cJSON_Delete(report[i].extra);
        cJSON_Delete(report[i].different);
        cJSON_Delete(report[i].duplicated);
    }
    free(report);
}

bool verify_report_ok(const struct verify_table *report, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!report[i].equal)
            return false;
    return true;
}

static void add_list(cJSON *json, const char *name, const cJSON *list, int64_t count)
{
    char count_name[32];

    cJSON_AddItemToObject(json, name, cJSON_Duplicate(list, true));
    snprintf(count_name, sizeof count_name, "%s_count", name);
    json_add_int64(json, count_name, count);
}

cJSON *verify_report_json(const struct verify_table *report, size_t count)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddBoolToObject(json, "ok", verify_report_ok(report, count));
    cJSON *array = cJSON_AddArrayToObject(json, "tables");
    for (size_t i = 0; i < count; i++) {
        const struct verify_table *table = &report[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "table", table->table->name);
        cJSON_AddBoolToObject(item, "equal", table->equal);
        json_add_int64(item, "source_rows", table->source_rows);
        json_add_int64(item, "warehouse_rows", table->warehouse_rows);
        add_list(item, "missing", table->missing, table->missing_count);
        add_list(item, "extra", table->extra, table->extra_count);
        add_list(item, "different", table->different, table->different_count);
        add_list(item, "duplicated", table->duplicated, table->duplicated_count);
        json_add_int64(item, "pending", table->pending);
        json_add_int64(item, "rejected", table->rejected);
        json_add_int64(item, "bytes_billed", table->bytes_billed);
        cJSON_AddItemToObject(item, "error", result_error_json(&table->error));
        cJSON_AddItemToArray(array, item);
    }
    return json;
}
