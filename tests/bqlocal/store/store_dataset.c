/* Datasets of the store. */
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/store_internal.h"
#include "bqlocal/store/store_routine.h"

#include <stdlib.h>
#include <string.h>

/* What only the server sets in a dataset. */
static const char *const output_only[] = {
    "kind",         "id",
    "etag",         "selfLink",
    "creationTime", "lastModifiedTime",
    "location",     "isCaseSensitive",
};

bool store_dataset_exists(struct store *store, const char *dataset)
{
    struct error ignored;
    cJSON *resource = NULL;
    bool found = store_dataset_get(store, dataset, &resource, &ignored);

    cJSON_Delete(resource);
    return found;
}

static bool name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strlen(name);

    return length > 0 && length <= 1024 && strspn(name, letters) == length;
}

static bool write_resource(
    struct store *store, const char *dataset, const cJSON *resource, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    char *text = cJSON_PrintUnformatted(resource);
    bool ok = false;

    if (text == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for dataset %s", dataset);
    if (!store_prepare(
            store,
            "insert into bqlocal_datasets(name, resource, version) values(?1, ?2, ?3)"
            " on conflict(name) do update set resource = excluded.resource,"
            " version = excluded.version",
            &statement, err, dataset, text, NULL))
        goto cleanup;
    sqlite3_bind_int64(statement, 3, store_next_version(store));
    ok = sqlite3_step(statement) == SQLITE_DONE || store_sqlite_failed(store, err);

cleanup:
    sqlite3_finalize(statement);
    free(text);
    return ok;
}

/* What a dataset has whose maker says nothing of access ("datasets" REST reference). */
static cJSON *default_access(void)
{
    static const char *const entries[][3] = {
        {"WRITER", "specialGroup", "projectWriters"},
        {"OWNER", "specialGroup", "projectOwners"},
        {"OWNER", "userByEmail", "bqlocal@localhost"},
        {"READER", "specialGroup", "projectReaders"},
    };
    cJSON *access = cJSON_CreateArray();

    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "role", entries[i][0]);
        cJSON_AddStringToObject(entry, entries[i][1], entries[i][2]);
        cJSON_AddItemToArray(access, entry);
    }
    return access;
}

bool store_dataset_insert(
    struct store *store, const char *dataset, const cJSON *resource, struct error *err)
{
    const char *location = json_text(resource, "location");
    char now[32];

    if (!name_is_valid(dataset))
        return failure_set(
            err, "invalid",
            "Invalid dataset ID \"%.200s\". Dataset IDs must be alphanumeric (plus underscores) "
            "and must be at most 1024 characters long.",
            dataset);
    if (store_dataset_exists(store, dataset))
        return failure_set(
            err, "duplicate", "Already Exists: Dataset %s:%s", store->project, dataset);

    cJSON *copy = resource == NULL ? cJSON_CreateObject() : cJSON_Duplicate(resource, true);
    cJSON *kept_location = cJSON_CreateString(location == NULL ? "US" : location);
    for (size_t i = 0; i < sizeof output_only / sizeof output_only[0]; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(copy, output_only[i]);
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "datasetReference");
    cJSON_AddItemToObject(copy, "location", kept_location);
    if (!cJSON_HasObjectItem(copy, "access"))
        cJSON_AddItemToObject(copy, "access", default_access());
    sqlite3_snprintf(sizeof now, now, "%lld", (long long)store_now_ms(store));
    cJSON_AddStringToObject(copy, "creationTime", now);
    bool ok = write_resource(store, dataset, copy, err);
    cJSON_Delete(copy);
    return ok;
}

/* The stored resource with what the server adds, of a row (name, resource, version). */
static cJSON *complete(struct store *store, sqlite3_stmt *row)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    cJSON *resource = cJSON_Parse((const char *)sqlite3_column_text(row, 1));
    int64_t version = sqlite3_column_int64(row, 2);
    char text[32];

    if (resource == NULL)
        return NULL;
    cJSON_AddStringToObject(resource, "kind", "bigquery#dataset");
    cJSON *reference = cJSON_AddObjectToObject(resource, "datasetReference");
    cJSON_AddStringToObject(reference, "projectId", store->project);
    cJSON_AddStringToObject(reference, "datasetId", name);
    char *id = sqlite3_mprintf("%s:%s", store->project, name);
    cJSON_AddStringToObject(resource, "id", id);
    sqlite3_free(id);
    sqlite3_snprintf(sizeof text, text, "\"%llx\"", (long long)version);
    cJSON_AddStringToObject(resource, "etag", text);
    sqlite3_snprintf(sizeof text, text, "%lld", (long long)(version / 1000));
    cJSON_AddStringToObject(resource, "lastModifiedTime", text);
    return resource;
}

