/* Schemas of the store: types, fields, and what a Table resource may say. */
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/limit.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/store_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CLUSTER_MAX     4
#define PRIMARY_KEY_MAX 16
#define LABELS_MAX      64

static const struct {
    const char *sql;
    const char *rest;
    bool clusters;
    bool keys;
} types[] = {
    [STORE_INT64] = {"INT64", "INTEGER", true, true},
    [STORE_FLOAT64] = {"FLOAT64", "FLOAT", false, false},
    [STORE_BOOL] = {"BOOL", "BOOLEAN", true, true},
    [STORE_STRING] = {"STRING", "STRING", true, true},
    [STORE_BYTES] = {"BYTES", "BYTES", false, true},
    [STORE_NUMERIC] = {"NUMERIC", "NUMERIC", true, true},
    [STORE_BIGNUMERIC] = {"BIGNUMERIC", "BIGNUMERIC", true, true},
    [STORE_DATE] = {"DATE", "DATE", true, true},
    [STORE_TIME] = {"TIME", "TIME", false, false},
    [STORE_DATETIME] = {"DATETIME", "DATETIME", true, true},
    [STORE_TIMESTAMP] = {"TIMESTAMP", "TIMESTAMP", true, true},
    [STORE_JSON] = {"JSON", "JSON", false, false},
    [STORE_GEOGRAPHY] = {"GEOGRAPHY", "GEOGRAPHY", true, false},
};

#define TYPE_COUNT (sizeof types / sizeof types[0])

bool store_type_parse(const char *text, enum store_type *out_type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (strcasecmp(text, types[i].sql) == 0 || strcasecmp(text, types[i].rest) == 0) {
            *out_type = (enum store_type)i;
            return true;
        }
    return false;
}

const char *store_type_sql(enum store_type type)
{
    return types[type].sql;
}

const char *store_type_rest(enum store_type type)
{
    return types[type].rest;
}

/* BigQuery's rules for column names, flexible ones included. */
static bool check_name(const char *name, struct error *err)
{
    static const char *const prefixes[] = {
        "_TABLE_",
        "_FILE_",
        "_PARTITION",
        "_ROW_TIMESTAMP",
        "__ROOT__",
        "_COLIDENTIFIER",
        "_CHANGE_SEQUENCE_NUMBER",
        "_CHANGE_TYPE",
        "_CHANGE_TIMESTAMP",
    };
    if (name == NULL || *name == '\0')
        return failure_set(err, "invalid", "Field name cannot be empty");
    bool plain = !isdigit((unsigned char)*name);
    for (const char *at = name; *at != '\0'; at++)
        plain = plain && (isalnum((unsigned char)*at) || *at == '_' || (*at & 0x80) != 0 ||
                          strchr("&%=+:'<>#| -", *at) != NULL);
    if (!plain || strlen(name) > 300)
        return failure_set(
            err, "invalid",
            "Invalid field name \"%.320s\". Fields must contain the allowed characters, and be at "
            "most 300 characters long.",
            name);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return failure_set(
                err, "invalid",
                "Invalid field name \"%.320s\". Field names are not allowed to start with the "
                "(case-insensitive) prefixes _PARTITION, _TABLE_, _FILE_, _ROW_TIMESTAMP, "
                "__ROOT__, _COLIDENTIFIER and _CHANGE_",
                name);
    return true;
}

/* maxLength, precision and scale ("Parameterized data types" of the GoogleSQL reference). */
static bool check_limits(
    const cJSON *item, enum store_type type, const char *name, struct error *err)
{
    bool is_big = type == STORE_BIGNUMERIC;
    bool is_number = type == STORE_NUMERIC || is_big;
    bool is_text = type == STORE_STRING || type == STORE_BYTES;
    bool has_length = cJSON_HasObjectItem(item, "maxLength");
    bool has_precision = cJSON_HasObjectItem(item, "precision");
    bool has_scale = cJSON_HasObjectItem(item, "scale");
    int64_t precision = json_number(item, "precision", -1);
    int64_t scale = has_scale ? json_number(item, "scale", -1) : 0;

    bool ok = (!has_length || (is_text && json_number(item, "maxLength", -1) > 0)) &&
              (!has_scale || has_precision) &&
              (!has_precision ||
               (is_number && scale >= 0 && scale <= (is_big ? 38 : 9) && precision > 0 &&
                precision >= scale && precision - scale <= (is_big ? 38 : 29)));
    return ok ||
           failure_set(
               err, "invalid", "Invalid value for maxLength, precision or scale of field %s", name);
}

