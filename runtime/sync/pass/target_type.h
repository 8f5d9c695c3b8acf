/* target_type: types in BigQuery's answers: what a column has and may become, and what stands in
 * the place of a table. Pure; any thread may call it. */
#ifndef BQSYNC_SYNC_PASS_TARGET_TYPE_H
#define BQSYNC_SYNC_PASS_TARGET_TYPE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* The name by which definitions know the type: "INT64" for "INTEGER". Borrowed or static. */
const char *target_type_standard(const char *type);

/* Whether a column may get the other type without losing a value. Both are standard names. */
bool target_type_may_widen(const char *from, const char *to);

/* STRING(5), NUMERIC(5, 1) and the like: our definitions have no such limits. */
bool target_type_has_limits(const cJSON *field);

/* What stands under a name where only a table can be written. */
struct target_type_other {
    const char *type;
    const char *what; /* "a view" */
    const char *kind; /* "view", as in `drop view`; NULL: not known */
};

/* What the resource of tables.get is, if it is no table. One whose answer does not say so is a
 * table. */
bool target_type_is_other(const cJSON *live, struct target_type_other *out_other);

#endif
