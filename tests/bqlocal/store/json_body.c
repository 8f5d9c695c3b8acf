#include "bqlocal/store/json_body.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/value.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

/* Copies the text with JSON_ZERO for each \u0000. The backslash of an escape is never the second
 * character of another. */
static void replace_zeros(struct slice text, struct buffer *out)
{
    static const char zero[] = "\\u0000";
    size_t copied = 0;

    for (size_t at = 0; at + 1 < text.length; at++) {
        if (text.data[at] != '\\')
            continue;
        if (text.length - at > 6 && memcmp(text.data + at, zero, 6) == 0) {
            buffer_append(out, text.data + copied, at - copied);
            buffer_append_text(out, JSON_ZERO);
            copied = at + 6;
            at += 4;
        }
        at++;
    }
    buffer_append(out, text.data + copied, text.length - copied);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_once(const cJSON *object, struct error *err)
{
    size_t count = (size_t)cJSON_GetArraySize(object);
    const char **names = calloc(count + 1, sizeof *names);
    const cJSON *member;
    size_t at = 0;
    bool ok = true;

    if (names == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a request");
    cJSON_ArrayForEach(member, object)
    {
        names[at++] = member->string;
    }
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; ok && i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            ok = failure_set(
                err, "parseError",
                "Invalid JSON payload received. The member \"%.100s\" is there more than once.",
                names[i]);
    free(names);
    return ok;
}

static bool has_zero(const char *text)
{
    return text != NULL && strstr(text, JSON_ZERO) != NULL;
}

/* in_value: the item is the value of a query parameter, or in one. */
static bool check(const cJSON *item, bool in_value, struct error *err)
{
    const char *name = item->string == NULL ? "" : item->string;
    const cJSON *member;

    in_value = in_value || strcmp(name, "parameterValue") == 0;
    if (has_zero(name) ||
        (has_zero(item->valuestring) && !(in_value && strcmp(name, "value") == 0)))
        return failure_set(
            err, "badRequest",
            "Invalid JSON payload received. U+0000 in the %s \"%.100s\": bqlocal takes it in "
            "values "
            "of query parameters alone",
            has_zero(name) ? "name" : "text of", name);
    if (cJSON_IsObject(item) && !check_once(item, err))
        return false;
    cJSON_ArrayForEach(member, item)
    {
        if (!check(member, in_value, err))
            return false;
    }
    return true;
}

static bool parse(struct slice text, cJSON **out_object, struct error *err)
{
    const char *end = NULL;
    cJSON *object = cJSON_ParseWithLengthOpts(text.data, text.length, &end, false);

    while (object != NULL && end < text.data + text.length && strchr(" \t\r\n", *end) != NULL &&
           *end != '\0')
        end++;
    if (object == NULL || !cJSON_IsObject(object) || end != text.data + text.length) {
        bool more = object != NULL && cJSON_IsObject(object);
        cJSON_Delete(object);
        return failure_set(
            err, "parseError", "Invalid JSON payload received. %s",
            more ? "There is text behind the object." : "Parse error");
    }
    if (!check(object, false, err)) {
        cJSON_Delete(object);
        return false;
    }
    *out_object = object;
    return true;
}

bool json_body_parse(struct slice text, cJSON **out_object, struct error *err)
{
    struct buffer plain;

    if (text.length == 0) {
        *out_object = cJSON_CreateObject();
        return *out_object != NULL || error_set(err, ERROR_MEMORY, "out of memory for a request");
    }
    if (!value_utf8_is_valid(text) || memchr(text.data, '\0', text.length) != NULL)
        return failure_set(
            err, "parseError",
            "Invalid JSON payload received. It is not UTF-8, or has a zero byte");
    buffer_init(&plain, text.length + 1);
    replace_zeros(text, &plain);
    bool ok =
        buffer_check(&plain, "the request", err) && parse(buffer_slice(&plain), out_object, err);
    buffer_clear(&plain);
    return ok;
}
