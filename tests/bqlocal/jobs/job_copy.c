/* Copy jobs. */
#include "bqlocal/http/http.h"
#include "bqlocal/http/server.h"
#include "bqlocal/jobs/job.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/store_internal.h"

#include <stdlib.h>
#include <string.h>

struct copy {
    struct server *server;
    const cJSON *options;
    const char *dataset;
    const char *table;
    const cJSON *sources; /* an array of table references, owned */
    int64_t rows;
};

/* sourceTables, or sourceTable alone; an array, owned. */
static cJSON *list_sources(const cJSON *options)
{
    const cJSON *many = json_at(options, "sourceTables");
    const cJSON *one = json_at(options, "sourceTable");
    cJSON *list = cJSON_IsArray(many) ? cJSON_Duplicate(many, true) : cJSON_CreateArray();

    if (cJSON_GetArraySize(list) == 0 && one != NULL)
        cJSON_AddItemToArray(list, cJSON_Duplicate(one, true));
    return list;
}

static bool get_source(
    struct copy *copy, const cJSON *reference, cJSON **out_resource, struct error *err)
{
    const char *dataset = json_text(reference, "datasetId");
    const char *table = json_text(reference, "tableId");

    if (dataset == NULL || table == NULL)
        return failure_set(err, "required", "Required parameter is missing: sourceTable");
    return store_table_get(&copy->server->store, dataset, table, out_resource, err);
}

static bool same_part(const cJSON *a, const cJSON *b, const char *key)
{
    const cJSON *one = json_at(a, key);
    const cJSON *other = json_at(b, key);

    return (one == NULL && other == NULL) || cJSON_Compare(one, other, true);
}

/* Names and types alike, in the same order. */
static bool same_columns(const cJSON *a, const cJSON *b)
{
    struct store_schema one = {0};
    struct store_schema other = {0};
    struct error ignored;
    bool same = store_schema_parse(json_at(a, "schema"), &one, &ignored) &&
                store_schema_parse(json_at(b, "schema"), &other, &ignored) &&
                one.count == other.count;

    for (size_t i = 0; same && i < one.count; i++)
        same = strcmp(one.fields[i].name, other.fields[i].name) == 0 &&
               one.fields[i].type == other.fields[i].type;
    store_schema_clear(&one);
    store_schema_clear(&other);
    return same;
}

static bool check_alike(const cJSON *a, const cJSON *b, const char *whose, struct error *err)
{
    if (!same_columns(a, b))
        return failure_set(err, "invalid", "Incompatible table schemas: %s", whose);
    if (!same_part(a, b, "timePartitioning") || !same_part(a, b, "rangePartitioning"))
        return failure_set(
            err, "invalid", "Incompatible table partitioning specification: %s", whose);
    if (!same_part(a, b, "clustering"))
        return failure_set(err, "invalid", "Incompatible clustering specification: %s", whose);
    return true;
}

static bool append_rows(struct copy *copy, const cJSON *reference, struct error *err)
{
    struct store *store = &copy->server->store;
    struct store_schema schema = {0};
    struct buffer columns;
    const char *dataset = json_text(reference, "datasetId");
    const char *table = json_text(reference, "tableId");

    if (!store_schema(store, dataset, table, &schema, err))
        return false;
    buffer_init(&columns, (size_t)16 << 20);
    for (size_t i = 0; i < schema.count; i++) {
        char *name = sqlite3_mprintf("\"%w\"", schema.fields[i].name);
        buffer_append_text(&columns, i > 0 ? "," : "");
        buffer_append_text(&columns, name == NULL ? "" : name);
        sqlite3_free(name);
    }
    bool ok = schema.count == 0 ||
              store_executef(
                  store, err, "insert into \"%w.%w\"(%s) select %s from \"%w.%w\" order by rowid",
                  copy->dataset, copy->table, buffer_text(&columns), buffer_text(&columns), dataset,
                  table);
    buffer_clear(&columns);
    store_schema_clear(&schema);
    return ok;
}

/* The destination takes everything of the first source but its expiration. */
static bool replace_destination(
    struct copy *copy, const cJSON *source, cJSON *existing, struct error *err)
{
    static const char *const kept[] = {"description", "friendlyName", "labels", "expirationTime"};
    struct store *store = &copy->server->store;
    cJSON *resource = cJSON_Duplicate(source, true);
    bool ok;

