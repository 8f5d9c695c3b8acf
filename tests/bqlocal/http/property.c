#include "bqlocal/http/property.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where the walk is. */
struct walk {
    const char *project;
    enum property_nulls nulls;
    struct error *err;
    char path[400]; /* "configuration.load" */
};

static const struct property *find_property(const char *schema, const char *name)
{
    // The names of headers are the only ones that may be written in any case.
    bool any_case = strcmp(schema, "headers") == 0;
    bool inside = false;

    for (const struct property *row = property_rows; row->name != NULL; row++)
        if (row->treatment == PROPERTY_SCHEMA)
            inside = strcmp(row->name, schema) == 0;
        else if (inside && (any_case ? strcasecmp(row->name, name) : strcmp(row->name, name)) == 0)
            return row;
    return NULL;
}

/* Whether one of the words between the bars is the text. */
static bool has_word(const char *words, const char *end, const char *text)
{
    size_t length = strlen(text);

    while (words < end) {
        size_t size = strcspn(words, "|;");
        if (size == length && strncasecmp(words, text, length) == 0)
            return true;
        words += size + 1;
    }
    return false;
}

static bool refuse(struct error *err, const char *what, const char *value)
{
    return failure_set(
        err, "notImplemented", "bqlocal does not do %s%s%.100s", what, value == NULL ? "" : ": ",
        value == NULL ? "" : value);
}

static bool bad_value(struct error *err, const char *what, const char *value)
{
    return failure_set(
        err, "invalid", "Invalid value for %s: %.100s is not a valid value", what, value);
}

static bool check_word(
    const struct property *property, const char *what, const char *value, struct error *err)
{
    if (property->values == NULL || value[0] == '\0')
        return true;
    const char *end = property->values + strlen(property->values);
    const char *refused = strchr(property->values, ';');
    if (has_word(property->values, refused == NULL ? end : refused, value))
        return true;
    return refused != NULL && has_word(refused + 1, end, value) ? refuse(err, what, value)
                                                                : bad_value(err, what, value);
}

/* What a property means when it is not there. */
static bool is_empty(const cJSON *item)
{
    int64_t number;

    if (cJSON_IsString(item))
        return item->valuestring[0] == '\0' ||
               (value_parse_int64(slice_of(item->valuestring), &number) && number == 0) ||
               strcasecmp(item->valuestring, "false") == 0;
    return cJSON_IsNull(item) || cJSON_IsFalse(item) ||
           (cJSON_IsNumber(item) && item->valuedouble == 0) ||
           ((cJSON_IsArray(item) || cJSON_IsObject(item)) && item->child == NULL);
}

/* Puts text into the item in place of what it was. */
static void become_text(cJSON *item, const char *text)
{
    cJSON *fresh = cJSON_CreateString(text);

    if (fresh == NULL)
        return;
    cJSON_Delete(item->child);
    free(item->valuestring);
    item->child = NULL;
    item->type = cJSON_String;
    item->valuestring = fresh->valuestring;
    fresh->valuestring = NULL;
    cJSON_Delete(fresh);
}

static bool wrong_type(struct walk *walk, const cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);

    failure_set(
        walk->err, "badRequest", "Invalid value at '%s': %.100s", walk->path,
        text == NULL ? "" : text);
    free(text);
    return false;
}

/* Clients that speak protocol buffers wrap some numbers: {"value": 10}. */
static const cJSON *unwrap(const cJSON *item)
{
    const cJSON *inner = cJSON_IsObject(item) ? json_at(item, "value") : NULL;

    return inner == NULL ? item : inner;
}

/* Whether a number is one of the type, which is COUNT for any 32 bits without a sign. */
static bool number_fits(enum property_type type, int64_t number)
{
    bool counts = type == PROPERTY_COUNT || type == PROPERTY_COUNT64;

    return !counts || (number >= 0 && (type == PROPERTY_COUNT64 || number <= UINT32_MAX));
}