bool store_dataset_get(
    struct store *store, const char *dataset, cJSON **out_resource, struct error *err)
{
    sqlite3_stmt *row = NULL;

    if (!store_prepare(
            store, "select name, resource, version from bqlocal_datasets where name = ?1", &row,
            err, dataset, NULL))
        return false;
    bool found = false;
    bool ok = store_step(store, row, &found, err);
    cJSON *resource = found ? complete(store, row) : NULL;
    sqlite3_finalize(row);
    if (ok && resource == NULL)
        return failure_set(err, "notFound", "Not found: Dataset %s:%s", store->project, dataset);
    *out_resource = resource;
    return ok;
}

bool store_dataset_list(struct store *store, cJSON **out_resources, struct error *err)
{
    sqlite3_stmt *row = NULL;

    if (!store_prepare(
            store, "select name, resource, version from bqlocal_datasets order by name", &row, err,
            NULL))
        return false;
    cJSON *resources = cJSON_CreateArray();
    bool more = false;
    bool ok;
    while ((ok = store_step(store, row, &more, err)) && more)
        cJSON_AddItemToArray(resources, complete(store, row));
    sqlite3_finalize(row);
    if (ok)
        *out_resources = resources;
    else
        cJSON_Delete(resources);
    return ok;
}

bool store_dataset_patch(
    struct store *store, const char *dataset, const cJSON *patch, struct error *err)
{
    static const char *const derived[] = {
        "kind", "id", "etag", "selfLink", "lastModifiedTime", "datasetReference",
    };
    cJSON *resource = NULL;
    cJSON *changes = cJSON_Duplicate(patch, true);

    bool ok = store_dataset_get(store, dataset, &resource, err);
    if (ok) {
        for (size_t i = 0; i < sizeof output_only / sizeof output_only[0]; i++)
            cJSON_DeleteItemFromObjectCaseSensitive(changes, output_only[i]);
        store_merge_patch(resource, changes);
        for (size_t i = 0; i < sizeof derived / sizeof derived[0]; i++)
            cJSON_DeleteItemFromObjectCaseSensitive(resource, derived[i]);
        ok = write_resource(store, dataset, resource, err);
    }
    cJSON_Delete(resource);
    cJSON_Delete(changes);
    return ok;
}

static bool delete_tables(
    struct store *store, const char *dataset, const cJSON *tables, struct error *err)
{
    const cJSON *table;

    cJSON_ArrayForEach(table, tables)
    {
        const cJSON *reference = json_at(table, "tableReference");
        const char *name = json_text(reference, "tableId");
        if (!store_table_delete(store, dataset, name, err))
            return false;
    }
    return true;
}

static bool delete_routines(
    struct store *store, const char *dataset, const cJSON *routines, struct error *err)
{
    const cJSON *routine;

    cJSON_ArrayForEach(routine, routines)
    {
        const char *name = json_text(json_at(routine, "routineReference"), "routineId");
        if (!store_routine_delete(store, dataset, name, err))
            return false;
    }
    return true;
}

bool store_dataset_delete(
    struct store *store, const char *dataset, bool with_contents, struct error *err)
{
    cJSON *tables = NULL;
    cJSON *routines = NULL;
    sqlite3_stmt *statement = NULL;
    bool ok = false;

    if (!store_table_list(store, dataset, &tables, err))
        return false;
    if (!store_routine_list(store, dataset, &routines, err))
        goto cleanup;
    if (!with_contents && cJSON_GetArraySize(tables) + cJSON_GetArraySize(routines) > 0) {
        failure_set(err, "resourceInUse", "Dataset %s:%s is still in use", store->project, dataset);
        goto cleanup;
    }
    if (!store_begin(store, err))
        goto cleanup;
    ok = delete_tables(store, dataset, tables, err) &&
         delete_routines(store, dataset, routines, err) &&
         store_prepare(
             store, "delete from bqlocal_datasets where name = ?1", &statement, err, dataset,
             NULL) &&
         (sqlite3_step(statement) == SQLITE_DONE || store_sqlite_failed(store, err));
    sqlite3_finalize(statement);
    ok = store_end(store, ok, err);

cleanup:
    cJSON_Delete(tables);
    cJSON_Delete(routines);
    return ok;
}
