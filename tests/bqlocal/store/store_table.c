/* Tables of the store: their resources, and what the server adds to them. */
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/store_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY_MS INT64_C(86400000)

/* What only the server sets in a table. */
static const char *const output_only[] = {
    "kind",
    "id",
    "etag",
    "selfLink",
    "tableReference",
    "creationTime",
    "numRows",
    "numBytes",
    "location",
    "lastModifiedTime",
    "type",
    "numTotalLogicalBytes",
    "streamingBuffer",
    "numLongTermBytes",
};

static void strip(cJSON *resource)
{
    for (size_t i = 0; i < sizeof output_only / sizeof output_only[0]; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(resource, output_only[i]);
}

/* Adds what the server sets to the stored resource. */
static void complete(
    struct store *store, const char *dataset, const char *table, struct store_record *record)
{
    cJSON *resource = record->resource;
    cJSON *dataset_resource = NULL;
    struct error ignored;
    char etag[32];

    cJSON_AddStringToObject(resource, "kind", "bigquery#table");
    sqlite3_snprintf(sizeof etag, etag, "\"%llx\"", (long long)record->version);
    cJSON_AddStringToObject(resource, "etag", etag);
    char *id = sqlite3_mprintf("%s:%s.%s", store->project, dataset, table);
    cJSON_AddStringToObject(resource, "id", id);
    sqlite3_free(id);
    cJSON *reference = cJSON_AddObjectToObject(resource, "tableReference");
    cJSON_AddStringToObject(reference, "projectId", store->project);
    cJSON_AddStringToObject(reference, "datasetId", dataset);
    cJSON_AddStringToObject(reference, "tableId", table);
    cJSON_AddStringToObject(resource, "type", store_is_view(resource) ? "VIEW" : "TABLE");
    json_add_number(resource, "creationTime", record->created_ms);
    json_add_number(resource, "lastModifiedTime", record->modified_ms);
    if (store_dataset_get(store, dataset, &dataset_resource, &ignored)) {
        const char *location = json_text(dataset_resource, "location");
        cJSON_AddStringToObject(resource, "location", location == NULL ? "US" : location);
        cJSON_Delete(dataset_resource);
    }
}

static bool count_rows(
    struct store *store, const char *dataset, const char *table, int64_t *out_count,
    struct error *err)
{
    char *sql = sqlite3_mprintf("select count(*) from \"%w.%w\"", dataset, table);
    sqlite3_stmt *row = NULL;
    bool ok = false;

    if (sql == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a statement");
    if (store_prepare(store, sql, &row, err, NULL)) {
        ok = sqlite3_step(row) == SQLITE_ROW || store_sqlite_failed(store, err);
        if (ok)
            *out_count = sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    sqlite3_free(sql);
    return ok;
}

bool store_table_get(
    struct store *store, const char *dataset, const char *table, cJSON **out_resource,
    struct error *err)
{
    struct store_record record = {0};
    int64_t rows = 0;

    if (!store_record_read(store, dataset, table, &record, err))
        return false;
    if (!store_is_view(record.resource) && !count_rows(store, dataset, table, &rows, err)) {
        store_record_clear(&record);
        return false;
    }
    complete(store, dataset, record.name, &record);
    json_add_number(record.resource, "numRows", rows + record.discarded_rows);
    *out_resource = record.resource;
    free(record.name);
    return true;
}

/* In BigQuery's words. */
static bool wrong_type(const char *id, const char *type, struct error *err)
{
    return failure_set(
        err, "invalid", "%s is not allowed for this operation because it is currently a %s.", id,
        type);
}

bool store_table_check_type(const cJSON *resource, const char *type, struct error *err)
{
    const char *own = json_text(resource, "type");

    return strcmp(own, type) == 0 || wrong_type(json_text(resource, "id"), own, err);
}

bool store_view_get(
    struct store *store, const char *dataset, const char *table, cJSON **out_resource,
    struct error *err)
{
    struct store_record record = {0};

    *out_resource = NULL;
    if (!store_record_read(store, dataset, table, &record, err))
        return false;
    if (store_is_view(record.resource)) {
        *out_resource = record.resource;
        record.resource = NULL;
    }
    store_record_clear(&record);
    return true;
}

bool store_table_list(
    struct store *store, const char *dataset, cJSON **out_resources, struct error *err)
{
    cJSON *resource = NULL;
    cJSON *resources = NULL;
    sqlite3_stmt *row = NULL;

    if (!store_dataset_get(store, dataset, &resource, err))
        return false;
    cJSON_Delete(resource);
    if (!store_expire(store, err) ||
        !store_prepare(
            store,
            "select name, resource, version, created_ms, modified_ms from bqlocal_tables"
            " where dataset = ?1 and (expires_ms is null or expires_ms > ?2) order by name",
            &row, err, dataset, NULL))
        return false;
    sqlite3_bind_int64(row, 2, store_now_ms(store));
    resources = cJSON_CreateArray();
    bool more = false;
    bool ok;
    while ((ok = store_step(store, row, &more, err)) && more) {
        struct store_record record = {
            .resource = cJSON_Parse((const char *)sqlite3_column_text(row, 1)),
            .version = sqlite3_column_int64(row, 2),
            .created_ms = sqlite3_column_int64(row, 3),
            .modified_ms = sqlite3_column_int64(row, 4),
        };
        complete(store, dataset, (const char *)sqlite3_column_text(row, 0), &record);
        cJSON_AddItemToArray(resources, record.resource);
    }
    sqlite3_finalize(row);
    if (ok)
        *out_resources = resources;
    else
        cJSON_Delete(resources);
    return ok;
}

static bool name_is_valid(const char *name)
{
    size_t length = strlen(name);
    bool ok = length > 0 && length <= 1024;

    for (const char *at = name; ok && *at != '\0'; at++)
        ok = (*at & 0x80) != 0 || strchr("_- ", *at) != NULL || (*at >= '0' && *at <= '9') ||
             (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
    return ok;
}

/* BigQuery tells names apart that differ in case only, unless the dataset says otherwise; SQLite
 * does not. */
static bool check_free(
    struct store *store, const char *dataset, const char *table, bool ignores_case,
    struct error *err)
{
    sqlite3_stmt *row = NULL;
    bool taken = false;

    if (!store_expire(store, err) ||
        !store_prepare(
            store,
            "select name from bqlocal_tables where lower(dataset) = lower(?1) and"
            " lower(name) = lower(?2) order by name = ?2 desc",
            &row, err, dataset, table, NULL))
        return false;
    bool ok = store_step(store, row, &taken, err);
    if (taken) {
        if (ignores_case || strcmp((const char *)sqlite3_column_text(row, 0), table) == 0)
            ok = failure_set(
                err, "duplicate", "Already Exists: Table %s:%s.%s", store->project, dataset, table);
        else
            ok = failure_set(
                err, "notImplemented",
                "bqlocal cannot keep table %s beside one whose name differs in case only", table);
    }
    sqlite3_finalize(row);
    return ok;
}

/* New STRING columns that name no collation have the table's default ("Working with collation"). */
static void apply_collation(cJSON *resource)
{
    const cJSON *schema = json_at(resource, "schema");
    const cJSON *fields = json_at(schema, "fields");
    const char *collation = json_text(resource, "defaultCollation");
    cJSON *field;

    if (collation == NULL || *collation == '\0')
        return;
    cJSON_ArrayForEach(field, fields)
    {
        const char *type = json_text(field, "type");
        if (type != NULL && strcasecmp(type, "STRING") == 0 &&
            json_text(field, "collation") == NULL)
            cJSON_AddStringToObject(field, "collation", collation);
    }
}

static void inherit(cJSON *object, const char *name, const cJSON *dataset, const char *default_name)
{
    const cJSON *value = json_at(dataset, default_name);

    if (value != NULL && !cJSON_HasObjectItem(object, name))
        cJSON_AddItemToObject(object, name, cJSON_Duplicate(value, true));
}

/* A default for partitions takes the place of the one for tables ("Dataset" in the API reference).
 */
static void apply_dataset_defaults(struct store *store, const cJSON *dataset, cJSON *resource)
{
    cJSON *partitions = cJSON_GetObjectItemCaseSensitive(resource, "timePartitioning");
    int64_t lifetime = json_number(dataset, "defaultTableExpirationMs", 0);

    inherit(resource, "defaultCollation", dataset, "defaultCollation");
    apply_collation(resource);
    if (partitions != NULL && json_at(dataset, "defaultPartitionExpirationMs") != NULL)
        inherit(partitions, "expirationMs", dataset, "defaultPartitionExpirationMs");
    else if (lifetime > 0 && store_expiration(resource) == 0)
        json_add_number(resource, "expirationTime", store_now_ms(store) + lifetime);
}

static bool check_expiration(struct store *store, const cJSON *resource, struct error *err)
{
    int64_t expires = store_expiration(resource);

    if (expires > 0 && expires <= store_now_ms(store))
        return failure_set(err, "invalid", "Invalid value for expirationTime: it is in the past");
    return true;
}

static bool insert_checked(
    struct store *store, const char *dataset, const char *table, cJSON *resource, struct error *err)
{
    struct store_schema schema = {0};

    if (!store_resource_check(resource, err) || !check_expiration(store, resource, err) ||
        !store_schema_parse(json_at(resource, "schema"), &schema, err))
        return false;
    bool ok = store_begin(store, err);
    if (ok)
        ok = store_end(
            store,
            (store_is_view(resource) || store_rows_create(store, dataset, table, &schema, err)) &&
                store_record_write(store, dataset, table, resource, err),
            err);
    store_schema_clear(&schema);
    return ok;
}

bool store_table_insert(
    struct store *store, const char *dataset, const char *table, const cJSON *resource,
    struct error *err)
{
    cJSON *dataset_resource = NULL;
    cJSON *copy = NULL;
    bool ok = false;

    if (!store_dataset_get(store, dataset, &dataset_resource, err))
        return false;
    if (!name_is_valid(table)) {
        failure_set(err, "invalid", "Invalid table ID \"%.300s\".", table);
        goto cleanup;
    }
    if (!check_free(
            store, dataset, table, json_bool(dataset_resource, "isCaseInsensitive", false), err))
        goto cleanup;
    copy = resource == NULL ? cJSON_CreateObject() : cJSON_Duplicate(resource, true);
    strip(copy);
    apply_dataset_defaults(store, dataset_resource, copy);
    ok = insert_checked(store, dataset, table, copy, err);

cleanup:
    cJSON_Delete(dataset_resource);
    cJSON_Delete(copy);
    return ok;
}

/* Writes a resource and brings the rows from the old schema to its own. */
static bool replace_resource(
    struct store *store, const char *dataset, const char *table, const cJSON *old, cJSON *new,
    struct error *err)
{
    struct store_schema from = {0};
    struct store_schema to = {0};
    bool ok = false;

    if (!store_resource_check(new, err) ||
        !store_schema_parse(json_at(old, "schema"), &from, err) ||
        !store_schema_parse(json_at(new, "schema"), &to, err) || !store_begin(store, err))
        goto cleanup;
    ok = store_end(
        store,
        (store_is_view(new) || store_rows_rebuild(store, dataset, table, &from, &to, err)) &&
            store_record_write(store, dataset, table, new, err),
        err);

cleanup:
    store_schema_clear(&from);
    store_schema_clear(&to);
    return ok;
}

static bool patch_schema(
    struct store *store, const char *dataset, const char *table, const cJSON *old, cJSON *new,
    struct error *err)
{
    const cJSON *old_schema = json_at(old, "schema");
    cJSON *new_schema = cJSON_GetObjectItemCaseSensitive(new, "schema");
    cJSON *fields = NULL;

    char *where = sqlite3_mprintf("Table %s:%s.%s", store->project, dataset, table);
    bool ok = store_fields_merge(
        json_at(old_schema, "fields"), json_at(new_schema, "fields"), where, &fields, err);
    sqlite3_free(where);
    if (ok && !cJSON_IsObject(new_schema)) {
        cJSON_DeleteItemFromObjectCaseSensitive(new, "schema");
        new_schema = cJSON_AddObjectToObject(new, "schema");
    }
    if (ok) {
        cJSON_DeleteItemFromObjectCaseSensitive(new_schema, "fields");
        cJSON_AddItemToObject(new_schema, "fields", fields);
    }
    return ok;
}

bool store_table_patch(
    struct store *store, const char *dataset, const char *table, const cJSON *patch,
    struct error *err)
{
    struct store_record record = {0};
    cJSON *changes = NULL;
    cJSON *merged = NULL;
    bool ok = false;

    if (!store_record_read(store, dataset, table, &record, err))
        return false;
    changes = cJSON_Duplicate(patch, true);
    strip(changes);
    // A schema cannot be taken away: bq sends null where it has nothing to change.
    if (cJSON_IsNull(json_at(changes, "schema")))
        cJSON_DeleteItemFromObjectCaseSensitive(changes, "schema");
    merged = cJSON_Duplicate(record.resource, true);
    store_merge_patch(merged, changes);
    if (cJSON_HasObjectItem(changes, "expirationTime") && !check_expiration(store, merged, err))
        goto cleanup;
    // The columns of a view are those of its query, whatever they were.
    ok = (store_is_view(record.resource) ||
          patch_schema(store, dataset, table, record.resource, merged, err)) &&
         replace_resource(store, dataset, table, record.resource, merged, err);

cleanup:
    store_record_clear(&record);
    cJSON_Delete(changes);
    cJSON_Delete(merged);
    return ok;
}

bool store_table_alter(
    struct store *store, const char *dataset, const char *table, const cJSON *resource,
    struct error *err)
{
    struct store_record record = {0};

    if (!store_record_read(store, dataset, table, &record, err))
        return false;
    cJSON *copy = cJSON_Duplicate(resource, true);
    strip(copy);
    bool ok = replace_resource(store, dataset, table, record.resource, copy, err);
    store_record_clear(&record);
    cJSON_Delete(copy);
    return ok;
}

bool store_table_delete(
    struct store *store, const char *dataset, const char *table, struct error *err)
{
    struct store_record record = {0};

    if (!store_record_read(store, dataset, table, &record, err))
        return false;
    store_record_clear(&record);
    return store_begin(store, err) &&
           store_end(store, store_record_delete(store, dataset, table, err), err);
}

bool store_schema(
    struct store *store, const char *dataset, const char *table, struct store_schema *out_schema,
    struct error *err)
{
    struct store_record record = {0};

    if (!store_record_read(store, dataset, table, &record, err))
        return false;
    char *id = sqlite3_mprintf("%s:%s.%s", store->project, dataset, record.name);
    bool ok = (!store_is_view(record.resource) || wrong_type(id, "VIEW", err)) &&
              store_schema_parse(json_at(record.resource, "schema"), out_schema, err);
    sqlite3_free(id);
    store_record_clear(&record);
    return ok;
}

/* Runs an update of the facts about one table (?1, ?2) with two numbers (?3, ?4). A failure leaves
 * the old facts, which are only shown. */
static void update_facts(
    struct store *store, const char *sql, const char *dataset, const char *table,
    const int64_t numbers[2])
{
    sqlite3_stmt *statement = NULL;
    struct error ignored;

    if (!store_prepare(store, sql, &statement, &ignored, dataset, table, NULL))
        return;
    sqlite3_bind_int64(statement, 3, numbers[0]);
    sqlite3_bind_int64(statement, 4, numbers[1]);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

void store_table_touch(
    struct store *store, const char *dataset, const char *table, bool counts_as_modification)
{
    int64_t now = store_now_ms(store);

    update_facts(
        store, "update bqlocal_tables set version = ?3, modified_ms = ?4 where" STORE_THE_TABLE,
        dataset, table, (int64_t[]){store_next_version(store), now});
    if (counts_as_modification)
        update_facts(
            store,
            "update bqlocal_tables set modifications ="
            " case modification_day when ?3 then modifications else 0 end + ?4,"
            " modification_day = ?3 where" STORE_THE_TABLE,
            dataset, table, (int64_t[]){now / DAY_MS, 1});
}

void store_table_note_discarded(
    struct store *store, const char *dataset, const char *table, int64_t rows, bool replace)
{
    update_facts(
        store,
        "update bqlocal_tables set discarded_rows = case ?4 when 1 then 0 else discarded_rows end"
        " + ?3 where" STORE_THE_TABLE,
        dataset, table, (int64_t[]){rows, replace});
}
