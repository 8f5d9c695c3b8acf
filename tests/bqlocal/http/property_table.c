/* What requests may hold, by Google's discovery document of BigQuery v2, revision 20261009, and
 * what bqlocal does with it. */
#include "bqlocal/http/property.h"

/* Why something has no effect. */
#define SET_BY_SERVER "the server sets it; a client sends it back as it got it"
#define USERS         "bqlocal has no users: it is kept and answered, and denies nobody anything"
#define USERS_JOBS    "bqlocal has no users: every job is everybody's"
#define PRICE         "it is about price, quota and reserved computers, of which bqlocal has none"
#define COLLATION     "kept and answered, so that a client can be tested on it; texts compare exactly"
#define PARTITIONS    "kept and answered, so that a client can be tested on it; no partition expires"
#define TRAVEL        "nothing looks back in time here: FOR SYSTEM_TIME is refused"
#define KEYS          "BigQuery keeps foreign keys and enforces none; so does bqlocal"
#define TIMEOUT       "a job here is done long before any limit that makes sense"
#define CACHE         "bqlocal caches no results"
#define LEGACY        "it is for legacy SQL, which is refused"
#define SUPERSET      "the answer has everything; a client reads what it asked for"
#define HIDDEN        "there are no hidden datasets"
#define ABSENT        "the list is empty: bqlocal does not have this feature"
#define PROJECTS      "there is one project"
#define PRETTY        "it is about white space"
#define HTTP          "HTTP itself, done by the server below"
#define AGAIN         "the job's reference says it too"
#define CALLER        "it says who calls or why, for logs"

/* Values that several have. */
#define ROUNDING   "ROUNDING_MODE_UNSPECIFIED|ROUND_HALF_AWAY_FROM_ZERO;ROUND_HALF_EVEN"
#define TIMESTAMPS "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED|FLOAT64|INT64|ISO8601_STRING"
#define WRITES     "WRITE_APPEND|WRITE_EMPTY|WRITE_TRUNCATE"
#define UPDATES    "UPDATE_MODE_UNSPECIFIED|UPDATE_FULL;UPDATE_METADATA|UPDATE_ACL"

#define DONE(name, type)             name, PROPERTY_DONE, PROPERTY_##type, NULL, NULL, NULL
#define HARMLESS(name, type, reason) name, PROPERTY_HARMLESS, PROPERTY_##type, reason, NULL, NULL
#define REFUSED(name, type)          name, PROPERTY_REFUSED, PROPERTY_##type, NULL, NULL, NULL
#define SERVER(name, type)           HARMLESS(name, type, SET_BY_SERVER)
#define INSIDE(name, schema)         name, PROPERTY_DONE, PROPERTY_OBJECT, NULL, schema, NULL
#define EACH(name, schema)           name, PROPERTY_DONE, PROPERTY_LIST, NULL, schema, NULL
#define ONE_OF(name, type, values)   name, PROPERTY_DONE, PROPERTY_##type, NULL, NULL, values
#define EACH_OF(name, values)        name, PROPERTY_DONE, PROPERTY_LIST, NULL, NULL, values
#define LABELS(name)                 name, PROPERTY_DONE, PROPERTY_MAP, NULL, "labels", NULL
#define PROJECT(name)                name, PROPERTY_DONE, PROPERTY_TEXT, NULL, "project", NULL

