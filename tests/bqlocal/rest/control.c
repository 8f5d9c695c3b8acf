/* bqlocal's own routes, and the discovery document that some clients ask for. */
#include "bqlocal/faults/fault.h"
#include "bqlocal/http/request_log.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/server/route_table.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/store_internal.h"

#include <stdlib.h>
#include <string.h>

bool own_requests_get(struct server *server, struct request *request, struct error *err)
{
    char *text = request_log_text(server->log);

    if (text == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for the request log");
    request->answer.status = 200;
    request->answer.content_type = "application/json; charset=UTF-8";
    request->answer.body = text;
    request->answer.body_length = strlen(text);
    return true;
}

bool own_requests_delete(struct server *server, struct request *request, struct error *err)
{
    (void)err;
    request_log_clear(server->log);
    return answer_empty(&request->answer, 204);
}

bool own_faults_get(struct server *server, struct request *request, struct error *err)
{
    (void)err;
    return answer_json(&request->answer, 200, faults_describe(server->faults));
}

/* New rules undo what the old ones left behind: a shifted clock, held requests and jobs. */
static void faults_changed(struct server *server)
{
    server->store.clock_skew_ms = 0;
    pthread_cond_broadcast(&server->changed);
}

bool own_faults_put(struct server *server, struct request *request, struct error *err)
{
    cJSON *document = NULL;

    if (!request_json(request, &document, err))
        return false;
    bool ok = faults_replace(server->faults, document, err);
    cJSON_Delete(document);
    if (!ok)
        return false;
    faults_changed(server);
    return answer_json(&request->answer, 200, faults_describe(server->faults));
}

bool own_faults_delete(struct server *server, struct request *request, struct error *err)
{
    if (!faults_replace(server->faults, NULL, err))
        return false;
    faults_changed(server);
    return answer_empty(&request->answer, 204);
}

/* Every table with what BigQuery counts of it but does not tell. */
static void add_tables(struct server *server, const char *dataset, cJSON *list)
{
    cJSON *tables = NULL;
    const cJSON *table;
    struct error ignored;

    if (!store_table_list(&server->store, dataset, &tables, &ignored))
        return;
    cJSON_ArrayForEach(table, tables)
    {
        const char *name = json_text(json_at(table, "tableReference"), "tableId");
        struct store_record record = {0};
        cJSON *resource = NULL;
        if (!store_table_get(&server->store, dataset, name, &resource, &ignored))
            continue;
        if (store_record_read(&server->store, dataset, name, &record, &ignored)) {
            cJSON *item = cJSON_CreateObject();
            bool today = record.modification_day == store_now_ms(&server->store) / 86400000;
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

bool own_tables_get(struct server *server, struct request *request, struct error *err)
{
    cJSON *datasets = NULL;
    const cJSON *dataset;

    if (!store_dataset_list(&server->store, &datasets, err))
        return false;
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "tables");
    cJSON_ArrayForEach(dataset, datasets)
    {
        add_tables(server, json_text(json_at(dataset, "datasetReference"), "datasetId"), list);
    }
    cJSON_Delete(datasets);
    return answer_json(&request->answer, 200, body);
}

/* Enough for a client to find its roots; clients that build their methods from the document bring
 * their own. */
bool rest_discovery(struct server *server, struct request *request, struct error *err)
{
    cJSON *body = cJSON_CreateObject();
    char *origin = request_origin(request);
    struct buffer root;
    (void)server;

    buffer_init(&root, 4096);
    buffer_printf(&root, "%s/", origin == NULL ? "" : origin);
    free(origin);
    if (!buffer_check(&root, "the server's address", err)) {
        cJSON_Delete(body);
        return false;
    }
    cJSON_AddStringToObject(body, "kind", "discovery#restDescription");
    cJSON_AddStringToObject(body, "id", "bigquery:v2");
    cJSON_AddStringToObject(body, "name", "bigquery");
    cJSON_AddStringToObject(body, "version", "v2");
    cJSON_AddStringToObject(body, "protocol", "rest");
    cJSON_AddStringToObject(body, "rootUrl", buffer_text(&root));
    cJSON_AddStringToObject(body, "servicePath", "bigquery/v2/");
    cJSON_AddStringToObject(body, "batchPath", "batch/bigquery/v2");
    buffer_append_text(&root, "bigquery/v2/");
    cJSON_AddStringToObject(body, "baseUrl", buffer_text(&root));
    cJSON_AddObjectToObject(body, "schemas");
    cJSON_AddObjectToObject(body, "resources");
    buffer_clear(&root);
    return answer_json(&request->answer, 200, body);
}
