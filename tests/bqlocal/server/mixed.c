#include "bqlocal/server/mixed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is kept of a connection. */
struct line {
    bool lags;
    struct answer held;
};

void mixed_connection(
    void *context, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode code)
{
    struct line *line = *socket_context;
    (void)context;
    (void)connection;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = calloc(1, sizeof *line);
        return;
    }
    if (line != NULL)
        answer_clear(&line->held);
    free(line);
    *socket_context = NULL;
}

static struct line *line_of(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? NULL : info->socket_context;
}

static void add_reference(cJSON *body, const struct request *request, const char *what)
{
    char name[40];

    snprintf(name, sizeof name, "%sReference", what);
    cJSON *reference = cJSON_AddObjectToObject(body, name);
    cJSON_AddStringToObject(reference, "projectId", request->project);
    if (strcmp(what, "table") == 0)
        cJSON_AddStringToObject(reference, "datasetId", "another");
    snprintf(name, sizeof name, "%sId", what);
    cJSON_AddStringToObject(reference, name, "another");
}

void mixed_answer_other(struct request *request)
{
    const char *path = request->path;
    cJSON *body = cJSON_CreateObject();

    answer_clear(&request->answer);
    if (strstr(path, "/datasets") == NULL) {
        bool is_results = strstr(path, "/queries/") != NULL;
        cJSON_AddStringToObject(
            body, "kind", is_results ? "bigquery#getQueryResultsResponse" : "bigquery#job");
        add_reference(body, request, "job");
        if (is_results)
            cJSON_AddTrueToObject(body, "jobComplete");
        else
            cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "status"), "state", "DONE");
    } else if (strstr(path, "/tables") == NULL) {
        cJSON_AddStringToObject(body, "kind", "bigquery#dataset");
        add_reference(body, request, "dataset");
    } else if (strstr(path, "/tables/") == NULL && strcmp(request->method, "GET") == 0) {
        cJSON_AddStringToObject(body, "kind", "bigquery#tableList");
        cJSON *table = cJSON_CreateObject();
        add_reference(table, request, "table");
        cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "tables"), table);
    } else {
        cJSON_AddStringToObject(body, "kind", "bigquery#table");
        add_reference(body, request, "table");
    }
    answer_json(&request->answer, 200, body);
}

static void copy_answer(const struct answer *from, struct answer *to)
{
    *to = *from;
    to->location = from->location == NULL ? NULL : strdup(from->location);
    to->body = from->body == NULL ? NULL : malloc(from->body_length + 1);
    if (to->body != NULL)
        memcpy(to->body, from->body, from->body_length);
    else
        to->body_length = 0;
}

void mixed_begin_lag(struct request *request)
{
    struct line *line = line_of(request);

    if (line == NULL)
        return;
    answer_clear(&line->held);
    copy_answer(&request->answer, &line->held);
    line->lags = true;
}

void mixed_lag(struct request *request)
{
    struct line *line = line_of(request);

    if (line == NULL || !line->lags)
        return;
    struct answer late = line->held;
    line->held = request->answer;
    request->answer = late;
}