static const struct property Dataset[] = {
    {HARMLESS("access", LIST, USERS)},
    {SERVER("catalogSource", TEXT)},
    {SERVER("creationTime", INT64)},
    {INSIDE("datasetReference", "DatasetReference")},
    {HARMLESS("defaultCollation", TEXT, COLLATION)},
    {REFUSED("defaultEncryptionConfiguration", OBJECT)},
    {HARMLESS("defaultPartitionExpirationMs", INT64, PARTITIONS)},
    {ONE_OF("defaultRoundingMode", TEXT, ROUNDING)},
    {DONE("defaultTableExpirationMs", INT64)},
    {DONE("description", TEXT)},
    {SERVER("etag", TEXT)},
    {REFUSED("externalCatalogDatasetOptions", OBJECT)},
    {REFUSED("externalDatasetReference", OBJECT)},
    {DONE("friendlyName", TEXT)},
    {SERVER("id", TEXT)},
    {HARMLESS("isCaseInsensitive", BOOL, COLLATION)},
    {SERVER("kind", TEXT)},
    {LABELS("labels")},
    {SERVER("lastModifiedTime", INT64)},
    {SERVER("linkedDatasetMetadata", OBJECT)},
    {REFUSED("linkedDatasetSource", OBJECT)},
    {DONE("location", TEXT)},
    {HARMLESS("maxTimeTravelHours", INT64, TRAVEL)},
    {PROJECT("projectId")}, // not in the document: Google's Node client sends it
    {REFUSED("resourceTags", MAP)},
    {SERVER("restrictions", OBJECT)},
    {SERVER("satisfiesPzi", BOOL)},
    {SERVER("satisfiesPzs", BOOL)},
    {SERVER("selfLink", TEXT)},
    {HARMLESS("storageBillingModel", TEXT, PRICE)},
    {SERVER("tags", LIST)},
    {SERVER("type", TEXT)}};

static const struct property DatasetReference[] = {
    {DONE("datasetId", TEXT)}, {PROJECT("projectId")}};

static const struct property Table[] = {
    {REFUSED("biglakeConfiguration", OBJECT)},
    {SERVER("cloneDefinition", OBJECT)},
    {INSIDE("clustering", "Clustering")},
    {SERVER("creationTime", INT64)},
    {HARMLESS("defaultCollation", TEXT, COLLATION)},
    {ONE_OF("defaultRoundingMode", TEXT, ROUNDING)},
    {DONE("description", TEXT)},
    {REFUSED("encryptionConfiguration", OBJECT)},
    {SERVER("etag", TEXT)},
    {DONE("expirationTime", INT64)},
    {REFUSED("externalCatalogTableOptions", OBJECT)},
    {REFUSED("externalDataConfiguration", OBJECT)},
    {DONE("friendlyName", TEXT)},
    {SERVER("id", TEXT)},
    {SERVER("kind", TEXT)},
    {LABELS("labels")},
    {SERVER("lastModifiedTime", INT64)},
    {SERVER("location", TEXT)},
    {ONE_OF("managedTableType", TEXT, "MANAGED_TABLE_TYPE_UNSPECIFIED|NATIVE;BIGLAKE")},
    {REFUSED("materializedView", OBJECT)},
    {SERVER("materializedViewStatus", OBJECT)},
    {REFUSED("maxStaleness", TEXT)},
    {REFUSED("model", OBJECT)},
    {SERVER("numActiveLogicalBytes", INT64)},
    {SERVER("numActivePhysicalBytes", INT64)},
    {SERVER("numBytes", INT64)},
    {SERVER("numCurrentPhysicalBytes", INT64)},
    {SERVER("numLongTermBytes", INT64)},
    {SERVER("numLongTermLogicalBytes", INT64)},
    {SERVER("numLongTermPhysicalBytes", INT64)},
    {SERVER("numPartitions", INT64)},
    {SERVER("numPhysicalBytes", INT64)},
    {SERVER("numRows", INT64)},
    {SERVER("numTimeTravelPhysicalBytes", INT64)},
    {SERVER("numTotalLogicalBytes", INT64)},
    {SERVER("numTotalPhysicalBytes", INT64)},
    {REFUSED("partitionDefinition", OBJECT)},
    {INSIDE("rangePartitioning", "RangePartitioning")},
    {SERVER("replicas", LIST)},
    {DONE("requirePartitionFilter", BOOL)},
    {REFUSED("resourceTags", MAP)},
    {SERVER("restrictions", OBJECT)},
    {INSIDE("schema", "TableSchema")},
    {SERVER("selfLink", TEXT)},
    {SERVER("snapshotDefinition", OBJECT)},
    {SERVER("streamingBuffer", OBJECT)},
    {INSIDE("tableConstraints", "TableConstraints")},
    {INSIDE("tableReference", "TableReference")},
    {REFUSED("tableReplicationInfo", OBJECT)},
    {INSIDE("timePartitioning", "TimePartitioning")},
    {SERVER("type", TEXT)},
    {REFUSED("view", OBJECT)}};

