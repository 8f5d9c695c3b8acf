/* store_routine: the routines of a dataset, of which bqlocal has table functions. A resource is as
 * in REST: routineType, language, arguments, definitionBody, description. Their names are apart
 * from those of tables. Callers are inside of the monitor. */
#ifndef BQLOCAL_STORE_STORE_ROUTINE_H
#define BQLOCAL_STORE_STORE_ROUTINE_H

#include "bqlocal/store/store_database.h"

/* With etag, routineReference, creationTime and lastModifiedTime; owned. notFound if the dataset or
 * the routine is not there. */
MUST_CHECK bool store_routine_get(
    struct store *store, const char *dataset, const char *name, cJSON **out_resource,
    struct error *err);
/* The resources of a dataset's routines in order of name, as an array, owned. */
MUST_CHECK bool store_routine_list(
    struct store *store, const char *dataset, cJSON **out_resources, struct error *err);
/* Makes a routine, or gives one that is there the resource and a new version. */
MUST_CHECK bool store_routine_put(
    struct store *store, const char *dataset, const char *name, const cJSON *resource,
    struct error *err);
MUST_CHECK bool store_routine_delete(
    struct store *store, const char *dataset, const char *name, struct error *err);

#endif
