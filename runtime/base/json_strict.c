#include "base/json_strict.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The first U+0000 of a text, as a byte or as an escape, or its end. A backslash is always followed
 * by what it escapes. */
static const char *find_null(struct slice text)
{
    const char *end = text.data + text.length;
    const char *at = text.data;

    while (at < end && *at != '\0') {
        if (*at == '\\' && end - at >= 6 && memcmp(at, "\\u0000", 6) == 0)
            return at;
        at += *at == '\\' && end - at >= 2 ? 2 : 1;
    }
    return at;
}

/* The document, if nothing but space follows; *out_wrong is behind what was read. */
static cJSON *parse_whole(struct slice text, const char **out_wrong)
{
    const char *end = text.data + text.length;
    const char *at = text.data;
    cJSON *root = cJSON_ParseWithLengthOpts(text.data, text.length, &at, 0);

    while (root != NULL && at < end && strchr(" \t\r\n", *at) != NULL && *at != '\0')
        at++;
    *out_wrong = at;
    if (root != NULL && at == end)
        return root;
    cJSON_Delete(root);
    return NULL;
}

cJSON *json_parse_strict(struct slice text, const char **out_wrong)
{
    const struct slice whole = text.data == NULL ? slice_of("") : text;
    const char *at = find_null(whole);

    if (at == whole.data + whole.length)
        return parse_whole(whole, out_wrong);
    *out_wrong = at;
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* *out_doubled: whether two members of the object have one name. */
static bool look_for_doubles(const cJSON *object, bool *out_doubled)
{
    size_t count = 0;
    const cJSON *member = NULL;

    *out_doubled = false;
    cJSON_ArrayForEach(member, object) count++;
    if (count < 2)
        return true;
    const char **names = cJSON_malloc(count * sizeof *names);
    if (names == NULL)
        return false;
    size_t i = 0;
    cJSON_ArrayForEach(member, object) names[i++] = member->string;
    qsort(names, count, sizeof *names, compare_names);
    for (i = 1; i < count; i++)
        *out_doubled = *out_doubled || strcmp(names[i - 1], names[i]) == 0;
    cJSON_free(names);
    return true;
}

/* Whether no object in the item has a member twice. */
static bool is_plain(const cJSON *item)
{
    const cJSON *child = NULL;
    bool doubled = false;

    if (cJSON_IsObject(item) && (!look_for_doubles(item, &doubled) || doubled))
        return false;
    cJSON_ArrayForEach(child, item) if (!is_plain(child)) return false;
    return true;
}

cJSON *json_parse_answer(struct slice text)
{
    const char *ignored = NULL;
    cJSON *root = parse_whole(text.data == NULL ? slice_of("") : text, &ignored);

    if (root == NULL || is_plain(root))
        return root;
    cJSON_Delete(root);
    return NULL;
}