    cJSON_DeleteItemFromObjectCaseSensitive(resource, "expirationTime");
    if (existing == NULL) {
        ok = store_table_insert(store, copy->dataset, copy->table, resource, err);
    } else {
        // What becomes of description and labels is not documented: those of the destination stay.
        for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
            cJSON_DeleteItemFromObjectCaseSensitive(resource, kept[i]);
            if (json_at(existing, kept[i]) != NULL)
                cJSON_AddItemToObject(
                    resource, kept[i], cJSON_Duplicate(json_at(existing, kept[i]), true));
        }
        ok = store_executef(store, err, "delete from \"%w.%w\"", copy->dataset, copy->table) &&
             store_table_alter(store, copy->dataset, copy->table, resource, err);
    }
    cJSON_Delete(resource);
    return ok;
}

static bool prepare_destination(
    struct copy *copy, const cJSON *source, const char *disposition, struct error *err)
{
    struct store *store = &copy->server->store;
    const char *create = json_text(copy->options, "createDisposition");
    cJSON *existing = NULL;
    struct error missing;
    bool ok;

    if (!store_table_get(store, copy->dataset, copy->table, &existing, &missing)) {
        if (missing.code != ERROR_NOT_FOUND ||
            (create != NULL && strcmp(create, "CREATE_NEVER") == 0)) {
            *err = missing;
            return false;
        }
        return replace_destination(copy, source, NULL, err);
    }
    if (strcmp(disposition, "WRITE_TRUNCATE") == 0)
        ok = replace_destination(copy, source, existing, err);
    else if (strcmp(disposition, "WRITE_EMPTY") == 0 && json_number(existing, "numRows", 0) > 0)
        ok = failure_set(
            err, "duplicate", "Already Exists: Table %s:%s.%s", store->project, copy->dataset,
            copy->table);
    else
        ok = check_alike(source, existing, "source and destination", err);
    cJSON_Delete(existing);
    return ok;
}

static bool run(struct copy *copy, struct error *err)
{
    struct store *store = &copy->server->store;
    const char *disposition = json_text(copy->options, "writeDisposition");
    cJSON *first = NULL;
    const cJSON *reference;
    bool ok = true;

    cJSON_ArrayForEach(reference, copy->sources)
    {
        cJSON *resource = NULL;
        ok = get_source(copy, reference, &resource, err) &&
             (first == NULL || check_alike(first, resource, "the sources", err));
        copy->rows += json_number(resource, "numRows", 0);
        if (first == NULL)
            first = resource;
        else
            cJSON_Delete(resource);
        if (!ok)
            break;
    }
    ok = ok &&
         prepare_destination(copy, first, disposition == NULL ? "WRITE_EMPTY" : disposition, err);
    cJSON_ArrayForEach(reference, copy->sources)
    {
        ok = ok && append_rows(copy, reference, err);
    }
    if (ok && copy->server->options.discard)
        store_table_note_discarded(
            store, copy->dataset, copy->table, copy->rows,
            disposition != NULL && strcmp(disposition, "WRITE_TRUNCATE") == 0);
    if (ok)
        store_table_touch(store, copy->dataset, copy->table, true);
    cJSON_Delete(first);
    return ok;
}

bool job_run_copy(struct server *server, struct job *job, struct error *err)
{
    const cJSON *options = job_part(job);
    const cJSON *destination = json_at(options, "destinationTable");
    cJSON *sources = list_sources(options);
    struct copy copy = {
        .server = server,
        .options = options,
        .dataset = json_text(destination, "datasetId"),
        .table = json_text(destination, "tableId"),
        .sources = sources,
    };
    bool ok = false;

    if (cJSON_GetArraySize(sources) == 0)
        failure_set(err, "required", "Required parameter is missing: sourceTable");
    else if (store_begin(&server->store, err))
        ok = store_end(&server->store, run(&copy, err), err);
    if (ok) {
        job->statistics = cJSON_CreateObject();
        json_add_number(job->statistics, "copiedRows", copy.rows);
        json_add_number(job->statistics, "copiedLogicalBytes", 0);
    }
    cJSON_Delete(sources);
    return ok;
}