static const struct property TableReference[] = {
    {DONE("datasetId", TEXT)}, {PROJECT("projectId")}, {DONE("tableId", TEXT)}};

static const struct property TableSchema[] = {
    {EACH("fields", "TableFieldSchema")}, {REFUSED("foreignTypeInfo", OBJECT)}};

static const struct property TableFieldSchema[] = {
    {REFUSED("categories", OBJECT)},
    {HARMLESS("collation", TEXT, COLLATION)},
    {REFUSED("dataGovernanceTagsInfo", OBJECT)},
    {REFUSED("dataPolicies", LIST)},
    {REFUSED("dataPolicyList", OBJECT)},
    {DONE("defaultValueExpression", TEXT)},
    {DONE("description", TEXT)},
    {REFUSED("fields", LIST)},
    {REFUSED("foreignTypeDefinition", TEXT)},
    {REFUSED("generatedColumn", OBJECT)},
    {DONE("maxLength", INT64)},
    {DONE("mode", TEXT)},
    {DONE("name", TEXT)},
    {HARMLESS("policyTags", OBJECT, USERS)},
    {DONE("precision", INT64)},
    {REFUSED("rangeElementType", OBJECT)},
    {ONE_OF("roundingMode", TEXT, ROUNDING)},
    {DONE("scale", INT64)},
    {ONE_OF("timestampPrecision", INT64, "6;12")},
    {DONE("type", TEXT)}};

static const struct property TimePartitioning[] = {
    {HARMLESS("expirationMs", INT64, PARTITIONS)},
    {DONE("field", TEXT)},
    {REFUSED("requirePartitionFilter", BOOL)},
    {ONE_OF("type", TEXT, "DAY|HOUR|MONTH|YEAR")}};

static const struct property RangePartitioning[] = {
    {DONE("field", TEXT)}, {INSIDE("range", "RangePartitioning.range")}};

static const struct property RangePartitioning_range[] = {
    {DONE("end", INT64)}, {DONE("interval", INT64)}, {DONE("start", INT64)}};

static const struct property Clustering[] = {{DONE("fields", LIST)}};

static const struct property TableConstraints[] = {
    {HARMLESS("foreignKeys", LIST, KEYS)}, {INSIDE("primaryKey", "TableConstraints.primaryKey")}};

static const struct property TableConstraints_primaryKey[] = {{DONE("columns", LIST)}};

static const struct property Job[] = {
    {INSIDE("configuration", "JobConfiguration")},
    {SERVER("etag", TEXT)},
    {SERVER("id", TEXT)},
    {SERVER("jobCreationReason", OBJECT)},
    {INSIDE("jobReference", "JobReference")},
    {SERVER("kind", TEXT)},
    {SERVER("principal_subject", TEXT)},
    {SERVER("selfLink", TEXT)},
    {SERVER("statistics", OBJECT)},
    {SERVER("status", OBJECT)},
    {SERVER("user_email", TEXT)}};

static const struct property JobReference[] = {
    {DONE("jobId", TEXT)}, {DONE("location", TEXT)}, {PROJECT("projectId")}};