static bool parse_field(const cJSON *item, struct store_field *out_field, struct error *err)
{
    const char *name = json_text(item, "name");
    const char *type = json_text(item, "type");
    const char *mode = json_text(item, "mode");
    const char *default_sql = json_text(item, "defaultValueExpression");

    if (!check_name(name, err))
        return false;
    if (type == NULL)
        return failure_set(err, "invalid", "Field %s is missing its type", name);
    if (mode != NULL && strcasecmp(mode, "REPEATED") == 0)
        return failure_set(
            err, "notImplemented", "Field %s: bqlocal does not keep REPEATED fields", name);
    if (mode != NULL && strcasecmp(mode, "NULLABLE") != 0 && strcasecmp(mode, "REQUIRED") != 0)
        return failure_set(
            err, "invalid", "Invalid value for mode: %.64s is not a valid value", mode);
    if (!store_type_parse(type, &out_field->type)) {
        bool known = strcasecmp(type, "RECORD") == 0 || strcasecmp(type, "STRUCT") == 0 ||
                     strcasecmp(type, "GEOGRAPHY") == 0 || strcasecmp(type, "RANGE") == 0 ||
                     strcasecmp(type, "INTERVAL") == 0;
        if (known)
            return failure_set(
                err, "notImplemented", "Field %s: bqlocal does not keep the type %s", name, type);
        return failure_set(
            err, "invalid", "Invalid value for type: %.64s is not a valid value", type);
    }
    if (!check_limits(item, out_field->type, name, err))
        return false;
    out_field->name = strdup(name);
    out_field->required = mode != NULL && strcasecmp(mode, "REQUIRED") == 0;
    const char *collation = json_text(item, "collation");
    out_field->ignores_case = collation != NULL && strcasecmp(collation, "und:ci") == 0;
    out_field->length = json_number(item, "maxLength", 0);
    out_field->precision = (int)json_number(item, "precision", 0);
    out_field->scale = (int)json_number(item, "scale", 0);
    out_field->default_sql = default_sql == NULL ? NULL : strdup(default_sql);
    return true;
}

