#include "sync/verify/verify_report.h"

#include "base/json_exact.h"
#include "sync/pass/result.h"

#include <stdio.h>
#include <stdlib.h>

static void make_lists(struct verify_table *entry)
{
    entry->missing = cJSON_CreateArray();
    entry->extra = cJSON_CreateArray();
    entry->different = cJSON_CreateArray();
    entry->duplicated = cJSON_CreateArray();
    entry->missing_columns = cJSON_CreateArray();
}

static void delete_lists(struct verify_table *entry)
{
    cJSON_Delete(entry->missing);
    cJSON_Delete(entry->extra);
    cJSON_Delete(entry->different);
    cJSON_Delete(entry->duplicated);
    cJSON_Delete(entry->missing_columns);
}

bool verify_report_new(
    const struct table *const *tables, size_t count, struct verify_table **out_report,
    struct error *err)
{
    struct verify_table *report = calloc(count + 1, sizeof *report);

    if (report == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        report[i].table = tables[i];
        make_lists(&report[i]);
    }
    *out_report = report;
    return true;
}

void verify_report_free(struct verify_table *report, size_t count)
{
    for (size_t i = 0; report != NULL && i < count; i++)
        delete_lists(&report[i]);
    free(report);
}

void verify_report_restart(struct verify_table *entry)
{
    delete_lists(entry);
    *entry = (struct verify_table){.table = entry->table, .bytes_billed = entry->bytes_billed};
    make_lists(entry);
}

void verify_report_defer(struct verify_table *entry)
{
    entry->pending += entry->missing_count + entry->extra_count + entry->different_count +
                      entry->duplicated_count;
    entry->missing_count = entry->extra_count = entry->different_count = 0;
    entry->duplicated_count = 0;
    delete_lists(entry);
    make_lists(entry);
}

int64_t verify_report_differences(const struct verify_table *entry)
{
    return entry->missing_count + entry->extra_count + entry->different_count +
           entry->duplicated_count + entry->missing_columns_count + entry->unexplained_count;
}

bool verify_report_ok(const struct verify_table *report, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!report[i].equal)
            return false;
    return true;
}

int64_t verify_report_rejected(const struct verify_table *report, size_t count)
{
    int64_t rejected = 0;

    for (size_t i = 0; i < count; i++)
        rejected += report[i].rejected;
    return rejected;
}

bool verify_report_differs(const struct verify_table *report, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!report[i].equal && report[i].error.code == ERROR_NONE)
            return true;
    return false;
}

int verify_report_exit_status(const struct verify_table *report, size_t count)
{
    enum error_code common = ERROR_NONE;

    if (verify_report_ok(report, count))
        return 0;
    if (verify_report_differs(report, count))
        return 1;
    for (size_t i = 0; i < count; i++) {
        enum error_code code = report[i].error.code;
        if (code != ERROR_NONE && common != ERROR_NONE && code != common)
            return 1;
        common = code != ERROR_NONE ? code : common;
    }
    return error_exit_status(common);
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
        if (table->error.code != ERROR_NONE)
            cJSON_AddNullToObject(item, "equal");
        else
            cJSON_AddBoolToObject(item, "equal", table->equal);
        json_add_int64(item, "source_rows", table->source_rows);
        json_add_int64(item, "warehouse_rows", table->warehouse_rows);
        add_list(item, "missing", table->missing, table->missing_count);
        add_list(item, "extra", table->extra, table->extra_count);
        add_list(item, "different", table->different, table->different_count);
        add_list(item, "duplicated", table->duplicated, table->duplicated_count);
        add_list(item, "missing_columns", table->missing_columns, table->missing_columns_count);
        json_add_int64(item, "unexplained_count", table->unexplained_count);
        json_add_int64(item, "kept", table->kept);
        json_add_int64(item, "pending", table->pending);
        json_add_int64(item, "rejected", table->rejected);
        json_add_int64(item, "bytes_billed", table->bytes_billed);
        cJSON_AddItemToObject(item, "error", result_error_json(&table->error));
        cJSON_AddItemToArray(array, item);
    }
    return json;
}
