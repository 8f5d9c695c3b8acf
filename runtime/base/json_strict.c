#include "base/json_strict.h"

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

cJSON *json_parse_strict(struct slice text, const char **out_wrong)
{
    const struct slice whole = text.data == NULL ? slice_of("") : text;
    const char *end = whole.data + whole.length;
    const char *at = find_null(whole);

    if (at == end) {
        cJSON *root = cJSON_ParseWithLengthOpts(whole.data, whole.length, &at, 0);
        while (root != NULL && at < end && strchr(" \t\r\n", *at) != NULL)
            at++;
        if (root != NULL && at == end)
            return root;
        cJSON_Delete(root);
    }
    *out_wrong = at;
    return NULL;
}
