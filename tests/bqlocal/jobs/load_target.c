/* The target of a load: the table is created, emptied or widened, or the source is refused. */
#include "bqlocal/jobs/job_destination.h"
#include "bqlocal/jobs/load.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool mismatch(const struct load *load, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

static bool mismatch(const struct load *load, struct error *err, const char *format, ...)
{
    char what[512];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return failure_set(err, "invalid", "Provided Schema does not match %s. %s", load->where, what);
}

static int find_column(const struct store_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcasecmp(schema->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool allows(const struct load *load, const char *option)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, json_at(load->options, "schemaUpdateOptions"))
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, option) == 0)
            return true;
    }
    return false;
}

/* The schema that a new or replaced table gets: the job's, else the file's; owned. */
static cJSON *new_schema(const struct load *load)
{
    const cJSON *given = json_at(load->options, "schema");
    cJSON *schema;

    if (given != NULL)
        return cJSON_Duplicate(given, true);
    schema = cJSON_CreateObject();
    cJSON_AddItemToObject(schema, "fields", store_schema_json(&load->source));
    return schema;
}

static bool create_table(struct load *load, struct error *err)
{
    static const char *const layout[] = {"timePartitioning", "rangePartitioning", "clustering"};
    static const char *const words[] = {"description", "labels", "friendlyName", "expirationTime"};
    const char *disposition = json_text(load->options, "createDisposition");
    const cJSON *properties = json_at(load->options, "destinationTableProperties");

    if (disposition != NULL && strcmp(disposition, "CREATE_NEVER") == 0)
        return failure_set(err, "notFound", "Not found: %s", load->where);
    if (load->source.count == 0)
        return failure_set(err, "invalid", "No schema specified on job or table.");
    cJSON *resource = cJSON_CreateObject();
    cJSON_AddItemToObject(resource, "schema", new_schema(load));
    for (size_t i = 0; i < sizeof layout / sizeof layout[0]; i++)
        json_copy(resource, load->options, layout[i]);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        json_copy(resource, properties, words[i]);
    bool ok = store_table_insert(load->store, load->dataset, load->table, resource, err);
    cJSON_Delete(resource);
    return ok;
}

static bool delete_rows(struct load *load, struct error *err)
{
    store_table_note_discarded(load->store, load->dataset, load->table, 0, true);
    return store_executef(load->store, err, "delete from \"%w.%w\"", load->dataset, load->table);
}

/* WRITE_TRUNCATE: rows, schema and constraints are replaced; the rest of the table stays. */
static bool replace_table(struct load *load, cJSON *resource, struct error *err)
{
    cJSON_DeleteItemFromObjectCaseSensitive(resource, "tableConstraints");
    if (load->source.count > 0)
        json_set(resource, "schema", new_schema(load));
    return delete_rows(load, err) &&
           store_table_alter(load->store, load->dataset, load->table, resource, err);
}

/* Without a schema of the job every field counts as NULLABLE, whatever an Avro file says:
 * python-bigquery issue 1981 ("Cannot append to REQUIRED field when using
 * client.load_table_from_file without providing table schema"). */
static bool is_required(const struct load *load, const struct store_field *field)
{
    bool inferred = load->file_has_schema && json_at(load->options, "schema") == NULL;

    return field->required && (!inferred || load->settings->lenient_modes);
}

/* Whether the field may go into the column; *out_relax: if the column becomes NULLABLE. */
static bool check_field(
    const struct load *load, const struct store_field *field, const struct store_field *column,
    bool *out_relax, struct error *err)
{
    if (field->type != column->type)
        return mismatch(
            load, err, "Field %s has changed type from %s to %s", column->name,
            store_type_rest(column->type), store_type_rest(field->type));
    if (column->required && !is_required(load, field)) {
        if (!allows(load, "ALLOW_FIELD_RELAXATION"))
            return mismatch(
                load, err, "Field %s has changed mode from REQUIRED to NULLABLE", column->name);
        *out_relax = true;
    }
    if (!column->required && field->required && json_at(load->options, "schema") != NULL)
        return mismatch(
            load, err, "Field %s has changed mode from NULLABLE to REQUIRED", column->name);
    return true;
}

static bool check_unknown(
    const struct load *load, const struct store_field *field, bool *out_add, struct error *err)
{
    *out_add = allows(load, "ALLOW_FIELD_ADDITION");
    if (!*out_add && !json_bool(load->options, "ignoreUnknownValues", false))
        return mismatch(load, err, "Cannot add fields (field: %s)", field->name);
    if (*out_add && field->required)
        return mismatch(
            load, err, "Cannot add required fields to an existing schema. (field: %s)",
            field->name);
    return true;
}

static bool check_missing(
    const struct load *load, const struct store_schema *target, struct error *err)
{
    for (size_t i = 0; i < target->count; i++) {
        const struct store_field *column = &target->fields[i];
        if (column->required && column->default_sql == NULL &&
            find_column(&load->source, column->name) < 0)
            return mismatch(load, err, "Field %s is missing in new schema", column->name);
    }
    return true;
}

static void relax(cJSON *fields, const char *name)
{
    cJSON *item;

    cJSON_ArrayForEach(item, fields)
    {
        if (strcasecmp(json_text(item, "name"), name) == 0) {
            json_set(item, "mode", cJSON_CreateString("NULLABLE"));
        }
    }
}

/* Compares every field with its column; changes the copy of the table's fields where the job allows
 * it. */
static bool compare_fields(
    const struct load *load, const struct store_schema *target, cJSON *fields, bool *out_changed,
    struct error *err)
{
    cJSON *all = store_schema_json(&load->source);
    bool ok = true;

