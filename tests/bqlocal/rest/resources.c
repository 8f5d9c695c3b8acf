#include "bqlocal/rest/resources.h"

#include "bqlocal/http/paging.h"
#include "bqlocal/http/partial.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void resource_add_link(
    const struct parts *in, const struct request *request, cJSON *resource, const char *format, ...)
{
    char path[2200];
    struct buffer link;
    va_list args;

    va_start(args, format);
    vsnprintf(path, sizeof path, format, args);
    va_end(args);
    buffer_init(&link, 16384);
    buffer_printf(
        &link, "%s/bigquery/v2/projects/%s/%s", request->origin, in->store->project, path);
    cJSON_AddStringToObject(resource, "selfLink", buffer_text(&link));
    buffer_clear(&link);
}

cJSON *resource_of_job(const struct parts *in, const struct request *request, const struct job *job)
{
    cJSON *resource = job_resource(in->store, job);

    resource_add_link(in, request, resource, "jobs/%s?location=%s", job->id, job->location);
    return resource;
}

bool resource_answer_job(const struct parts *in, struct request *request, const struct job *job)
{
    cJSON *resource = resource_of_job(in, request, job);

    return answer_json(
        &request->answer, 200, partial_select(resource, request_query(request, "fields")));
}

bool resource_check_etag(const struct request *request, cJSON *resource, struct error *err)
{
    const char *wanted = request_header(request, "If-Match");
    const char *etag = json_text(resource, "etag");
    bool same =
        wanted == NULL || strcmp(wanted, "*") == 0 || (etag != NULL && strcmp(etag, wanted) == 0);

    cJSON_Delete(resource);
    return same || failure_set(err, "conditionNotMet", "Precondition check failed.");
}

bool resource_list_page(
    const struct request *request, const struct resource_list *list, cJSON *resources,
    cJSON **out_body, int64_t *out_total, struct error *err)
{
    int64_t total = cJSON_GetArraySize(resources);
    int64_t index = 0;
    int64_t first, count;
    const cJSON *resource;

    if (!paging_window(request, total, list->default_size, &first, &count, err)) {
        cJSON_Delete(resources);
        return false;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "kind", list->kind);
    cJSON *items = count > 0 ? cJSON_AddArrayToObject(body, list->key) : NULL;
    cJSON_ArrayForEach(resource, resources)
    {
        if (index++ < first || index > first + count)
            continue;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "kind", list->item_kind);
        for (const char *const *key = list->keys; *key != NULL; key++)
            json_copy(item, resource, *key);
        cJSON_AddItemToArray(items, item);
    }
    paging_add_token(body, first + count, total);
    cJSON_Delete(resources);
    *out_body = body;
    *out_total = total;
    return true;
}
