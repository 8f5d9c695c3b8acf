#include "bqlocal/store/store_routine.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store.h"

#define COLUMNS "name, resource, version, created_ms, modified_ms"

/* The resource of a row with COLUMNS. */
static cJSON *resource_of(const struct store *store, const char *dataset, sqlite3_stmt *row)
{
    cJSON *resource = cJSON_Parse((const char *)sqlite3_column_text(row, 1));
    char etag[32];

    if (resource == NULL)
        return NULL;
    cJSON *reference = cJSON_AddObjectToObject(resource, "routineReference");
    cJSON_AddStringToObject(reference, "projectId", store->project);
    cJSON_AddStringToObject(reference, "datasetId", dataset);
    cJSON_AddStringToObject(reference, "routineId", (const char *)sqlite3_column_text(row, 0));
    sqlite3_snprintf(sizeof etag, etag, "\"%llx\"", sqlite3_column_int64(row, 2));
    cJSON_AddStringToObject(resource, "etag", etag);
    json_add_number(resource, "creationTime", sqlite3_column_int64(row, 3));
    json_add_number(resource, "lastModifiedTime", sqlite3_column_int64(row, 4));
    return resource;
}

bool store_routine_get(
    struct store *store, const char *dataset, const char *name, cJSON **out_resource,
    struct error *err)
{
    cJSON *in = NULL;
    sqlite3_stmt *row = NULL;
    bool found = false;

    *out_resource = NULL;
    if (!store_dataset_get(store, dataset, &in, err))
        return false;
    cJSON_Delete(in);
    if (!store_prepare(
            store, "select " COLUMNS " from bqlocal_routines where dataset = ?1 and name = ?2",
            &row, err, dataset, name, NULL))
        return false;
    bool ok = store_step(store, row, &found, err);
    if (found)
        *out_resource = resource_of(store, dataset, row);
    sqlite3_finalize(row);
    return ok && (*out_resource != NULL || failure_set(
                                               err, "notFound", "Not found: Routine %s:%s.%s",
                                               store->project, dataset, name));
}

bool store_routine_list(
    struct store *store, const char *dataset, cJSON **out_resources, struct error *err)
{
    cJSON *in = NULL;
    sqlite3_stmt *row = NULL;
    bool more = false;
    bool ok;

    if (!store_dataset_get(store, dataset, &in, err))
        return false;
    cJSON_Delete(in);
    if (!store_prepare(
            store, "select " COLUMNS " from bqlocal_routines where dataset = ?1 order by name",
            &row, err, dataset, NULL))
        return false;
    cJSON *resources = cJSON_CreateArray();
    while ((ok = store_step(store, row, &more, err)) && more)
        cJSON_AddItemToArray(resources, resource_of(store, dataset, row));
    sqlite3_finalize(row);
    if (ok)
        *out_resources = resources;
    else
        cJSON_Delete(resources);
    return ok;
}

bool store_routine_put(
    struct store *store, const char *dataset, const char *name, const cJSON *resource,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    char *text = cJSON_PrintUnformatted(resource);
    bool ok = text != NULL || error_set(err, ERROR_MEMORY, "out of memory for routine %s", name);

    ok = ok && store_prepare(
                   store,
                   "insert into bqlocal_routines(dataset, name, resource, version, created_ms,"
                   " modified_ms) values(?1, ?2, ?3, ?4, ?5, ?5) on conflict(dataset, name)"
                   " do update set resource = excluded.resource, version = excluded.version,"
                   " modified_ms = excluded.modified_ms",
                   &statement, err, dataset, name, text, NULL);
    if (ok) {
        sqlite3_bind_int64(statement, 4, store_next_version(store));
        sqlite3_bind_int64(statement, 5, store_now_ms(store));
        ok = sqlite3_step(statement) == SQLITE_DONE || store_sqlite_failed(store, err);
    }
    sqlite3_finalize(statement);
    cJSON_free(text);
    return ok;
}

bool store_routine_delete(
    struct store *store, const char *dataset, const char *name, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    cJSON *resource = NULL;

    if (!store_routine_get(store, dataset, name, &resource, err))
        return false;
    cJSON_Delete(resource);
    bool ok = store_prepare(
                  store, "delete from bqlocal_routines where dataset = ?1 and name = ?2",
                  &statement, err, dataset, name, NULL) &&
              (sqlite3_step(statement) == SQLITE_DONE || store_sqlite_failed(store, err));
    sqlite3_finalize(statement);
    return ok;
}
