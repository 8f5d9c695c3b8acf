#include "bqlocal/jobs/job_check.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JOB_ID_MAX 1024

/* Options of CSV files; BigQuery refuses them for other formats. */
static const char *const csv_options[] = {
    "fieldDelimiter", "quote",       "allowJaggedRows", "allowQuotedNewlines",
    "nullMarker",     "nullMarkers", "skipLeadingRows", "preserveAsciiControlCharacters",
};

static bool check_id(const cJSON *body, struct error *err)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *id = json_text(json_at(body, "jobReference"), "jobId");

    if (id == NULL)
        return true;
    size_t length = strlen(id);
    if (length == 0 || length > JOB_ID_MAX || strspn(id, letters) != length)
        return failure_set(
            err, "invalid",
            "Invalid job ID \"%.100s\". Job IDs must be alphanumeric (plus underscores and dashes) "
            "and must be at most 1024 characters long.",
            id);
    return true;
}

static bool find_kind(const cJSON *configuration, enum job_kind *out_kind, struct error *err)
{
    static const struct {
        const char *key;
        enum job_kind kind;
    } kinds[] = {{"load", JOB_LOAD}, {"query", JOB_QUERY}, {"copy", JOB_COPY}};
    int found = 0;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (cJSON_IsObject(json_at(configuration, kinds[i].key))) {
            *out_kind = kinds[i].kind;
            found++;
        }
    if (json_at(configuration, "extract") != NULL)
        return failure_set(err, "notImplemented", "bqlocal runs no extract jobs");
    if (found != 1)
        return failure_set(
            err, "required",
            "Job configuration must contain exactly one job-specific "
            "configuration object (e.g., query, load, extract, spark), but there "
            "were %d",
            found);
    return true;
}

static bool has_update_options(const cJSON *load)
{
    return cJSON_GetArraySize(json_at(load, "schemaUpdateOptions")) > 0;
}

/* Clients send some options empty instead of leaving them out. */
static bool is_set(const cJSON *options, const char *key)
{
    const cJSON *item = json_at(options, key);
    bool empty = item == NULL || cJSON_IsNull(item) || cJSON_IsFalse(item) ||
                 (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 0) ||
                 (cJSON_IsString(item) && item->valuestring[0] == '\0') ||
                 (cJSON_IsNumber(item) && item->valuedouble == 0);

    return !empty;
}

static bool check_load(const cJSON *load, bool has_media, struct error *err)
{
    const char *format = json_text(load, "sourceFormat");
    const char *disposition = json_text(load, "writeDisposition");
    const cJSON *schema = json_at(load, "schema");
    const cJSON *fields = json_at(schema, "fields");

    if (!has_media)
        return failure_set(
            err,
            cJSON_GetArraySize(json_at(load, "sourceUris")) > 0 ? "notImplemented" : "required",
            "bqlocal loads uploaded media only, no sourceUris");
    if (format == NULL ||
        (strcmp(format, "AVRO") != 0 && strcmp(format, "NEWLINE_DELIMITED_JSON") != 0))
        return failure_set(
            err, "notImplemented", "bqlocal does not load the format %.40s",
            format == NULL ? "CSV" : format);
    for (size_t i = 0; i < sizeof csv_options / sizeof csv_options[0]; i++)
        if (is_set(load, csv_options[i]))
            return failure_set(err, "invalid", "Only CSV imports may specify %s", csv_options[i]);
    if (schema != NULL && cJSON_GetArraySize(fields) == 0)
        return failure_set(err, "invalid", "Empty schema specified.");
    if (has_update_options(load) && disposition != NULL &&
        strcmp(disposition, "WRITE_APPEND") != 0 && strcmp(disposition, "WRITE_TRUNCATE_DATA") != 0)
        return failure_set(
            err, "invalid",
            "Schema update options should only be specified with WRITE_APPEND disposition, or with "
            "WRITE_TRUNCATE disposition on a table partition.");
    return true;
}

static bool check_query(const cJSON *query, struct error *err)
{
    const char *text = json_text(query, "query");

    if (text == NULL || text[0] == '\0')
        return failure_set(err, "required", "Required parameter is missing: query");
    // Legacy SQL is BigQuery's default: a client that forgets the flag gets an error.
    if (json_bool(query, "useLegacySql", true))
        return failure_set(
            err, "notImplemented",
            "bqlocal does not understand legacy SQL, which is the default: send "
            "\"useLegacySql\": false");
    return true;
}