static const struct property JobConfiguration[] = {
    {INSIDE("copy", "JobConfigurationTableCopy")},
    {DONE("dryRun", BOOL)},
    {REFUSED("extract", OBJECT)},
    {HARMLESS("jobTimeoutMs", INT64, TIMEOUT)},
    {SERVER("jobType", TEXT)},
    {LABELS("labels")},
    {INSIDE("load", "JobConfigurationLoad")},
    {HARMLESS("maxSlots", NUMBER, PRICE)},
    {INSIDE("query", "JobConfigurationQuery")},
    {HARMLESS("reservation", TEXT, PRICE)}};

static const struct property JobConfigurationLoad[] = {
    {DONE("allowJaggedRows", BOOL)},
    {DONE("allowQuotedNewlines", BOOL)},
    {REFUSED("autodetect", BOOL)},
    {INSIDE("clustering", "Clustering")},
    {ONE_OF("columnNameCharacterMap", TEXT, "COLUMN_NAME_CHARACTER_MAP_UNSPECIFIED|STRICT;V1|V2")},
    {REFUSED("connectionProperties", LIST)},
    {REFUSED("copyFilesOnly", BOOL)},
    {DONE("createDisposition", TEXT)},
    {REFUSED("createSession", BOOL)},
    {REFUSED("dateFormat", TEXT)},
    {REFUSED("datetimeFormat", TEXT)},
    {EACH_OF("decimalTargetTypes", "NUMERIC|BIGNUMERIC;STRING")},
    {REFUSED("destinationEncryptionConfiguration", OBJECT)},
    {INSIDE("destinationTable", "TableReference")},
    {INSIDE("destinationTableProperties", "DestinationTableProperties")},
    {ONE_OF("encoding", TEXT, "UTF-8;ISO-8859-1|UTF-16BE|UTF-16LE|UTF-32BE|UTF-32LE")},
    {DONE("fieldDelimiter", TEXT)},
    {ONE_OF(
        "fileSetSpecType", TEXT,
        "FILE_SET_SPEC_TYPE_FILE_SYSTEM_MATCH;FILE_SET_SPEC_TYPE_NEW_LINE_DELIMITED_MANIFEST")},
    {REFUSED("hivePartitioningOptions", OBJECT)},
    {DONE("ignoreUnknownValues", BOOL)},
    {ONE_OF("jsonExtension", TEXT, "JSON_EXTENSION_UNSPECIFIED;GEOJSON")},
    {HARMLESS("location", TEXT, AGAIN)}, // not in the document: Google's Node client sends it
    {REFUSED("maxBadRecords", NUMBER)},
    {DONE("nullMarker", TEXT)},
    {DONE("nullMarkers", LIST)},
    {REFUSED("parquetOptions", OBJECT)},
    {DONE("preserveAsciiControlCharacters", BOOL)},
    {REFUSED("projectionFields", LIST)},
    {DONE("quote", TEXT)},
    {INSIDE("rangePartitioning", "RangePartitioning")},
    {REFUSED("referenceFileSchemaUri", TEXT)},
    {INSIDE("schema", "TableSchema")},
    {REFUSED("schemaInline", TEXT)},
    {REFUSED("schemaInlineFormat", TEXT)},
    {EACH_OF("schemaUpdateOptions", "ALLOW_FIELD_ADDITION|ALLOW_FIELD_RELAXATION")},
    {DONE("skipLeadingRows", NUMBER)},
    {ONE_OF("sourceColumnMatch", TEXT, "SOURCE_COLUMN_MATCH_UNSPECIFIED;POSITION|NAME")},
    {ONE_OF("sourceFormat", TEXT, "AVRO|NEWLINE_DELIMITED_JSON;CSV|DATASTORE_BACKUP|PARQUET|ORC")},
    {REFUSED("sourceUris", LIST)},
    {REFUSED("timeFormat", TEXT)},
    {INSIDE("timePartitioning", "TimePartitioning")},
    {REFUSED("timeZone", TEXT)},
    {REFUSED("timestampFormat", TEXT)},
    {REFUSED("timestampTargetPrecision", LIST)},
    {DONE("useAvroLogicalTypes", BOOL)},
    {ONE_OF("writeDisposition", TEXT, WRITES "|WRITE_TRUNCATE_DATA")}};