static bool check_number(struct walk *walk, const struct property *property, cJSON *item)
{
    const cJSON *value = unwrap(item);
    char text[40];
    int64_t number;

    if (cJSON_IsNumber(value))
        snprintf(text, sizeof text, "%.0f", value->valuedouble);
    else if (cJSON_IsString(value))
        snprintf(text, sizeof text, "%s", value->valuestring);
    else
        return wrong_type(walk, item);
    if (!value_parse_int64(slice_of(text), &number) || !number_fits(property->type, number) ||
        (cJSON_IsNumber(value) && value->valuedouble != (double)number))
        return wrong_type(walk, item);
    if (property->type == PROPERTY_INT64)
        become_text(item, text);
    return check_word(property, walk->path, text, walk->err);
}

static bool walk_object(struct walk *walk, const char *schema, cJSON *object, bool is_top);

static bool check_text(struct walk *walk, const struct property *property, cJSON *item)
{
    // Google's Python client gives the value of a FLOAT64 parameter as a number.
    if (cJSON_IsNumber(item) || cJSON_IsBool(item)) {
        char *text = cJSON_PrintUnformatted(item);
        become_text(item, text == NULL ? "" : text);
        free(text);
    }
    if (!cJSON_IsString(item))
        return wrong_type(walk, item);
    bool is_project = property->schema != NULL && strcmp(property->schema, "project") == 0;
    if (is_project && item->valuestring[0] != '\0' && strcmp(item->valuestring, walk->project) != 0)
        return failure_set(
            walk->err, "accessDenied",
            "Access Denied: Project %.200s: bqlocal has the project %s alone (%s)",
            item->valuestring, walk->project, walk->path);
    return check_word(property, walk->path, item->valuestring, walk->err);
}

static bool check_list(struct walk *walk, const struct property *property, cJSON *list)
{
    size_t length = strlen(walk->path);
    int index = 0;
    cJSON *item;

    if (!cJSON_IsArray(list))
        return wrong_type(walk, list);
    cJSON_ArrayForEach(item, list)
    {
        snprintf(walk->path + length, sizeof walk->path - length, "[%d]", index++);
        if (property->schema != NULL && !walk_object(walk, property->schema, item, false))
            return false;
        if (property->values != NULL && !check_text(walk, property, item))
            return false;
    }
    walk->path[length] = '\0';
    return true;
}

static bool check_map(struct walk *walk, const struct property *property, cJSON *map)
{
    size_t length = strlen(walk->path);
    cJSON *item;

    if (!cJSON_IsObject(map))
        return wrong_type(walk, map);
    if (property->schema == NULL)
        return true;
    if (strcmp(property->schema, "labels") == 0)
        return store_labels_check(map, walk->path, walk->err);
    cJSON_ArrayForEach(item, map)
    {
        snprintf(walk->path + length, sizeof walk->path - length, ".%s", item->string);
        if (!walk_object(walk, property->schema, item, false))
            return false;
    }
    walk->path[length] = '\0';
    return true;
}

static bool is_bool(const char *text)
{
    return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
}

static bool check_value(struct walk *walk, const struct property *property, cJSON *item)
{
    switch (property->type) {
    case PROPERTY_TEXT:
        return check_text(walk, property, item);
    case PROPERTY_INT64:
    case PROPERTY_NUMBER:
    case PROPERTY_COUNT:
    case PROPERTY_COUNT64:
        return check_number(walk, property, item);
    case PROPERTY_BOOL:
        return cJSON_IsBool(item) || (cJSON_IsString(item) && is_bool(item->valuestring)) ||
               wrong_type(walk, item);
    case PROPERTY_LIST:
        return check_list(walk, property, item);
    case PROPERTY_MAP:
        return check_map(walk, property, item);
    case PROPERTY_OBJECT:
        if (property->schema != NULL)
            return walk_object(walk, property->schema, item, false);
        return cJSON_IsObject(item) || wrong_type(walk, item);
    default:
        return true;
    }
}

static bool check_member(struct walk *walk, const char *schema, cJSON *item)
{
    const struct property *property = find_property(schema, item->string);
    size_t length = strlen(walk->path);

    if (property == NULL)
        return failure_set(
            walk->err, "badRequest",
            "Invalid JSON payload received. Unknown name \"%.100s\" at '%s': Cannot find field.",
            item->string, walk->path);
    snprintf(
        walk->path + length, sizeof walk->path - length, "%s%s", length == 0 ? "" : ".",
        item->string);
    bool ok = cJSON_IsNull(item) || (property->treatment == PROPERTY_REFUSED
                                         ? is_empty(item) || refuse(walk->err, walk->path, NULL)
                                         : check_value(walk, property, item));
    walk->path[length] = '\0';
    return ok;
}

