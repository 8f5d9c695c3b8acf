#include "bqlocal/http/partial.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void select_list(const cJSON *from, const char **at, cJSON *to);

/* One name and what is selected below it. from: NULL where there is nothing to copy. */
static void select_one(const cJSON *from, const char **at, cJSON *to)
{
    char name[128];
    size_t length = strcspn(*at, ",/()");

    snprintf(name, sizeof name, "%.*s", (int)length, *at);
    *at += length;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, name);
    if (**at != '/' && **at != '(') {
        if (item != NULL)
            cJSON_AddItemToObject(to, name, cJSON_Duplicate(item, true));
        return;
    }
    cJSON *inside = cJSON_GetObjectItemCaseSensitive(to, name);
    cJSON *own = inside != NULL ? NULL : cJSON_CreateObject();
    bool is_list = *(*at)++ == '(';
    (is_list ? select_list : select_one)(item, at, inside != NULL ? inside : own);
    *at += is_list && **at == ')';
    if (own != NULL && own->child != NULL)
        cJSON_AddItemToObject(to, name, own);
    else
        cJSON_Delete(own);
}

static void select_list(const cJSON *from, const char **at, cJSON *to)
{
    do {
        *at += **at == ',';
        select_one(from, at, to);
    } while (**at == ',');
}

cJSON *partial_select(cJSON *resource, const char *fields)
{
    if (fields == NULL)
        return resource;
    cJSON *selected = cJSON_CreateObject();
    select_list(resource, &fields, selected);
    cJSON_Delete(resource);
    return selected;
}