bool store_schema_parse(const cJSON *schema, struct store_schema *out_schema, struct error *err)
{
    const cJSON *fields = cJSON_IsArray(schema) ? schema : json_at(schema, "fields");
    int length = cJSON_GetArraySize(fields);
    struct store_schema parsed = {calloc((size_t)length + 1, sizeof *parsed.fields), 0};
    const cJSON *item;

    if (parsed.fields == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a schema");
    cJSON_ArrayForEach(item, fields)
    {
        struct store_field *field = &parsed.fields[parsed.count];
        if (!parse_field(item, field, err))
            goto failed;
        parsed.count++;
        for (size_t i = 0; i + 1 < parsed.count; i++)
            if (strcasecmp(parsed.fields[i].name, field->name) == 0) {
                failure_set(err, "invalid", "Field %s already exists in schema", field->name);
                goto failed;
            }
    }
    *out_schema = parsed;
    return true;

failed:
    store_schema_clear(&parsed);
    return false;
}

cJSON *store_schema_json(const struct store_schema *schema)
{
    cJSON *fields = cJSON_CreateArray();

    for (size_t i = 0; i < schema->count; i++) {
        const struct store_field *field = &schema->fields[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", field->name);
        cJSON_AddStringToObject(item, "type", store_type_rest(field->type));
        cJSON_AddStringToObject(item, "mode", field->required ? "REQUIRED" : "NULLABLE");
        if (field->length > 0)
            json_add_number(item, "maxLength", field->length);
        if (field->precision > 0)
            json_add_number(item, "precision", field->precision);
        if (field->scale > 0)
            json_add_number(item, "scale", field->scale);
        if (field->default_sql != NULL)
            cJSON_AddStringToObject(item, "defaultValueExpression", field->default_sql);
        cJSON_AddItemToArray(fields, item);
    }
    return fields;
}

void store_schema_clear(struct store_schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        free(schema->fields[i].name);
        free(schema->fields[i].default_sql);
    }
    free(schema->fields);
    *schema = (struct store_schema){0};
}

const struct store_field *store_schema_find(const struct store_schema *schema, const char *name)
{
    for (size_t i = 0; name != NULL && i < schema->count; i++)
        if (strcasecmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    return NULL;
}

static bool check_clustering(
    const cJSON *resource, const struct store_schema *schema, struct error *err)
{
    const cJSON *fields =
        cJSON_GetObjectItemCaseSensitive(json_at(resource, "clustering"), "fields");
    const cJSON *item;

    if (cJSON_GetArraySize(fields) > CLUSTER_MAX)
        return failure_set(err, "invalid", "Too many clustering columns: at most %d", CLUSTER_MAX);
    cJSON_ArrayForEach(item, fields)
    {
        const struct store_field *field = store_schema_find(schema, cJSON_GetStringValue(item));
        if (field == NULL)
            return failure_set(
                err, "invalid",
                "The field specified for clustering cannot be found in the schema. Invalid field: "
                "%.300s.",
                cJSON_GetStringValue(item));
        if (!types[field->type].clusters)
            return failure_set(
                err, "invalid", "Clustering is not supported on column %s of type %s", field->name,
                store_type_sql(field->type));
    }
    return true;
}

static bool check_primary_key(
    const cJSON *resource, const struct store_schema *schema, struct error *err)
{
    const cJSON *columns =
        json_at(json_at(json_at(resource, "tableConstraints"), "primaryKey"), "columns");
    const cJSON *item;

    if (cJSON_GetArraySize(columns) > PRIMARY_KEY_MAX)
        return failure_set(
            err, "invalid", "Too many primary key columns: at most %d", PRIMARY_KEY_MAX);
    cJSON_ArrayForEach(item, columns)
    {
        const struct store_field *field = store_schema_find(schema, cJSON_GetStringValue(item));
        if (field == NULL)
            return failure_set(
                err, "invalid", "Primary key column %.300s is not in the schema",
                cJSON_GetStringValue(item));
        if (!types[field->type].keys)
            return failure_set(
                err, "invalid", "Primary key column %s cannot be of type %s", field->name,
                store_type_sql(field->type));
    }
    return true;
}

/* 10,000 ranges at most ("Quotas and limits", partitioned tables). */
static bool check_range(const cJSON *range, struct error *err)
{
    double start = (double)json_number(range, "start", 0);
    double end = (double)json_number(range, "end", 0);
    double interval = (double)json_number(range, "interval", 1);

    return (start < end && interval >= 1 && (end - start) / interval <= 10000) ||
           failure_set(
               err, "invalid",
               "Range partitioning needs a start below its end, a positive interval, and at most "
               "10000 ranges");
}

static bool check_partitioning(
    const cJSON *resource, const struct store_schema *schema, struct error *err)
{
    const cJSON *time = json_at(resource, "timePartitioning");
    const cJSON *range = json_at(resource, "rangePartitioning");
    const char *name = json_text(time != NULL ? time : range, "field");

    if (time == NULL && range == NULL)
        return true;
    if (name == NULL) // by ingestion time
        return range == NULL || failure_set(err, "invalid", "Range partitioning needs a field");
    const struct store_field *field = store_schema_find(schema, name);
    if (field == NULL)
        return failure_set(
            err, "invalid",
            "The field specified for partitioning cannot be found in the schema. Invalid field: "
            "%.300s.",
            name);
    bool fits = range != NULL ? field->type == STORE_INT64
                              : field->type == STORE_DATE || field->type == STORE_TIMESTAMP ||
                                    field->type == STORE_DATETIME;
    if (!fits)
        return failure_set(
            err, "invalid", "The field specified for partitioning has an invalid type %s: %s",
            store_type_rest(field->type), field->name);
    return range == NULL || check_range(json_at(range, "range"), err);
}

static bool label_is_valid(const char *text, bool is_key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

    if (is_key && (text[0] & 0x80) == 0 && (text[0] < 'a' || text[0] > 'z'))
        return false;
    size_t characters = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if ((*at & 0x80) == 0 && strchr(letters, *at) == NULL)
            return false;
        characters += (*at & 0xC0) != 0x80;
    }
    return characters <= 63;
}

bool store_labels_check(const cJSON *labels, const char *where, struct error *err)
{
    const cJSON *label;

    if (cJSON_GetArraySize(labels) > LABELS_MAX)
        return failure_set(err, "invalid", "%s: at most %d labels are allowed", where, LABELS_MAX);
    cJSON_ArrayForEach(label, labels)
    {
        if (!label_is_valid(label->string, true))
            return failure_set(
                err, "invalid", "Invalid field \"%s\": the label key \"%.100s\" is not valid",
                where, label->string);
        if (!cJSON_IsNull(label) &&
            (!cJSON_IsString(label) || !label_is_valid(label->valuestring, false)))
            return failure_set(
                err, "invalid", "Invalid field \"%s\": the value of label %.100s is not valid",
                where, label->string);
    }
    return true;
}

/* A view has no rows to lay out, and no constraints. */
static bool check_view(const cJSON *resource, struct error *err)
{
    static const char *const of_tables[] = {
        "clustering",       "rangePartitioning", "requirePartitionFilter",
        "tableConstraints", "timePartitioning",
    };

    for (size_t i = 0; i < sizeof of_tables / sizeof of_tables[0]; i++)
        if (cJSON_HasObjectItem(resource, of_tables[i]))
            return failure_set(err, "invalid", "A view cannot have %s.", of_tables[i]);
    return true;
}

bool store_resource_check(cJSON *resource, struct error *err)
{
    cJSON *fields = cJSON_GetObjectItemCaseSensitive(json_at(resource, "schema"), "fields");
    struct store_schema schema = {0};
    cJSON *item;
    size_t index = 0;

    if (cJSON_HasObjectItem(resource, "materializedView"))
        return failure_set(err, "notImplemented", "bqlocal does not keep materialized views");
    if (store_is_view(resource) && !check_view(resource, err))
        return false;
    if (cJSON_HasObjectItem(resource, "externalDataConfiguration"))
        return failure_set(err, "notImplemented", "bqlocal does not keep external tables");
    if (!store_schema_parse(fields, &schema, err))
        return false;
    cJSON_ArrayForEach(item, fields)
    {
        cJSON *type = cJSON_CreateString(store_type_rest(schema.fields[index++].type));
        cJSON_ReplaceItemInObjectCaseSensitive(item, "type", type);
        // An empty list takes the tags away, as a system test of python-bigquery expects.
        const cJSON *tags = json_at(item, "policyTags");
        if (cJSON_GetArraySize(json_at(tags, "names")) == 0)
            cJSON_DeleteItemFromObjectCaseSensitive(item, "policyTags");
    }
    bool ok = check_clustering(resource, &schema, err) &&
              check_partitioning(resource, &schema, err) &&
              check_primary_key(resource, &schema, err);
    store_schema_clear(&schema);
    return ok;
}

static const cJSON *find_item(const cJSON *fields, const char *name)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, fields)
    {
        const char *other = json_text(item, "name");
        if (other != NULL && strcasecmp(other, name) == 0)
            return item;
    }
    return NULL;
}