static void drop_nulls(cJSON *object)
{
    for (cJSON *item = object->child; item != NULL;) {
        cJSON *next = item->next;
        if (cJSON_IsNull(item))
            cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
        item = next;
    }
}

static bool walk_object(struct walk *walk, const char *schema, cJSON *object, bool is_top)
{
    bool removes = walk->nulls == PROPERTY_NULLS_REMOVE;
    cJSON *item;

    if (!cJSON_IsObject(object))
        return wrong_type(walk, object);
    if (!is_top || !removes)
        drop_nulls(object);
    cJSON_ArrayForEach(item, object)
    {
        if (!check_member(walk, schema, item))
            return false;
        if (cJSON_IsObject(item) && !removes)
            drop_nulls(item);
    }
    return true;
}

bool property_check_body(
    const char *schema, const char *project, enum property_nulls nulls, cJSON *body,
    struct error *err)
{
    struct walk walk = {.project = project, .nulls = nulls, .err = err};

    return walk_object(&walk, schema, body, true);
}

/* A value that comes as text. */
static bool check_plain(
    const struct property *property, const char *what, const char *value, struct error *err)
{
    bool is_number = property->type >= PROPERTY_INT64 && property->type <= PROPERTY_COUNT64;
    int64_t number;

    if (value[0] == '\0')
        return true;
    if (property->treatment == PROPERTY_REFUSED)
        return strcasecmp(value, "false") == 0 || refuse(err, what, NULL);
    if ((is_number &&
         (!value_parse_int64(slice_of(value), &number) || !number_fits(property->type, number))) ||
        (property->type == PROPERTY_BOOL && !is_bool(value)))
        return bad_value(err, what, value);
    return check_word(property, what, value, err);
}

bool property_check_parameter(
    const char *method, const char *name, const char *value, struct error *err)
{
    const struct property *property = find_property(method, name);
    char what[200];

    if (property == NULL)
        property = find_property("parameters", name);
    snprintf(what, sizeof what, "the query parameter %.150s", name);
    if (property == NULL)
        return failure_set(
            err, "badRequest",
            "Invalid JSON payload received. Unknown name \"%.100s\": Cannot bind query parameter. "
            "Field '%.100s' could not be found in request message.",
            name, name);
    return check_plain(property, what, value == NULL ? "" : value, err);
}

bool property_check_header(const char *name, const char *value, struct error *err)
{
    static const char *const meaning[] = {"Content-", "If-", "X-HTTP-", "X-Upload-", "X-Goog-"};
    const struct property *property = find_property("headers", name);
    char what[200];

    snprintf(what, sizeof what, "the header %.150s", property == NULL ? name : property->name);
    if (property != NULL)
        return check_plain(property, what, value == NULL ? "" : value, err);
    for (size_t i = 0; i < sizeof meaning / sizeof meaning[0]; i++)
        if (strncasecmp(name, meaning[i], strlen(meaning[i])) == 0)
            return refuse(err, what, NULL);
    return true;
}

cJSON *property_describe(void)
{
    static const char *const treatments[] = {"schema", "done", "harmless", "refused"};
    static const char *const types[] = {"TEXT", "INT64",  "NUMBER", "COUNT", "COUNT64",
                                        "BOOL", "OBJECT", "LIST",   "MAP",   "ANY"};
    cJSON *all = cJSON_CreateObject();
    cJSON *schema = NULL;

    for (const struct property *row = property_rows; row->name != NULL; row++) {
        if (row->treatment == PROPERTY_SCHEMA) {
            schema = cJSON_AddObjectToObject(all, row->name);
            continue;
        }
        cJSON *item = cJSON_AddObjectToObject(schema, row->name);
        cJSON_AddStringToObject(item, "treatment", treatments[row->treatment]);
        cJSON_AddStringToObject(item, "type", types[row->type]);
        if (row->reason != NULL)
            cJSON_AddStringToObject(item, "reason", row->reason);
        if (row->schema != NULL)
            cJSON_AddStringToObject(item, "schema", row->schema);
        if (row->values != NULL)
            cJSON_AddStringToObject(item, "values", row->values);
    }
    return all;
}