static const struct property JobConfigurationQuery[] = {
    {HARMLESS("allowLargeResults", BOOL, LEGACY)},
    {INSIDE("clustering", "Clustering")},
    {REFUSED("connectionProperties", LIST)},
    {REFUSED("continuous", BOOL)},
    {DONE("createDisposition", TEXT)},
    {REFUSED("createSession", BOOL)},
    {INSIDE("defaultDataset", "DatasetReference")},
    {REFUSED("destinationEncryptionConfiguration", OBJECT)},
    {INSIDE("destinationTable", "TableReference")},
    {HARMLESS("flattenResults", BOOL, LEGACY)},
    {HARMLESS("maximumBillingTier", NUMBER, PRICE)},
    {DONE("maximumBytesBilled", INT64)},
    {ONE_OF("parameterMode", TEXT, "NAMED|POSITIONAL")},
    {REFUSED("preserveNulls", BOOL)},
    {ONE_OF("priority", TEXT, "INTERACTIVE|BATCH")},
    {DONE("query", TEXT)},
    {EACH("queryParameters", "QueryParameter")},
    {INSIDE("rangePartitioning", "RangePartitioning")},
    {REFUSED("schemaUpdateOptions", LIST)},
    {REFUSED("scriptOptions", OBJECT)},
    {REFUSED("secureContext", OBJECT)},
    {SERVER("systemVariables", OBJECT)},
    {REFUSED("tableDefinitions", MAP)},
    {INSIDE("timePartitioning", "TimePartitioning")},
    {DONE("useLegacySql", BOOL)},
    {HARMLESS("useQueryCache", BOOL, CACHE)},
    {REFUSED("userDefinedFunctionResources", LIST)},
    {ONE_OF("writeDisposition", TEXT, WRITES "|WRITE_TRUNCATE_DATA")},
    {REFUSED("writeIncrementalResults", BOOL)}};

static const struct property JobConfigurationTableCopy[] = {
    {DONE("createDisposition", TEXT)},
    {REFUSED("destinationEncryptionConfiguration", OBJECT)},
    {REFUSED("destinationExpirationTime", TEXT)},
    {INSIDE("destinationTable", "TableReference")},
    {ONE_OF("operationType", TEXT, "OPERATION_TYPE_UNSPECIFIED|COPY;SNAPSHOT|RESTORE|CLONE")},
    {INSIDE("sourceTable", "TableReference")},
    {EACH("sourceTables", "TableReference")},
    {ONE_OF("writeDisposition", TEXT, WRITES)}};

static const struct property DestinationTableProperties[] = {
    {DONE("description", TEXT)},
    {DONE("expirationTime", TEXT)},
    {DONE("friendlyName", TEXT)},
    {LABELS("labels")}};

static const struct property QueryRequest[] = {
    {REFUSED("arrowSerializationOptions", OBJECT)},
    {REFUSED("connectionProperties", LIST)},
    {REFUSED("continuous", BOOL)},
    {REFUSED("createSession", BOOL)},
    {INSIDE("defaultDataset", "DatasetReference")},
    {REFUSED("destinationEncryptionConfiguration", OBJECT)},
    {DONE("dryRun", BOOL)},
    {INSIDE("formatOptions", "DataFormatOptions")},
    {ONE_OF(
        "jobCreationMode", TEXT,
        "JOB_CREATION_MODE_UNSPECIFIED|JOB_CREATION_REQUIRED|JOB_CREATION_OPTIONAL")},
    {HARMLESS("jobTimeoutMs", INT64, TIMEOUT)},
    {SERVER("kind", TEXT)},
    {LABELS("labels")},
    {DONE("location", TEXT)},
    {DONE("maxResults", NUMBER)},
    {HARMLESS("maxSlots", NUMBER, PRICE)},
    {DONE("maximumBytesBilled", INT64)},
    {ONE_OF("parameterMode", TEXT, "NAMED|POSITIONAL")},
    {REFUSED("preserveNulls", BOOL)},
    {DONE("query", TEXT)},
    {EACH("queryParameters", "QueryParameter")},
    {ONE_OF("queryResultsFormat", TEXT, "QUERY_RESULTS_FORMAT_UNSPECIFIED|STRUCT_ENCODING;ARROW")},
    {DONE("requestId", TEXT)},
    {HARMLESS("reservation", TEXT, PRICE)},
    {REFUSED("secureContext", OBJECT)},
    {DONE("timeoutMs", NUMBER)},
    {DONE("useLegacySql", BOOL)},
    {HARMLESS("useQueryCache", BOOL, CACHE)},
    {REFUSED("writeIncrementalResults", BOOL)}};

