/* The methods of datasets and tables ("BigQuery API reference": Dataset, Table). */
#include "warehouse/bigquery.h"

#include "warehouse/call.h"
#include "warehouse/call_path.h"
#include "warehouse/foreign_text.h"
#include "warehouse/pages.h"
#include "warehouse/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Only what a pass needs of a list: labels of up to 1,000 tables a page come in one free read. */
#define LIST_QUERY                                                                                 \
    "&maxResults=1000&fields=kind%2CnextPageToken%2Ctables(tableReference(datasetId%2CtableId)%"   \
    "2Ctype%2Clabels%2C"                                                                           \
    "expirationTime%2CtimePartitioning(expirationMs))"

static void project_missing(const struct bigquery *bigquery, struct error *err)
{
    int status = err->http_status;

    error_set(
        err, ERROR_CONFIG,
        "project %s does not exist, or you may not see it: is "
        "BQ_PROJECT_NAME right?",
        bigquery->project);
    err->http_status = status;
}

/* BigQuery says 404 of the project, of the dataset, and for a moment of a dataset that is new.
 * foreign_value.c keeps these words of the message. */
static bool dataset_missing(const struct bigquery *bigquery, struct error *err)
{
    int status = err->http_status;

    if (strstr(err->message, "Not found: Project") != NULL)
        project_missing(bigquery, err);
    else if (bigquery->quota != NULL && quota_is_fresh(bigquery->quota, bigquery->dataset))
        error_set(
            err, ERROR_TRANSIENT,
            "dataset %s:%s was created a moment ago, and BigQuery does not know it everywhere yet; "
            "the next sync finds it",
            bigquery->project, bigquery->dataset);
    else
        error_set(
            err, ERROR_CONFIG,
            "dataset %s:%s does not exist; create it (bq mk --dataset %s:%s), or let the next sync "
            "create it (BQ_CREATE_DATASET=1)",
            bigquery->project, bigquery->dataset, bigquery->project, bigquery->dataset);
    err->http_status = status;
    return false;
}

bool bigquery_dataset_read(struct bigquery *bigquery, cJSON **out_dataset, struct error *err)
{
    struct buffer path;

    call_path_in_dataset(bigquery, "", &path);
    const struct call call = {
        .what = TRAFFIC_DATASETS_GET,
        .subject = bigquery->dataset,
        .permission = "bigquery.datasets.get",
        .method = "GET",
        .path = buffer_text(&path),
        .fresh = bigquery->dataset,
    };
    bool ok = call_json(bigquery, &call, out_dataset, err);
    buffer_clear(&path);
    if (!ok && err->code == ERROR_NOT_FOUND)
        return dataset_missing(bigquery, err);
    return ok;
}

bool bigquery_dataset_get(struct bigquery *bigquery, struct dataset *out_dataset, struct error *err)
{
    cJSON *resource = NULL;

    if (!bigquery_dataset_read(bigquery, &resource, err))
        return false;
    const char *location = call_text(resource, "location");
    if (!foreign_is_name(location) || strlen(location) >= sizeof out_dataset->location) {
        cJSON_Delete(resource);
        return error_set(
            err, ERROR_TRANSIENT, "BigQuery: %s %s: the location in the answer is none",
            traffic_call_name(TRAFFIC_DATASETS_GET), bigquery->dataset);
    }
    snprintf(out_dataset->location, sizeof out_dataset->location, "%s", location);
    out_dataset->ignores_case =
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(resource, "isCaseInsensitive"));
    cJSON_Delete(resource);
    return true;
}

bool bigquery_dataset_insert(struct bigquery *bigquery, const char *location, struct error *err)
{
    struct buffer path;
    cJSON *body = cJSON_CreateObject();
    cJSON *reference = cJSON_AddObjectToObject(body, "datasetReference");

    cJSON_AddStringToObject(reference, "projectId", bigquery->project);
    cJSON_AddStringToObject(reference, "datasetId", bigquery->dataset);
    if (location != NULL)
        cJSON_AddStringToObject(body, "location", location);
    call_path_in_project(bigquery, "/datasets", &path);
    const struct call call = {
        .what = TRAFFIC_DATASETS_INSERT,
        .subject = bigquery->dataset,
        .permission = "bigquery.datasets.create",
        .method = "POST",
        .path = buffer_text(&path),
        .body = body,
    };
    bool ok = call_json(bigquery, &call, NULL, err);
    if (ok && bigquery->quota != NULL)
        quota_note_created(bigquery->quota, bigquery->dataset);
    buffer_clear(&path);
    cJSON_Delete(body);
    if (!ok && err->code == ERROR_NOT_FOUND)
        project_missing(bigquery, err);
    return ok || err->code == ERROR_CONFLICT;
}

static bool visit_entry(const cJSON *entry, bigquery_table_visit *visit, void *context)
{
    const cJSON *reference = cJSON_GetObjectItemCaseSensitive(entry, "tableReference");
    const cJSON *partitions = cJSON_GetObjectItemCaseSensitive(entry, "timePartitioning");
    const char *type = call_text(entry, "type");
    const struct listed_table table = {
        .name = call_text(reference, "tableId"),
        .is_table = *type == '\0' || strcmp(type, "TABLE") == 0,
        .labels = cJSON_GetObjectItemCaseSensitive(entry, "labels"),
        .expires = cJSON_HasObjectItem(entry, "expirationTime"),
        .forgets = cJSON_HasObjectItem(partitions, "expirationMs"),
    };

    return table.name[0] == '\0' || visit(context, &table);
}