static bool check_disposition(const cJSON *part, bool truncate_data, struct error *err)
{
    static const char *const writes[] = {
        "WRITE_APPEND",
        "WRITE_TRUNCATE",
        "WRITE_EMPTY",
        "WRITE_TRUNCATE_DATA",
    };
    const char *create = json_text(part, "createDisposition");
    const char *write = json_text(part, "writeDisposition");
    bool known = write == NULL;

    for (size_t i = 0; i < (truncate_data ? 4U : 3U); i++)
        known = known || strcmp(write, writes[i]) == 0;
    if (!known)
        return failure_set(
            err, "invalid", "Invalid value for writeDisposition: %.60s is not a valid value",
            write);
    if (create != NULL && strcmp(create, "CREATE_IF_NEEDED") != 0 &&
        strcmp(create, "CREATE_NEVER") != 0)
        return failure_set(
            err, "invalid", "Invalid value for createDisposition: %.60s is not a valid value",
            create);
    return true;
}

/* Where the dataset is, owned; NULL for none that is named. */
static bool dataset_location(
    const struct jobs *jobs, const char *dataset, char **out_location, struct error *err)
{
    cJSON *resource = NULL;

    if (dataset == NULL)
        return true;
    if (!store_dataset_get(jobs->store, dataset, &resource, err))
        return false;
    *out_location = strdup(json_text(resource, "location"));
    cJSON_Delete(resource);
    return true;
}

static bool check_location(
    const struct jobs *jobs, const cJSON *body, const char *dataset, char **out_location,
    struct error *err)
{
    const char *wanted = json_text(json_at(body, "jobReference"), "location");
    char *location = NULL;

    if (wanted != NULL && wanted[0] == '\0')
        wanted = NULL;
    if (!dataset_location(jobs, dataset, &location, err))
        return false;
    if (wanted != NULL && location != NULL && strcasecmp(wanted, location) != 0) {
        free(location);
        return failure_set(
            err, "notFound", "Not found: Dataset %s:%s was not found in location %.60s",
            jobs->store->project, dataset, wanted);
    }
    if (location == NULL)
        location = strdup(wanted == NULL ? jobs->settings.location : wanted);
    *out_location = location;
    return true;
}

bool job_check_configuration(
    const cJSON *body, bool has_media, enum job_kind *out_kind, struct error *err)
{
    const cJSON *configuration = json_at(body, "configuration");

    if (!check_id(body, err) || !find_kind(configuration, out_kind, err))
        return false;
    const cJSON *part = json_at(configuration, job_kind_name(*out_kind));
    const cJSON *destination = json_at(part, "destinationTable");
    if (!check_disposition(part, *out_kind != JOB_COPY, err))
        return false;
    if (*out_kind == JOB_QUERY)
        return check_query(part, err);
    // BigQuery leaves open what it does then.
    if (json_bool(configuration, "dryRun", false))
        return failure_set(err, "notImplemented", "bqlocal has dry runs of queries alone");
    if (json_text(destination, "datasetId") == NULL || json_text(destination, "tableId") == NULL)
        return failure_set(err, "required", "Required parameter is missing: destinationTable");
    return *out_kind != JOB_LOAD || check_load(part, has_media, err);
}

/* The dataset whose location is the job's: the destination's, or the default one; NULL if the
 * text of the query alone tells it. */
static const char *dataset_of(enum job_kind kind, const cJSON *part)
{
    const char *dataset = json_text(json_at(part, "destinationTable"), "datasetId");

    return dataset == NULL && kind == JOB_QUERY
               ? json_text(json_at(part, "defaultDataset"), "datasetId")
               : dataset;
}

/* Where the datasets are that a query names, owned; NULL if it names none that exists. */
static char *location_of_query(const struct jobs *jobs, const cJSON *query)
{
    struct sql_request request = {
        .text = json_text(query, "query"),
        .parameters = json_at(query, "queryParameters"),
        .dry_run = true,
    };
    struct sql_result result = {0};
    struct error ignored;

    if (!sql_run(jobs->store, &request, &result, &ignored))
        return NULL;
    char *location = result.location;
    result.location = NULL;
    sql_result_clear(jobs->store, &result);
    return location;
}

bool job_check(
    const struct jobs *jobs, const cJSON *body, bool has_media, enum job_kind *out_kind,
    char **out_location, struct error *err)
{
    const cJSON *configuration = json_at(body, "configuration");

    if (!job_check_configuration(body, has_media, out_kind, err))
        return false;
    const cJSON *part = json_at(configuration, job_kind_name(*out_kind));
    const char *dataset = dataset_of(*out_kind, part);
    const char *wanted = json_text(json_at(body, "jobReference"), "location");
    if (*out_kind == JOB_QUERY && dataset == NULL && (wanted == NULL || wanted[0] == '\0'))
        *out_location = location_of_query(jobs, part);
    return *out_location != NULL || check_location(jobs, body, dataset, out_location, err);
}
