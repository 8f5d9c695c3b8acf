#include "bqlocal/store/json_member.h"

#include "bqlocal/store/value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const cJSON *json_at(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *json_text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(json_at(object, key));
}

char *json_text_copy(const cJSON *object, const char *key)
{
    const char *text = json_text(object, key);

    return text == NULL ? NULL : strdup(text);
}

int64_t json_number(const cJSON *object, const char *key, int64_t fallback)
{
    const cJSON *item = json_at(object, key);
    int64_t number;

    // googleapis wraps some integers: {"value": "10"}
    if (cJSON_IsObject(item))
        item = json_at(item, "value");
    if (cJSON_IsNumber(item))
        return (int64_t)item->valuedouble;
    if (cJSON_IsString(item) && value_parse_int64(slice_of(item->valuestring), &number))
        return number;
    return fallback;
}

bool json_bool(const cJSON *object, const char *key, bool fallback)
{
    const cJSON *item = json_at(object, key);

    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item);
    if (cJSON_IsString(item))
        return strcasecmp(item->valuestring, "true") == 0;
    return fallback;
}

void json_add_number(cJSON *object, const char *key, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)number);
    cJSON_AddStringToObject(object, key, text);
}

void json_copy(cJSON *object, const cJSON *from, const char *key)
{
    const cJSON *item = json_at(from, key);

    if (item != NULL)
        cJSON_AddItemToObject(object, key, cJSON_Duplicate(item, true));
}

void json_set(cJSON *object, const char *key, cJSON *item)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddItemToObject(object, key, item);
}