static const struct property QueryParameter[] = {
    {DONE("name", TEXT)},
    {INSIDE("parameterType", "QueryParameterType")},
    {INSIDE("parameterValue", "QueryParameterValue")}};

static const struct property QueryParameterType[] = {
    {INSIDE("arrayType", "QueryParameterType")},
    {REFUSED("rangeElementType", OBJECT)},
    {REFUSED("structTypes", LIST)},
    {ONE_OF("timestampPrecision", INT64, "6;12")},
    {DONE("type", TEXT)}};

static const struct property QueryParameterValue[] = {
    {EACH("arrayValues", "QueryParameterValue")},
    {REFUSED("rangeValue", OBJECT)},
    {REFUSED("structValues", MAP)},
    {DONE("value", TEXT)}};

static const struct property DataFormatOptions[] = {
    {ONE_OF("timestampOutputFormat", TEXT, TIMESTAMPS)}, {DONE("useInt64Timestamp", BOOL)}};

/* Query parameters of methods; those of all methods are the last. */
static const struct property datasets_delete[] = {{DONE("deleteContents", BOOL)}};

static const struct property datasets_get[] = {
    {HARMLESS("accessPolicyVersion", NUMBER, USERS)}, {HARMLESS("datasetView", TEXT, SUPERSET)}};

static const struct property datasets_insert[] = {{HARMLESS("accessPolicyVersion", NUMBER, USERS)}};

static const struct property datasets_list[] = {
    {HARMLESS("all", BOOL, HIDDEN)},
    {REFUSED("filter", TEXT)},
    {DONE("maxResults", NUMBER)},
    {DONE("pageToken", TEXT)}};

static const struct property datasets_changed[] = {
    {HARMLESS("accessPolicyVersion", NUMBER, USERS)}, {ONE_OF("updateMode", TEXT, UPDATES)}};

/* Google's Python client sends a projection, which the discovery document does not have. */
static const struct property jobs_at_a_location[] = {
    {DONE("location", TEXT)}, {HARMLESS("projection", TEXT, SUPERSET)}};

static const struct property jobs_getQueryResults[] = {
    {ONE_OF("formatOptions.timestampOutputFormat", TEXT, TIMESTAMPS)},
    {DONE("formatOptions.useInt64Timestamp", BOOL)},
    {DONE("location", TEXT)},
    {DONE("maxResults", NUMBER)},
    {DONE("pageToken", TEXT)},
    {DONE("startIndex", INT64)},
    {DONE("timeoutMs", NUMBER)}};

static const struct property jobs_list[] = {
    {HARMLESS("allUsers", BOOL, USERS_JOBS)},
    {DONE("maxCreationTime", INT64)},
    {DONE("maxResults", NUMBER)},
    {DONE("minCreationTime", INT64)},
    {DONE("pageToken", TEXT)},
    {DONE("parentJobId", TEXT)},
    {HARMLESS("projection", TEXT, SUPERSET)},
    {DONE("stateFilter", TEXT)}};

static const struct property models_list[] = {
    {HARMLESS("maxResults", NUMBER, ABSENT)}, {HARMLESS("pageToken", TEXT, ABSENT)}};

