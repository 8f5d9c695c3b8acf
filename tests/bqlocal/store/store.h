/* store: what bqlocal keeps, in one SQLite database: datasets, tables with their schema, and rows.
 * Callers are inside of the monitor. It knows nothing of HTTP, jobs or GoogleSQL.
 *
 * A view is a table whose resource has `view`; it has no rows. A BigQuery table `d.t` is the SQLite
 * table "d.t"; its columns carry BigQuery's names, in schema order, without declared types. How
 * values are stored (struct store_field.type tells which): INT64 INTEGER · FLOAT64 REAL, but NaN is
 * the text 'NaN' · BOOL INTEGER 0/1 · STRING TEXT · BYTES BLOB · NUMERIC, BIGNUMERIC TEXT: plain
 * decimal, no exponent, no trailing zeros of a fraction, no "-0" · DATE INTEGER days since
 * 1970-01-01 · TIME INTEGER microseconds since midnight · DATETIME, TIMESTAMP INTEGER microseconds
 * since 1970-01-01 · JSON TEXT, normalised as BigQuery does: no white space, object keys sorted,
 * the first of duplicate keys · GEOGRAPHY TEXT: the WKT as it came, which BigQuery would parse and
 * write in a normal form. */
#ifndef BQLOCAL_STORE_STORE_H
#define BQLOCAL_STORE_STORE_H

#include "bqlocal/store/store_database.h"

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_type {
    STORE_INT64,
    STORE_FLOAT64,
    STORE_BOOL,
    STORE_STRING,
    STORE_BYTES,
    STORE_NUMERIC,
    STORE_BIGNUMERIC,
    STORE_DATE,
    STORE_TIME,
    STORE_DATETIME,
    STORE_TIMESTAMP,
    STORE_JSON,
    STORE_GEOGRAPHY,
};

struct store_field {
    char *name;
    enum store_type type;
    bool required;
    bool ignores_case; /* has the collation und:ci */
    int64_t length;    /* of STRING(n) and BYTES(n), 0: any */
    int precision;     /* of NUMERIC(p, s) and BIGNUMERIC(p, s), 0: any */
    int scale;
    char *default_sql; /* defaultValueExpression, NULL if none */
};

struct store_schema {
    struct store_field *fields;
    size_t count;
};

/* "INTEGER" and "INT64" and so on to a type; false if unknown. */
bool store_type_parse(const char *text, enum store_type *out_type);
/* GoogleSQL's name ("INT64") and REST's old name ("INTEGER") of a type; static. */
const char *store_type_sql(enum store_type type);
const char *store_type_rest(enum store_type type);

/* Errors carry Google's reason in err->reason and its HTTP status in err->http_status: notFound 404
 * ("Not found: Table p:d.t was not found in location US"), duplicate 409 ("Already Exists: Table
 * p:d.t"), invalid 400. */

bool store_dataset_exists(struct store *store, const char *dataset);
/* All Dataset resources in order of name, as an array, owned. */
MUST_CHECK bool store_dataset_list(struct store *store, cJSON **out_resources, struct error *err);
/* resource: the datasets.insert body; kept and given back by get. */
MUST_CHECK bool store_dataset_insert(
    struct store *store, const char *dataset, const cJSON *resource, struct error *err);
MUST_CHECK bool store_dataset_get(
    struct store *store, const char *dataset, cJSON **out_resource, struct error *err);
/* Top-level keys replace, null removes, labels merge by key. */
MUST_CHECK bool store_dataset_patch(
    struct store *store, const char *dataset, const cJSON *patch, struct error *err);
MUST_CHECK bool store_dataset_delete(
    struct store *store, const char *dataset, bool with_contents, struct error *err);

/* The Table resource as tables.get answers (owned), with numRows, etag, creationTime,
 * lastModifiedTime. Tables past their expirationTime are gone. */
MUST_CHECK bool store_table_get(
    struct store *store, const char *dataset, const char *table, cJSON **out_resource,
    struct error *err);
/* The resources of a dataset's tables in order of name, as an array, owned; without numRows. */
MUST_CHECK bool store_table_list(
    struct store *store, const char *dataset, cJSON **out_resources, struct error *err);
/* resource: a Table resource (schema.fields, clustering, labels, ...); creates the SQLite table,
 * which a view (with `view`, and its columns in `schema`) does not have. */
MUST_CHECK bool store_table_insert(
    struct store *store, const char *dataset, const char *table, const cJSON *resource,
    struct error *err);
/* invalid unless the Table resource of store_table_get is of that type, "TABLE" or "VIEW". */
MUST_CHECK bool store_table_check_type(const cJSON *resource, const char *type, struct error *err);
/* The stored resource of a view, owned, NULL if the table is none; notFound as store_table_get. */
MUST_CHECK bool store_view_get(
    struct store *store, const char *dataset, const char *table, cJSON **out_resource,
    struct error *err);
/* Merges as tables.patch does: top-level keys replace, null removes, labels merge by key. A schema
 * may add NULLABLE columns at the end and relax REQUIRED; anything else is refused as BigQuery
 * does. */
MUST_CHECK bool store_table_patch(
    struct store *store, const char *dataset, const char *table, const cJSON *patch,
    struct error *err);
MUST_CHECK bool store_table_delete(
    struct store *store, const char *dataset, const char *table, struct error *err);
/* Replaces the stored resource and rebuilds the SQLite table where columns were dropped or retyped
 * (ALTER TABLE); rows stay. */
MUST_CHECK bool store_table_alter(
    struct store *store, const char *dataset, const char *table, const cJSON *resource,
    struct error *err);

/* Notes that rows changed: a new lastModifiedTime and etag. counts_as_modification: whether the
 * change counts against the daily table modifications (loads and copies do, DML does not). */
void store_table_touch(
    struct store *store, const char *dataset, const char *table, bool counts_as_modification);
/* Rows that were accepted and forgotten (--discard); numRows includes them. replace: they take the
 * place of those noted so far. */
void store_table_note_discarded(
    struct store *store, const char *dataset, const char *table, int64_t rows, bool replace);

/* The schema of an existing table that has rows; the caller clears it. Of a view: invalid. */
MUST_CHECK bool store_schema(
    struct store *store, const char *dataset, const char *table, struct store_schema *out_schema,
    struct error *err);
/* The same from a REST schema object or an array of fields. */
MUST_CHECK bool store_schema_parse(
    const cJSON *schema, struct store_schema *out_schema, struct error *err);
/* Back to an array of REST fields (old type names, mode), owned. */
cJSON *store_schema_json(const struct store_schema *schema);
/* Labels: at most 64; keys begin with a lower-case letter; keys and values have lower-case letters,
 * digits, _ and -, at most 63 ("Requirements for labels", Google Cloud documentation). */
MUST_CHECK bool store_labels_check(const cJSON *labels, const char *where, struct error *err);
void store_schema_clear(struct store_schema *schema);
/* The field of that name, in any case; NULL: none has it. */
const struct store_field *store_schema_find(const struct store_schema *schema, const char *name);

#endif
