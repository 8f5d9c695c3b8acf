/* property: what bqlocal does with each thing that a request may hold: members of its JSON, query
 * parameters, headers. Each is done, harmless for a reason, or refused by name; nothing is taken
 * silently. The tables (property_table.c) are made from Google's discovery document: one for each
 * schema that requests have, and one for the query parameters of each method. Pure; any thread. */
#ifndef BQLOCAL_HTTP_PROPERTY_H
#define BQLOCAL_HTTP_PROPERTY_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum property_treatment {
    PROPERTY_SCHEMA, /* no property: the name of a schema, whose properties follow */
    PROPERTY_DONE,
    PROPERTY_HARMLESS,
    PROPERTY_REFUSED, /* unless its value is what it means when it is absent: null, false, 0, empty
                       */
};

/* TEXT comes as a JSON string, INT64 is made one however it came, MAP has any members. COUNT and
 * COUNT64 are the numbers that Google's document calls uint32 and uint64. */
enum property_type {
    PROPERTY_TEXT,
    PROPERTY_INT64,
    PROPERTY_NUMBER,
    PROPERTY_COUNT,
    PROPERTY_COUNT64,
    PROPERTY_BOOL,
    PROPERTY_OBJECT,
    PROPERTY_LIST,
    PROPERTY_MAP,
    PROPERTY_ANY,
};

struct property {
    const char *name;
    enum property_treatment treatment;
    enum property_type type;
    const char *reason; /* of a harmless one */
    const char *schema; /* of the object, or of each object of the list; NULL: not looked into */
    const char *values; /* "done|done;refused|refused": all that the text, or each text of the list,
                           may be; NULL: anything */
};

/* All schemas: "Table", "tables.list", "headers" and so on; the last row has no name. */
extern const struct property property_rows[];

/* Which nulls of a body stand for something. */
enum property_nulls {
    PROPERTY_NULLS_ABSENT, /* none: what is null was not given */
    PROPERTY_NULLS_REMOVE, /* those of its members and of its maps: a patch removes them */
};

/* Checks a body of that schema and brings it into one shape: INT64 as strings, what is null (see
 * property_nulls) dropped. notImplemented (501) names what bqlocal does not do, badRequest what
 * BigQuery does not know, invalid a value that cannot be; accessDenied a project that is not this
 * one. */
MUST_CHECK bool property_check_body(
    const char *schema, const char *project, enum property_nulls nulls, cJSON *body,
    struct error *err);

/* Checks one query parameter of a method. */
MUST_CHECK bool property_check_parameter(
    const char *method, const char *name, const char *value, struct error *err);
/* Checks one header. Of those that are in no table only such as change what a request means are
 * refused: HTTP lets a server ignore the others (RFC 9110, section 5.1). */
MUST_CHECK bool property_check_header(const char *name, const char *value, struct error *err);

/* All tables as JSON, owned: {"Table": {"labels": {"treatment": "done"}, ...}, ...}. */
cJSON *property_describe(void);

#endif