static const struct property projects_list[] = {
    {HARMLESS("maxResults", NUMBER, PROJECTS)}, {HARMLESS("pageToken", TEXT, PROJECTS)}};

static const struct property routines_list[] = {
    {HARMLESS("filter", TEXT, ABSENT)},
    {HARMLESS("maxResults", NUMBER, ABSENT)},
    {HARMLESS("pageToken", TEXT, ABSENT)},
    {HARMLESS("readMask", TEXT, ABSENT)}};

static const struct property rowAccessPolicies_list[] = {
    {HARMLESS("pageSize", NUMBER, ABSENT)}, {HARMLESS("pageToken", TEXT, ABSENT)}};

static const struct property tabledata_list[] = {
    {ONE_OF("formatOptions.timestampOutputFormat", TEXT, TIMESTAMPS)},
    {DONE("formatOptions.useInt64Timestamp", BOOL)},
    {DONE("maxResults", NUMBER)},
    {DONE("pageToken", TEXT)},
    {DONE("selectedFields", TEXT)},
    {DONE("startIndex", INT64)}};

static const struct property tables_get[] = {
    {REFUSED("selectedFields", TEXT)}, {HARMLESS("view", TEXT, SUPERSET)}};

static const struct property tables_list[] = {
    {DONE("maxResults", NUMBER)}, {DONE("pageToken", TEXT)}};

static const struct property tables_changed[] = {{REFUSED("autodetect_schema", BOOL)}};

static const struct property parameters[] = {
    {HARMLESS("$.xgafv", TEXT, SUPERSET)},
    {REFUSED("access_token", TEXT)},
    {ONE_OF("alt", TEXT, "json;media|proto")},
    {REFUSED("callback", TEXT)},
    {HARMLESS("fields", TEXT, SUPERSET)},
    {HARMLESS("key", TEXT, PRICE)},
    {REFUSED("oauth_token", TEXT)},
    {HARMLESS("prettyPrint", BOOL, PRETTY)},
    {HARMLESS("quotaUser", TEXT, PRICE)},
    {DONE("uploadType", TEXT)},
    {DONE("upload_protocol", TEXT)}};

/* Of uploads, which the discovery document does not describe. */
static const struct property uploads[] = {
    {ONE_OF("uploadType", TEXT, "multipart|resumable")}, {DONE("upload_id", TEXT)}};

/* Those that change what a request means, and others that clients are known to send. */
static const struct property headers[] = {
    {HARMLESS("Accept", TEXT, "every answer is JSON")},
    {HARMLESS("Accept-Encoding", TEXT, "an answer that is not encoded fits every client")},
    {DONE("Authorization", TEXT)},
    {ONE_OF("Content-Encoding", TEXT, "gzip|identity;deflate|br|zstd|compress")},
    {HARMLESS("Content-Length", INT64, HTTP)},
    {DONE("Content-Range", TEXT)},
    {DONE("Content-Type", TEXT)},
    {HARMLESS("Expect", TEXT, HTTP)},
    {DONE("Host", TEXT)},
    {DONE("If-Match", TEXT)},
    {REFUSED("If-Modified-Since", TEXT)},
    {REFUSED("If-None-Match", TEXT)},
    {REFUSED("If-Unmodified-Since", TEXT)},
    {REFUSED("Range", TEXT)},
    {HARMLESS("Transfer-Encoding", TEXT, HTTP)},
    {HARMLESS("User-Agent", TEXT, CALLER)},
    {DONE("X-GUploader-No-308", TEXT)},
    {HARMLESS("X-Goog-Api-Client", TEXT, CALLER)},
    {HARMLESS("X-Goog-Api-Format-Version", NUMBER, SUPERSET)},
    {HARMLESS("X-Goog-Gcs-Idempotency-Token", TEXT, CALLER)},
    {HARMLESS("X-Goog-Otel-Enabled", TEXT, CALLER)},
    {HARMLESS("X-Goog-Request-Params", TEXT, CALLER)},
    {HARMLESS("X-Goog-Request-Reason", TEXT, CALLER)},
    {HARMLESS("X-Goog-User-Project", TEXT, PRICE)},
    {ONE_OF("X-HTTP-Method-Override", TEXT, "PATCH|PUT|DELETE;GET")},
    {HARMLESS("X-Upload-Content-Length", INT64, "the upload's own requests say it again")},
    {HARMLESS("X-Upload-Content-Value", TEXT, "the job's sourceFormat says what the media is")},
    {HARMLESS("X-Upload-Content-Type", TEXT, "the job's sourceFormat says what the media is")}};