    for (size_t i = 0; ok && i < load->source.count; i++) {
        const struct store_field *field = &load->source.fields[i];
        int column = find_column(target, field->name);
        bool change = false;
        if (column >= 0) {
            ok = check_field(load, field, &target->fields[column], &change, err);
            if (ok && change)
                relax(fields, field->name);
        } else {
            ok = check_unknown(load, field, &change, err);
            if (ok && change)
                cJSON_AddItemToArray(
                    fields, cJSON_Duplicate(cJSON_GetArrayItem(all, (int)i), true));
        }
        *out_changed = *out_changed || change;
    }
    cJSON_Delete(all);
    return ok && check_missing(load, target, err);
}

/* The table keeps its schema, as far as the job does not widen it. */
static bool fit_into_table(struct load *load, const cJSON *resource, struct error *err)
{
    struct store *store = load->store;
    struct store_schema target = {0};
    cJSON *fields = cJSON_Duplicate(json_at(json_at(resource, "schema"), "fields"), true);
    bool changed = false;

    if (fields == NULL)
        fields = cJSON_CreateArray();
    bool ok = store_schema(store, load->dataset, load->table, &target, err);
    // A table without columns takes the first schema that comes.
    if (ok && target.count == 0) {
        cJSON_Delete(fields);
        fields = store_schema_json(&load->source);
        changed = true;
    } else if (ok) {
        ok = compare_fields(load, &target, fields, &changed, err);
    }
    if (ok && changed) {
        cJSON *patch = cJSON_CreateObject();
        cJSON *schema = cJSON_AddObjectToObject(patch, "schema");
        cJSON_AddItemToObject(schema, "fields", fields);
        fields = NULL;
        ok = store_table_patch(store, load->dataset, load->table, patch, err);
        cJSON_Delete(patch);
    }
    cJSON_Delete(fields);
    store_schema_clear(&target);
    return ok;
}

static bool use_table(struct load *load, cJSON *resource, struct error *err)
{
    const char *disposition = json_text(load->options, "writeDisposition");

    if (disposition == NULL)
        disposition = "WRITE_APPEND";
    if (strcmp(disposition, "WRITE_EMPTY") == 0 && json_number(resource, "numRows", 0) > 0)
        return failure_set(err, "duplicate", "Already Exists: %s", load->where);
    if (!job_check_layout(load->options, resource, err))
        return false;
    if (strcmp(disposition, "WRITE_TRUNCATE") == 0)
        return replace_table(load, resource, err);
    return fit_into_table(load, resource, err) &&
           (strcmp(disposition, "WRITE_TRUNCATE_DATA") != 0 || delete_rows(load, err));
}

/* A column's default, evaluated once for the load. */
static bool read_default(
    struct load *load, const struct store_field *field, sqlite3_value **out_value,
    struct error *err)
{
    const char *expression = field->default_sql;
    char why[sizeof err->message];
    bool found = false;
    struct store *store = load->store;
    struct sql_result result = {0};
    sqlite3_stmt *row = NULL;
    char *text = sqlite3_mprintf("select %s", expression);
    struct sql_request request = {
        .text = text == NULL ? "" : text,
        .default_dataset = load->dataset,
    };

    bool ok = sql_run(store, &request, &result, err);
    sqlite3_free(text);
    if (!ok)
        return error_wrap(err, "default value %s", expression);
    char *limited = limit_is_set(field) ? limit_sql(field, "c0") : NULL;
    char *sql = sqlite3_mprintf(
        "select %s from \"%w\"", limited == NULL ? "c0" : limited, result.result_table);
    ok = store_prepare(store, sql == NULL ? "" : sql, &row, err, NULL) &&
         store_step(store, row, &found, err);
    if (found)
        *out_value = sqlite3_value_dup(sqlite3_column_value(row, 0));
    snprintf(why, sizeof why, "%s", err->message);
    if (!ok)
        failure_set(err, "invalid", "default value %s: %s", expression, why);
    sqlite3_finalize(row);
    sqlite3_free(sql);
    sqlite3_free(limited);
    sql_result_clear(store, &result);
    return ok;
}

static bool map_columns(struct load *load, struct error *err)
{
    size_t fields = load->source.count;
    size_t columns = load->target.count;

    load->columns = calloc(fields + 1, sizeof *load->columns);
    load->fields = calloc(columns + 1, sizeof *load->fields);
    load->defaults = calloc(columns + 1, sizeof(sqlite3_value *));
    if (load->columns == NULL || load->fields == NULL || load->defaults == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a load");
    for (size_t i = 0; i < columns; i++)
        load->fields[i] = find_column(&load->source, load->target.fields[i].name);
    for (size_t i = 0; i < fields; i++)
        load->columns[i] = find_column(&load->target, load->source.fields[i].name);
    for (size_t i = 0; i < columns; i++) {
        const struct store_field *field = &load->target.fields[i];
        if (field->default_sql != NULL && !read_default(load, field, &load->defaults[i], err))
            return false;
    }
    return true;
}

bool load_prepare_target(struct load *load, struct error *err)
{
    struct store *store = load->store;
    cJSON *resource = NULL;
    bool ok;

    if (store_table_get(store, load->dataset, load->table, &resource, err))
        ok = store_table_check_type(resource, "TABLE", err) && use_table(load, resource, err);
    else
        ok = err->code == ERROR_NOT_FOUND && store_dataset_exists(store, load->dataset) &&
             create_table(load, err);
    cJSON_Delete(resource);
    return ok && store_schema(store, load->dataset, load->table, &load->target, err) &&
           map_columns(load, err);
}
