#include "bqlocal/jobs/job_destination.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/limit.h"

#include <string.h>
#include <strings.h>

static const char *const layout[] = {"timePartitioning", "rangePartitioning", "clustering"};

/* Names of columns have no case. */
static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcasecmp(a, b) == 0;
}

static bool same_list(const cJSON *a, const cJSON *b)
{
    bool same = cJSON_GetArraySize(a) == cJSON_GetArraySize(b);

    for (int i = 0; same && i < cJSON_GetArraySize(a); i++)
        same = same_text(
            cJSON_GetStringValue(cJSON_GetArrayItem(a, i)),
            cJSON_GetStringValue(cJSON_GetArrayItem(b, i)));
    return same;
}

bool job_check_layout(const cJSON *options, const cJSON *existing, struct error *err)
{
    for (size_t i = 0; i < sizeof layout / sizeof layout[0]; i++) {
        const cJSON *given = json_at(options, layout[i]);
        const cJSON *there = json_at(existing, layout[i]);
        bool same = there != NULL &&
                    same_text(json_text(given, "type"), json_text(there, "type")) &&
                    same_text(json_text(given, "field"), json_text(there, "field")) &&
                    cJSON_Compare(json_at(given, "range"), json_at(there, "range"), true) ==
                        (json_at(given, "range") != NULL) &&
                    same_list(json_at(given, "fields"), json_at(there, "fields"));
        if (given != NULL && !same)
            return failure_set(
                err, "invalid", "Incompatible table partitioning or clustering specification: %s",
                layout[i]);
    }
    return true;
}

struct destination {
    struct store *store;
    const struct sql_result *result;
    const cJSON *query; /* configuration.query */
    const char *dataset;
    const char *table;
    struct error *err;
};

cJSON *job_result_schema(const struct sql_result *result)
{
    cJSON *schema = cJSON_CreateObject();

    cJSON_AddItemToObject(schema, "fields", store_schema_json(&result->schema));
    return schema;
}

static bool mismatch(const struct destination *to, const char *what, const char *name)
{
    return failure_set(
        to->err, "invalid", "Provided Schema does not match Table %s:%s.%s. %s (field: %s)",
        to->store->project, to->dataset, to->table, what, name);
}

/* A result's columns are NULLABLE: none goes into a REQUIRED one. */
static bool check_fields(const struct destination *to, const struct store_schema *target)
{
    const struct store_schema *source = &to->result->schema;

    for (size_t i = 0; i < source->count; i++) {
        const struct store_field *field = store_schema_find(target, source->fields[i].name);
        if (field == NULL)
            return mismatch(to, "Cannot add fields", source->fields[i].name);
        if (field->type != source->fields[i].type)
            return failure_set(
                to->err, "invalid",
                "Provided Schema does not match Table %s:%s.%s. Field %s has changed type from %s "
                "to %s",
                to->store->project, to->dataset, to->table, field->name,
                store_type_rest(field->type), store_type_rest(source->fields[i].type));
    }
    for (size_t i = 0; i < target->count; i++)
        if (target->fields[i].required)
            return store_schema_find(source, target->fields[i].name) == NULL
                       ? mismatch(to, "A required field is missing", target->fields[i].name)
                       : mismatch(
                             to, "Field has changed mode from REQUIRED to NULLABLE",
                             target->fields[i].name);
    return true;
}

/* The result's rows, its columns by name. */
static bool insert_rows(const struct destination *to)
{
    const struct store_schema *source = &to->result->schema;
    struct store_schema target = {0};
    sqlite3_str *names = sqlite3_str_new(to->store->handle);
    sqlite3_str *values = sqlite3_str_new(to->store->handle);
    bool ok = store_schema(to->store, to->dataset, to->table, &target, to->err);

    for (size_t i = 0; ok && i < source->count; i++) {
        const struct store_field *field = store_schema_find(&target, source->fields[i].name);
        char *column = sqlite3_mprintf("c%d", (int)i);
        char *limited = field != NULL && limit_is_set(field) ? limit_sql(field, column) : NULL;
        sqlite3_str_appendf(names, i > 0 ? ",\"%w\"" : "\"%w\"", source->fields[i].name);
        sqlite3_str_appendf(values, i > 0 ? ",%s" : "%s", limited == NULL ? column : limited);
        sqlite3_free(limited);
        sqlite3_free(column);
    }
    char *columns = sqlite3_str_finish(names);
    char *items = sqlite3_str_finish(values);
    if (ok)
        ok = columns != NULL && items != NULL
                 ? store_executef(
                       to->store, to->err, "insert into \"%w.%w\"(%s) select %s from \"%w\"",
                       to->dataset, to->table, columns, items, to->result->result_table)
                 : error_set(to->err, ERROR_MEMORY, "out of memory for a result");
    sqlite3_free(columns);
    sqlite3_free(items);
    store_schema_clear(&target);
    return ok;
}