#define SCHEMA(name, rows) name, rows, sizeof(rows) / sizeof *(rows)

const struct property_schema property_schemas[] = {
    {SCHEMA("Dataset", Dataset)},
    {SCHEMA("DatasetReference", DatasetReference)},
    {SCHEMA("Table", Table)},
    {SCHEMA("TableReference", TableReference)},
    {SCHEMA("TableSchema", TableSchema)},
    {SCHEMA("TableFieldSchema", TableFieldSchema)},
    {SCHEMA("TimePartitioning", TimePartitioning)},
    {SCHEMA("RangePartitioning", RangePartitioning)},
    {SCHEMA("RangePartitioning.range", RangePartitioning_range)},
    {SCHEMA("Clustering", Clustering)},
    {SCHEMA("TableConstraints", TableConstraints)},
    {SCHEMA("TableConstraints.primaryKey", TableConstraints_primaryKey)},
    {SCHEMA("Job", Job)},
    {SCHEMA("JobReference", JobReference)},
    {SCHEMA("JobConfiguration", JobConfiguration)},
    {SCHEMA("JobConfigurationLoad", JobConfigurationLoad)},
    {SCHEMA("JobConfigurationQuery", JobConfigurationQuery)},
    {SCHEMA("JobConfigurationTableCopy", JobConfigurationTableCopy)},
    {SCHEMA("DestinationTableProperties", DestinationTableProperties)},
    {SCHEMA("QueryRequest", QueryRequest)},
    {SCHEMA("QueryParameter", QueryParameter)},
    {SCHEMA("QueryParameterType", QueryParameterType)},
    {SCHEMA("QueryParameterValue", QueryParameterValue)},
    {SCHEMA("DataFormatOptions", DataFormatOptions)},
    {SCHEMA("datasets.delete", datasets_delete)},
    {SCHEMA("datasets.get", datasets_get)},
    {SCHEMA("datasets.insert", datasets_insert)},
    {SCHEMA("datasets.list", datasets_list)},
    {SCHEMA("datasets.patch", datasets_changed)},
    {SCHEMA("datasets.update", datasets_changed)},
    {SCHEMA("jobs.cancel", jobs_at_a_location)},
    {SCHEMA("jobs.delete", jobs_at_a_location)},
    {SCHEMA("jobs.get", jobs_at_a_location)},
    {SCHEMA("jobs.getQueryResults", jobs_getQueryResults)},
    {SCHEMA("jobs.list", jobs_list)},
    {SCHEMA("models.list", models_list)},
    {SCHEMA("projects.list", projects_list)},
    {SCHEMA("routines.list", routines_list)},
    {SCHEMA("rowAccessPolicies.list", rowAccessPolicies_list)},
    {SCHEMA("tabledata.list", tabledata_list)},
    {SCHEMA("tables.get", tables_get)},
    {SCHEMA("tables.list", tables_list)},
    {SCHEMA("tables.patch", tables_changed)},
    {SCHEMA("tables.update", tables_changed)},
    {SCHEMA("parameters", parameters)},
    {SCHEMA("headers", headers)},
    {SCHEMA("uploads", uploads)},
    {NULL, NULL, 0}};
