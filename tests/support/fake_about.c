#include "support/fake_about.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The segment of the URL's path behind "/name/", decoded; "" if there is none. */
static void segment(const char *url, const char *name, char *out, size_t size)
{
    char before[40];
    size_t length = 0;

    snprintf(before, sizeof before, "/%s/", name);
    const char *at = strstr(url, before);
    for (at = at == NULL ? "" : at + strlen(before); *at != '\0' && strchr("/?:", *at) == NULL;) {
        unsigned code = (unsigned char)*at++;
        if (code == '%' && sscanf(at, "%2x", &code) == 1)
            at += 2;
        if (length + 1 < size)
            out[length++] = (char)code;
    }
    out[length] = '\0';
}

/* The member of the first JSON object in the request's body. */
static void sent(
    const struct fake_request *request, const char *reference, const char *name, char *out,
    size_t size)
{
    const char *start = strchr(request->body, '{');
    cJSON *root = start == NULL ? NULL : cJSON_ParseWithOpts(start, NULL, 0);
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(root, reference), name));

    snprintf(out, size, "%s", text == NULL ? "" : text);
    cJSON_Delete(root);
}

/* "" if the answer names nothing that was asked about. */
static const char *make_reference(
    const struct fake_request *request, char **job_id, char *out, size_t size)
{
    char project[200];
    char dataset[200];
    char name[1200];
    bool is_get = strcmp(request->method, "GET") == 0;

    out[0] = '\0';
    if (strcmp(request->method, "DELETE") == 0)
        return "";
    segment(request->url, "projects", project, sizeof project);
    if (project[0] == '\0')
        snprintf(project, sizeof project, "p"); // a session's address
    segment(request->url, "datasets", dataset, sizeof dataset);
    if (strstr(request->url, "/queries") != NULL || strstr(request->url, "/jobs") != NULL ||
        strstr(request->url, "/datasets") == NULL) {
        segment(request->url, is_get ? "queries" : "none", name, sizeof name);
        if (is_get && name[0] == '\0')
            segment(request->url, "jobs", name, sizeof name);
        if (!is_get)
            sent(request, "jobReference", "jobId", name, sizeof name);
        if (!is_get && name[0] != '\0') {
            free(*job_id);
            *job_id = strdup(name);
        }
        if (strcmp(request->method, "PUT") == 0 && *job_id != NULL)
            snprintf(name, sizeof name, "%s", *job_id);
        if (name[0] != '\0')
            snprintf(
                out, size, "\"jobReference\":{\"projectId\":\"%s\",\"jobId\":\"%s\"}", project,
                name);
        return "\"jobReference\"";
    }
    if (strstr(request->url, "/tables") == NULL) {
        if (dataset[0] == '\0')
            sent(request, "datasetReference", "datasetId", dataset, sizeof dataset);
        snprintf(
            out, size, "\"datasetReference\":{\"projectId\":\"%s\",\"datasetId\":\"%s\"}", project,
            dataset);
        return "\"datasetReference\"";
    }
    segment(request->url, "tables", name, sizeof name);
    if (name[0] == '\0' && !is_get)
        sent(request, "tableReference", "tableId", name, sizeof name);
    if (name[0] != '\0' && strstr(request->url, "/rowAccessPolicies") == NULL &&
        strstr(request->url, ":testIam") == NULL)
        snprintf(
            out, size,
            "\"tableReference\":{\"projectId\":\"%s\",\"datasetId\":\"%s\",\"tableId\":\"%s\"}",
            project, dataset, name);
    return "\"tableReference\"";
}

void fake_about_complete(
    const struct fake_request *request, const char *body, char **job_id, struct buffer *out)
{
    char reference[1800];
    const char *member = make_reference(request, job_id, reference, sizeof reference);

    if (body[0] != '{' || reference[0] == '\0' || strstr(body, member) != NULL) {
        buffer_append_text(out, body);
        return;
    }
    buffer_printf(out, "{%s%s%s", reference, body[1] == '}' ? "" : ",", body + 1);
}
