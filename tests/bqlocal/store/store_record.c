/* What the store keeps of each table besides its rows, and the end of tables that expire. */
#include "bqlocal/store/failure.h"
#include "bqlocal/store/store_internal.h"

#include <stdlib.h>
#include <string.h>

static bool not_found(
    struct store *store, const char *dataset, const char *table, struct error *err)
{
    cJSON *resource = NULL;

    if (!store_dataset_get(store, dataset, &resource, err))
        return false;
    const char *location =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(resource, "location"));
    failure_set(
        err, "notFound", "Not found: Table %s:%s.%s was not found in location %s", store->project,
        dataset, table, location == NULL ? "US" : location);
    cJSON_Delete(resource);
    return false;
}

/* Milliseconds of expirationTime, 0 if there is none or it is not a number. */
int64_t store_expiration(const cJSON *resource)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(resource, "expirationTime");

    if (cJSON_IsNumber(item))
        return (int64_t)item->valuedouble;
    return cJSON_IsString(item) ? strtoll(item->valuestring, NULL, 10) : 0;
}

bool store_record_delete(
    struct store *store, const char *dataset, const char *table, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (!store_executef(store, err, "drop table if exists \"%w.%w\"", dataset, table) ||
        !store_prepare(
            store, "delete from bqlocal_tables where" STORE_THE_TABLE, &statement, err, dataset,
            table, NULL))
        return false;
    bool ok = sqlite3_step(statement) == SQLITE_DONE || store_sqlite_failed(store, err);
    sqlite3_finalize(statement);
    return ok;
}

bool store_expire(struct store *store, struct error *err)
{
    char *dataset = NULL;
    char *table = NULL;
    sqlite3_stmt *row = NULL;
    bool ok = true;

    for (bool more = !store->writing; ok && more;) {
        ok = store_prepare(
            store,
            "select dataset, name from bqlocal_tables where expires_ms is not null and"
            " expires_ms <= ?1 limit 1",
            &row, err, NULL);
        if (!ok)
            break;
        sqlite3_bind_int64(row, 1, store_now_ms(store));
        ok = store_step(store, row, &more, err);
        if (more) {
            dataset = strdup((const char *)sqlite3_column_text(row, 0));
            table = strdup((const char *)sqlite3_column_text(row, 1));
        }
        sqlite3_finalize(row);
        if (more)
            ok = store_record_delete(store, dataset, table, err);
        free(dataset);
        free(table);
        dataset = table = NULL;
    }
    return ok;
}

bool store_record_read(
    struct store *store, const char *dataset, const char *table, struct store_record *out_record,
    struct error *err)
{
    sqlite3_stmt *row = NULL;
    struct store_record record = {0};

    if (!store_expire(store, err) ||
        !store_prepare(
            store,
            "select resource, version, created_ms, modified_ms, discarded_rows, modification_day,"
            " modifications, name from bqlocal_tables where" STORE_THE_TABLE
            " and (expires_ms is null or expires_ms > ?3)",
            &row, err, dataset, table, NULL))
        return false;
    sqlite3_bind_int64(row, 3, store_now_ms(store));
    bool found = false;
    bool ok = store_step(store, row, &found, err);
    if (found) {
        record = (struct store_record){
            .resource = cJSON_Parse((const char *)sqlite3_column_text(row, 0)),
            .version = sqlite3_column_int64(row, 1),
            .created_ms = sqlite3_column_int64(row, 2),
            .modified_ms = sqlite3_column_int64(row, 3),
            .discarded_rows = sqlite3_column_int64(row, 4),
            .modification_day = sqlite3_column_int64(row, 5),
            .modifications = sqlite3_column_int64(row, 6),
            .name = strdup((const char *)sqlite3_column_text(row, 7)),
        };
    }
    sqlite3_finalize(row);
    if (record.resource == NULL) {
        free(record.name);
        return ok && not_found(store, dataset, table, err);
    }
    *out_record = record;
    return true;
}

bool store_is_view(const cJSON *resource)
{
    return cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(resource, "view"));
}

void store_record_clear(struct store_record *record)
{
    cJSON_Delete(record->resource);
    free(record->name);
    *record = (struct store_record){0};
}

bool store_record_write(
    struct store *store, const char *dataset, const char *table, const cJSON *resource,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    char *text = cJSON_PrintUnformatted(resource);
    int64_t expires = store_expiration(resource);
    bool ok = false;

    if (text == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for table %s", table);
    if (!store_prepare(
            store,
            "insert into bqlocal_tables(dataset, name, resource, version, created_ms, modified_ms,"
            " expires_ms) values(?1, coalesce((select name from bqlocal_tables "
            "where" STORE_THE_TABLE "), ?2), ?3, ?4, ?5, ?5, ?6)"
            " on conflict(dataset, name) do update set resource = excluded.resource,"
            " version = excluded.version, modified_ms = excluded.modified_ms,"
            " expires_ms = excluded.expires_ms",
            &statement, err, dataset, table, text, NULL))
        goto cleanup;
    sqlite3_bind_int64(statement, 4, store_next_version(store));
    sqlite3_bind_int64(statement, 5, store_now_ms(store));
    if (expires > 0)
        sqlite3_bind_int64(statement, 6, expires);
    ok = sqlite3_step(statement) == SQLITE_DONE || store_sqlite_failed(store, err);

cleanup:
    sqlite3_finalize(statement);
    free(text);
    return ok;
}
