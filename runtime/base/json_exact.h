/* json_exact: 64-bit integers in JSON. cJSON keeps a number as a double, which loses the last
 * digits of ids beyond 2^53, so that integers are raw items here: their text is printed as it is.
 * All documents that bqsync prints, stores or reads back go through this. Pure. */
#ifndef BQSYNC_BASE_JSON_EXACT_H
#define BQSYNC_BASE_JSON_EXACT_H

#include <cjson/cJSON.h>
#include <stdint.h>

/* Adds a member; without memory it is missing, as with cJSON's own functions. */
void json_add_int64(cJSON *object, const char *name, int64_t value);
/* An item for cJSON_ReplaceItemInObject and arrays, owned; NULL without memory. */
cJSON *json_int64(int64_t value);
/* The integer of an item of either kind; fallback if it is none. */
int64_t json_int64_of(const cJSON *item, int64_t fallback);

/* Parses a document whose numbers print again as they were written. Owned; NULL if it is not JSON,
 * or without memory. */
cJSON *json_parse_exact(const char *text);

#endif