static bool visit_page(const cJSON *page, bigquery_table_visit *visit, void *context)
{
    const cJSON *entry = NULL;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(page, "tables"))
    {
        if (!visit_entry(entry, visit, context))
            return false;
    }
    return true;
}

/* One page; *page is replaced. */
static bool list_page(struct bigquery *bigquery, const char *token, cJSON **page, struct error *err)
{
    struct buffer path;

    call_path_in_dataset(bigquery, "/tables", &path);
    buffer_append_text(&path, LIST_QUERY);
    if (token[0] != '\0') {
        buffer_append_text(&path, "&pageToken=");
        http_escape(&path, token);
    }
    const struct call call = {
        .what = TRAFFIC_TABLES_LIST,
        .subject = bigquery->dataset,
        .permission = "bigquery.tables.list",
        .method = "GET",
        .path = buffer_text(&path),
        .fresh = bigquery->dataset,
    };
    cJSON *answer = NULL;
    bool ok = call_json(bigquery, &call, &answer, err);
    buffer_clear(&path);
    if (ok) {
        // The token is a part of the page it came with.
        cJSON_Delete(*page);
        *page = answer;
    }
    return ok;
}

bool bigquery_tables_list(
    struct bigquery *bigquery, bigquery_table_visit *visit, void *context, struct error *err)
{
    struct pages pages = {0};
    cJSON *page = NULL;
    bool ok = false;

    do {
        const char *token = call_text(page, "nextPageToken");
        ok = pages_follow(&pages, "the list of tables", token, err) &&
             list_page(bigquery, token, &page, err);
        if (!ok && err->code == ERROR_NOT_FOUND)
            dataset_missing(bigquery, err);
    } while (ok && visit_page(page, visit, context) && call_text(page, "nextPageToken")[0] != '\0');
    cJSON_Delete(page);
    return ok;
}

/* A call on one table: path and error handling that get, patch and delete share. */
static bool table_call(
    struct bigquery *bigquery, const char *table, struct call *call, cJSON **out_answer,
    struct error *err)
{
    struct buffer path;

    call_path_in_table(bigquery, table, "", &path);
    call->subject = table;
    call->path = buffer_text(&path);
    bool ok = call_json(bigquery, call, out_answer, err);
    buffer_clear(&path);
    return ok;
}

static bool pace(struct bigquery *bigquery, const char *table, struct error *err)
{
    return bigquery->quota == NULL || quota_enter(bigquery->quota, table, QUOTA_METADATA, err);
}

bool bigquery_table_get(
    struct bigquery *bigquery, const char *table, cJSON **out_table, struct error *err)
{
    struct call call = {
        .what = TRAFFIC_TABLES_GET,
        .permission = "bigquery.tables.get",
        .method = "GET",
    };

    *out_table = NULL;
    return table_call(bigquery, table, &call, out_table, err) || err->code == ERROR_NOT_FOUND;
}

bool bigquery_table_insert(
    struct bigquery *bigquery, const char *table, const cJSON *resource, cJSON **out_table,
    struct error *err)
{
    struct buffer path;

    if (!pace(bigquery, table, err))
        return false;
    cJSON *body = cJSON_Duplicate(resource, true);
    cJSON_AddStringToObject(body, "defaultCollation", "");
    cJSON *reference = cJSON_AddObjectToObject(body, "tableReference");
    cJSON_AddStringToObject(reference, "projectId", bigquery->project);
    cJSON_AddStringToObject(reference, "datasetId", bigquery->dataset);
    cJSON_AddStringToObject(reference, "tableId", table);
    call_path_in_dataset(bigquery, "/tables", &path);
    const struct call call = {
        .what = TRAFFIC_TABLES_INSERT,
        .subject = table,
        .permission = "bigquery.tables.create",
        .method = "POST",
        .path = buffer_text(&path),
        .body = body,
    };
    bool ok = call_json(bigquery, &call, out_table, err);
    if (ok && bigquery->quota != NULL)
        quota_note_created(bigquery->quota, table);
    buffer_clear(&path);
    cJSON_Delete(body);
    return ok;
}

bool bigquery_table_patch(
    struct bigquery *bigquery, const char *table, const cJSON *patch, struct error *err)
{
    const char *etag = call_text(patch, "etag");
    char match[160];
    struct call call = {
        .what = TRAFFIC_TABLES_PATCH,
        .permission = "bigquery.tables.update",
        .method = "PATCH",
        .body = patch,
        .fresh = table,
    };

    if (!pace(bigquery, table, err))
        return false;
    if (etag[0] != '\0') {
        snprintf(match, sizeof match, "If-Match: %s", etag);
        call.header = match;
    }
    return table_call(bigquery, table, &call, NULL, err);
}

bool bigquery_table_delete(struct bigquery *bigquery, const char *table, struct error *err)
{
    struct call call = {
        .what = TRAFFIC_TABLES_DELETE,
        .permission = "bigquery.tables.delete",
        .method = "DELETE",
        .empty_answer = true,
    };

    return table_call(bigquery, table, &call, NULL, err) || err->code == ERROR_NOT_FOUND;
}