static bool check_change(
    const struct store_field *old, const struct store_field *new, const char *where,
    struct error *err)
{
    if (old->type != new->type)
        return failure_set(
            err, "invalid",
            "Provided Schema does not match %s. Field %s has changed type from %s to %s", where,
            old->name, store_type_rest(old->type), store_type_rest(new->type));
    char names[2][LIMIT_TEXT_SIZE];
    if (!limit_is_wider(old, new))
        return failure_set(
            err, "invalid",
            "Provided Schema does not match %s. Field %s has changed type from %s to %s, which "
            "holds "
            "less",
            where, old->name, limit_type_name(old, names[0]), limit_type_name(new, names[1]));
    if (new->required && !old->required)
        return failure_set(
            err, "invalid",
            "Provided Schema does not match %s. Field %s has changed mode from NULLABLE to "
            "REQUIRED",
            where, old->name);
    return true;
}

bool store_fields_merge(
    const cJSON *old_fields, const cJSON *new_fields, const char *where, cJSON **out_fields,
    struct error *err)
{
    struct store_schema old = {0};
    struct store_schema new = {0};
    cJSON *merged = cJSON_CreateArray();
    bool ok = false;

    if (!store_schema_parse(old_fields, &old, err) || !store_schema_parse(new_fields, &new, err))
        goto cleanup;
    for (size_t i = 0; i < old.count; i++) {
        const struct store_field *field = store_schema_find(&new, old.fields[i].name);
        if (field == NULL) {
            failure_set(
                err, "invalid",
                "Provided Schema does not match %s. Field %s is missing in new schema", where,
                old.fields[i].name);
            goto cleanup;
        }
        if (!check_change(&old.fields[i], field, where, err))
            goto cleanup;
        cJSON_AddItemToArray(merged, cJSON_Duplicate(find_item(new_fields, field->name), true));
    }
    for (size_t i = 0; i < new.count; i++) {
        if (store_schema_find(&old, new.fields[i].name) != NULL)
            continue;
        if (new.fields[i].required && old.count > 0) {
            failure_set(
                err, "invalid",
                "Provided Schema does not match %s. Cannot add required fields to an existing "
                "schema. (field: %s)",
                where, new.fields[i].name);
            goto cleanup;
        }
        cJSON_AddItemToArray(
            merged, cJSON_Duplicate(find_item(new_fields, new.fields[i].name), true));
    }
    *out_fields = merged;
    merged = NULL;
    ok = true;

cleanup:
    cJSON_Delete(merged);
    store_schema_clear(&old);
    store_schema_clear(&new);
    return ok;
}
