#include "base/json_exact.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INT64_TEXT_SIZE 24

cJSON *json_int64(int64_t value)
{
    char text[INT64_TEXT_SIZE];

    snprintf(text, sizeof text, "%lld", (long long)value);
    return cJSON_CreateRaw(text);
}

void json_add_int64(cJSON *object, const char *name, int64_t value)
{
    cJSON *item = json_int64(value);

    if (!cJSON_AddItemToObject(object, name, item))
        cJSON_Delete(item);
}

int64_t json_int64_of(const cJSON *item, int64_t fallback)
{
    char *end = NULL;

    if (cJSON_IsNumber(item))
        return (int64_t)item->valuedouble;
    if (!cJSON_IsRaw(item))
        return fallback;
    int64_t value = strtoll(item->valuestring, &end, 10);
    return end == item->valuestring ? fallback : value;
}

/* Behind the string that starts at `at`. The text is known to be JSON. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

/* The next number of the text; numbers occur in it in the order in which the tree has them. */
static const char *next_number(const char *at)
{
    while (strchr("-0123456789", *at) == NULL)
        at = *at == '"' ? skip_string(at) : at + 1;
    return at;
}

/* Turns an item and its siblings, with all that is below them, from numbers to raw items. */
static bool keep_digits(cJSON *item, const char **at)
{
    for (; item != NULL; item = item->next) {
        if (cJSON_IsNumber(item)) {
            const char *start = next_number(*at);
            size_t length = strspn(start, "+-.0123456789eE");
            item->valuestring = cJSON_malloc(length + 1);
            if (item->valuestring == NULL)
                return false;
            memcpy(item->valuestring, start, length);
            item->valuestring[length] = '\0';
            item->type = cJSON_Raw;
            *at = start + length;
        }
        if (!keep_digits(item->child, at))
            return false;
    }
    return true;
}

cJSON *json_parse_exact(const char *text)
{
    const char *at = text;
    cJSON *root = cJSON_Parse(text);

    if (keep_digits(root, &at))
        return root;
    cJSON_Delete(root);
    return NULL;
}
