/* store_internal: what the store's own files share. */
#ifndef BQLOCAL_STORE_STORE_INTERNAL_H
#define BQLOCAL_STORE_STORE_INTERNAL_H

#include "bqlocal/store/store.h"

/* SQLite has no tables without columns: such a table gets this one. */
#define STORE_NO_COLUMNS "_bqlocal_no_columns"

/* The condition for the row of one table (?1, ?2) in bqlocal_tables: in a case-insensitive dataset
 * its name may be written in any case. */
#define STORE_THE_TABLE                                                                            \
    " dataset = ?1 and (name = ?2 or (name = ?2 collate nocase and exists(select 1 from"           \
    " bqlocal_datasets d where d.name = ?1 and json_extract(d.resource, '$.isCaseInsensitive'))))"

/* What is stored of a table: the resource as it was given (owned by the caller) and the facts. */
struct store_record {
    char *name; /* as it was given when the table was made; owned */
    cJSON *resource;
    int64_t version;
    int64_t created_ms;
    int64_t modified_ms;
    int64_t discarded_rows;
    int64_t modification_day; /* days since 1970 */
    int64_t modifications;    /* on that day */
};

/* notFound if the dataset or the table is not there; a table past its expirationTime is dropped. */
MUST_CHECK bool store_record_read(
    struct store *store, const char *dataset, const char *table, struct store_record *out_record,
    struct error *err);
bool store_is_view(const cJSON *resource);
void store_record_clear(struct store_record *record);
/* Drops the rows and the record. */
MUST_CHECK bool store_record_delete(
    struct store *store, const char *dataset, const char *table, struct error *err);
/* Milliseconds of a resource's expirationTime, 0 if there is none or it is not a number. */
int64_t store_expiration(const cJSON *resource);
/* Drops every table whose expirationTime has passed; does nothing while the writer works, so
 * readers have to leave such tables out. */
MUST_CHECK bool store_expire(struct store *store, struct error *err);
/* Writes resource and expiration back with a new version. */
MUST_CHECK bool store_record_write(
    struct store *store, const char *dataset, const char *table, const cJSON *resource,
    struct error *err);

/* Checks a Table resource (names, types, clustering, partitioning, key) and rewrites its type names
 * to REST's old ones. */
MUST_CHECK bool store_resource_check(cJSON *resource, struct error *err);

/* Checks that the new fields may take the place of the old ones by a patch, and returns owned the
 * resulting array: the old ones in their order, then the new ones. where: "Table p:d.t". */
MUST_CHECK bool store_fields_merge(
    const cJSON *old_fields, const cJSON *new_fields, const char *where, cJSON **out_fields,
    struct error *err);

/* Makes the SQLite table, or rebuilds it from one schema to another. */
MUST_CHECK bool store_rows_create(
    struct store *store, const char *dataset, const char *table, const struct store_schema *schema,
    struct error *err);
MUST_CHECK bool store_rows_rebuild(
    struct store *store, const char *dataset, const char *table, const struct store_schema *from,
    const struct store_schema *to, struct error *err);

#endif
