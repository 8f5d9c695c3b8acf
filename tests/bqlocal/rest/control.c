/* bqlocal's own routes: the request log, the faults, all tables. */
#include "bqlocal/faults/fault.h"
#include "bqlocal/http/property.h"
#include "bqlocal/http/request_log.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/monitor.h"
#include "bqlocal/store/store_internal.h"

#include <stdlib.h>
#include <string.h>

bool rest_own_requests_get(const struct parts *in, struct request *request, struct error *err)
{
    struct buffer out;

    buffer_init(&out, SIZE_MAX / 4);
    request_log_write(in->log, &out);
    return answer_json_text(&request->answer, &out, err);
}

bool rest_own_properties_get(const struct parts *in, struct request *request, struct error *err)
{
    (void)in;
    (void)err;
    return answer_json(&request->answer, 200, property_describe());
}

bool rest_own_requests_delete(const struct parts *in, struct request *request, struct error *err)
{
    (void)err;
    request_log_clear(in->log);
    return answer_empty(&request->answer, 204);
}

bool rest_own_faults_get(const struct parts *in, struct request *request, struct error *err)
{
    (void)err;
    return answer_json(&request->answer, 200, faults_describe(in->faults));
}

/* New rules end the effects of the old ones: a shifted clock, held requests and jobs. */
static void faults_changed(const struct parts *in)
{
    in->store->clock_skew_ms = 0;
    monitor_notify(in->monitor);
}

bool rest_own_faults_put(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *document = NULL;

    if (!request_json(request, &document, err))
        return false;
    bool ok = faults_replace(in->faults, document, err);
    cJSON_Delete(document);
    if (!ok)
        return false;
    faults_changed(in);
    return answer_json(&request->answer, 200, faults_describe(in->faults));
}

bool rest_own_faults_delete(const struct parts *in, struct request *request, struct error *err)
{
    if (!faults_replace(in->faults, NULL, err))
        return false;
    faults_changed(in);
    return answer_empty(&request->answer, 204);
}

/* Every table with what BigQuery counts of it but does not tell. */
static void add_tables(const struct parts *in, const char *dataset, cJSON *list)
{
    cJSON *tables = NULL;
    const cJSON *table;
    struct error ignored;

    if (!store_table_list(in->store, dataset, &tables, &ignored))
        return;
    cJSON_ArrayForEach(table, tables)
    {
        const char *name = json_text(json_at(table, "tableReference"), "tableId");
        struct store_record record = {0};
        cJSON *resource = NULL;
        if (!store_table_get(in->store, dataset, name, &resource, &ignored))
            continue;
        if (store_record_read(in->store, dataset, name, &record, &ignored)) {
            cJSON *item = cJSON_CreateObject();
            bool today = record.modification_day == store_now_ms(in->store) / 86400000;
            cJSON_AddStringToObject(item, "dataset", dataset);
            cJSON_AddStringToObject(item, "table", name);
            cJSON_AddNumberToObject(item, "rows", (double)json_number(resource, "numRows", 0));
            cJSON_AddNumberToObject(
                item, "modifications_today", today ? (double)record.modifications : 0);
            cJSON_AddItemToArray(list, item);
            store_record_clear(&record);
        }
        cJSON_Delete(resource);
    }
    cJSON_Delete(tables);
}

bool rest_own_tables_get(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *datasets = NULL;
    const cJSON *dataset;

    if (!store_dataset_list(in->store, &datasets, err))
        return false;
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "tables");
    cJSON_ArrayForEach(dataset, datasets)
    {
        add_tables(in, json_text(json_at(dataset, "datasetReference"), "datasetId"), list);
    }
    cJSON_Delete(datasets);
    return answer_json(&request->answer, 200, body);
}