static bool create(const struct destination *to)
{
    const char *disposition = json_text(to->query, "createDisposition");

    if (disposition != NULL && strcmp(disposition, "CREATE_NEVER") == 0)
        return failure_set(
            to->err, "notFound", "Not found: Table %s:%s.%s", to->store->project, to->dataset,
            to->table);
    cJSON *resource = cJSON_CreateObject();
    cJSON_AddItemToObject(resource, "schema", job_result_schema(to->result));
    for (size_t i = 0; i < sizeof layout / sizeof layout[0]; i++)
        json_copy(resource, to->query, layout[i]);
    bool ok = store_table_insert(to->store, to->dataset, to->table, resource, to->err);
    cJSON_Delete(resource);
    return ok;
}

/* An overwritten table takes the result's schema and loses its constraints. */
static bool replace_schema(const struct destination *to, const cJSON *existing)
{
    cJSON *resource = cJSON_Duplicate(existing, true);

    cJSON_DeleteItemFromObjectCaseSensitive(resource, "tableConstraints");
    json_set(resource, "schema", job_result_schema(to->result));
    bool ok = store_table_alter(to->store, to->dataset, to->table, resource, to->err);
    cJSON_Delete(resource);
    return ok;
}

static bool use(const struct destination *to, const cJSON *existing)
{
    const char *disposition = json_text(to->query, "writeDisposition");
    bool append = disposition != NULL && strcmp(disposition, "WRITE_APPEND") == 0;
    bool keeps = append || (disposition != NULL && strcmp(disposition, "WRITE_TRUNCATE_DATA") == 0);
    bool truncates = disposition != NULL && strncmp(disposition, "WRITE_TRUNCATE", 14) == 0;
    struct store_schema target = {0};

    if (!append && !truncates && json_number(existing, "numRows", 0) > 0)
        return failure_set(
            to->err, "duplicate", "Already Exists: Table %s:%s.%s", to->store->project, to->dataset,
            to->table);
    if (!job_check_layout(to->query, existing, to->err))
        return false;
    if (truncates &&
        !store_executef(to->store, to->err, "delete from \"%w.%w\"", to->dataset, to->table))
        return false;
    if (!keeps)
        return replace_schema(to, existing);
    bool ok = store_schema(to->store, to->dataset, to->table, &target, to->err) &&
              (target.count == 0 ? replace_schema(to, existing) : check_fields(to, &target));
    store_schema_clear(&target);
    return ok;
}

bool job_destination_write(
    struct jobs *jobs, const struct sql_result *result, const cJSON *query, struct error *err)
{
    const cJSON *reference = json_at(query, "destinationTable");
    const struct destination to = {
        .store = jobs->store,
        .result = result,
        .query = query,
        .dataset = json_text(reference, "datasetId"),
        .table = json_text(reference, "tableId"),
        .err = err,
    };
    cJSON *existing = NULL;

    if (to.dataset == NULL || to.table == NULL)
        return failure_set(err, "required", "Required parameter is missing: destinationTable");
    bool found = store_table_get(to.store, to.dataset, to.table, &existing, err);
    bool ok = found ? store_table_check_type(existing, "TABLE", err) && use(&to, existing)
                    : err->code == ERROR_NOT_FOUND && store_dataset_exists(to.store, to.dataset) &&
                          create(&to);
    cJSON_Delete(existing);
    ok = ok && insert_rows(&to);
    if (ok)
        store_table_touch(to.store, to.dataset, to.table, true);
    return ok;
}
