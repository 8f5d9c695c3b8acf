#include "bqlocal/jobs/job_copy.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/limit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The destination's rows from before the copy, if it is a source, too. */
#define ASIDE "temp.\"bqlocal.copied\""

struct copy {
    struct store *store;
    struct monitor *monitor; /* left while rows are copied; NULL: it is not */
    bool discards;
    const cJSON *options;
    const char *location; /* the job's */
    const char *dataset;
    const char *table;
    const cJSON *sources; /* an array of table references, owned */
    bool aside;           /* the destination's old rows are in ASIDE */
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
    if (!store_table_get(copy->store, dataset, table, out_resource, err) ||
        !store_table_check_type(*out_resource, "TABLE", err))
        return false;
    const char *location = json_text(*out_resource, "location");
    return location == NULL || strcasecmp(location, copy->location) == 0 ||
           failure_set(
               err, "notFound", "Not found: Dataset %s:%s was not found in location %s",
               copy->store->project, dataset, copy->location);
}

static bool same_part(const cJSON *a, const cJSON *b, const char *key)
{
    const cJSON *one = json_at(a, key);
    const cJSON *other = json_at(b, key);

    return (one == NULL && other == NULL) || cJSON_Compare(one, other, true);
}

/* Names and types alike, in the same order; no column of b holds less. */
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
               one.fields[i].type == other.fields[i].type &&
               limit_is_wider(&one.fields[i], &other.fields[i]);
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

/* SQLite does not tell tables apart whose names differ in case only. */
static bool is_destination(const struct copy *copy, const cJSON *reference)
{
    return strcasecmp(json_text(reference, "datasetId"), copy->dataset) == 0 &&
           strcasecmp(json_text(reference, "tableId"), copy->table) == 0;
}

/* Keeps the destination's rows if they are to be read after they were deleted. */
static bool set_aside(struct copy *copy, struct error *err)
{
    const cJSON *reference;

    cJSON_ArrayForEach(reference, copy->sources)
    {
        copy->aside = copy->aside || is_destination(copy, reference);
    }
    return !copy->aside ||
           store_executef(
               copy->store, err, "create temp table \"bqlocal.copied\" as select * from \"%w.%w\"",
               copy->dataset, copy->table);
}

static bool append_rows(struct copy *copy, const cJSON *reference, struct error *err)
{
    struct store_schema schema = {0};
    const char *dataset = json_text(reference, "datasetId");
    const char *table = json_text(reference, "tableId");
    bool ok = true;

    if (!store_schema(copy->store, dataset, table, &schema, err))
        return false;
    if (schema.count > 0) {
        sqlite3_str *list = sqlite3_str_new(copy->store->handle);
        for (size_t i = 0; i < schema.count; i++)
            sqlite3_str_appendf(list, i > 0 ? ",\"%w\"" : "\"%w\"", schema.fields[i].name);
        char *columns = sqlite3_str_finish(list);
        char *from = copy->aside && is_destination(copy, reference)
                         ? sqlite3_mprintf("%s", ASIDE)
                         : sqlite3_mprintf("\"%w.%w\"", dataset, table);
        if (copy->monitor != NULL)
            monitor_leave(copy->monitor);
        ok = store_executef(
            copy->store, err, "insert into \"%w.%w\"(%s) select %s from %s order by rowid",
            copy->dataset, copy->table, columns, columns, from);
        if (copy->monitor != NULL)
            monitor_enter(copy->monitor);
        sqlite3_free(columns);
        sqlite3_free(from);
    }
    store_schema_clear(&schema);
    return ok;
}

/* The destination takes everything of the first source but its expiration. */
static bool replace_destination(
    struct copy *copy, const cJSON *source, cJSON *existing, struct error *err)
{
    static const char *const kept[] = {"description", "friendlyName", "labels", "expirationTime"};
    struct store *store = copy->store;
    cJSON *resource = cJSON_Duplicate(source, true);
    bool ok;

    cJSON_DeleteItemFromObjectCaseSensitive(resource, "expirationTime");
    if (existing == NULL) {
        ok = store_table_insert(store, copy->dataset, copy->table, resource, err);
    } else {
        // Google does not document description and labels: those of the destination stay.
        for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
            cJSON_DeleteItemFromObjectCaseSensitive(resource, kept[i]);
            json_copy(resource, existing, kept[i]);
        }
        ok = set_aside(copy, err) &&
             store_executef(store, err, "delete from \"%w.%w\"", copy->dataset, copy->table) &&
             store_table_alter(store, copy->dataset, copy->table, resource, err);
    }
    cJSON_Delete(resource);
    return ok;
}

static bool prepare_destination(
    struct copy *copy, const cJSON *source, const char *disposition, struct error *err)
{
    struct store *store = copy->store;
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
    if (!store_table_check_type(existing, "TABLE", err))
        ok = false;
    else if (strcmp(disposition, "WRITE_TRUNCATE") == 0)
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
    struct store *store = copy->store;
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
    if (ok && copy->aside)
        ok = store_execute(store, "drop table " ASIDE, err);
    if (ok && copy->discards)
        store_table_note_discarded(
            store, copy->dataset, copy->table, copy->rows,
            disposition != NULL && strcmp(disposition, "WRITE_TRUNCATE") == 0);
    if (ok)
        store_table_touch(store, copy->dataset, copy->table, true);
    cJSON_Delete(first);
    return ok;
}

bool job_run_copy(struct jobs *jobs, struct job *job, struct store *store, struct error *err)
{
    const cJSON *options = job_part(job);
    const cJSON *destination = json_at(options, "destinationTable");
    cJSON *sources = list_sources(options);
    struct copy copy = {
        .store = store,
        .monitor = job->computing ? jobs->monitor : NULL,
        .discards = jobs->settings.discards,
        .options = options,
        .location = job->location,
        .dataset = json_text(destination, "datasetId"),
        .table = json_text(destination, "tableId"),
        .sources = sources,
    };
    bool ok = false;

    if (cJSON_GetArraySize(sources) == 0)
        failure_set(err, "required", "Required parameter is missing: sourceTable");
    else if (store_begin(store, err))
        ok = store_end(store, run(&copy, err), err);
    if (ok) {
        job->statistics = cJSON_CreateObject();
        json_add_number(job->statistics, "copiedRows", copy.rows);
        json_add_number(job->statistics, "copiedLogicalBytes", 0);
    }
    cJSON_Delete(sources);
    return ok;
}
