/* The routes of jobs. */
#include "bqlocal/http/paging.h"
#include "bqlocal/server/route_table.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/jobs/job_record.h"
#include "bqlocal/store/failure.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool rest_job_insert(struct server *server, struct request *request, struct error *err)
{
    cJSON *body = NULL;
    cJSON *resource = NULL;
    struct job *job = NULL;

    if (!request_json(request, &body, err))
        return false;
    const cJSON *configuration = json_at(body, "configuration");
    bool dry = json_bool(configuration, "dryRun", false);
    bool ok;
    if (dry && json_at(configuration, "query") != NULL) {
        ok = job_dry_run(server, body, &resource, err);
    } else {
        ok = job_insert(server, request, body, NULL, &job, err);
        if (ok)
            resource = job_resource(server, job);
    }
    cJSON_Delete(body);
    return ok && answer_json(&request->answer, 200, resource);
}

bool rest_job_get(struct server *server, struct request *request, struct error *err)
{
    struct job *job = NULL;

    return jobs_find(
               server, request->parameters.job, request_query(request, "location"), &job, err) &&
           answer_json(&request->answer, 200, job_resource(server, job));
}

bool rest_job_cancel(struct server *server, struct request *request, struct error *err)
{
    struct job *job = NULL;

    if (!jobs_find(server, request->parameters.job, request_query(request, "location"), &job, err))
        return false;
    job_cancel(server, job);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "kind", "bigquery#jobCancelResponse");
    cJSON_AddItemToObject(body, "job", job_resource(server, job));
    return answer_json(&request->answer, 200, body);
}

bool rest_job_delete(struct server *server, struct request *request, struct error *err)
{
    struct job *job = NULL;

    if (!jobs_find(server, request->parameters.job, request_query(request, "location"), &job, err))
        return false;
    jobs_delete(server, job);
    return answer_json(&request->answer, 200, cJSON_CreateObject());
}

/* Whether the list that is asked for contains the job. */
static bool is_wanted(const struct request *request, const struct job *job)
{
    const char *state = request_query(request, "stateFilter");
    const char *parent = request_query(request, "parentJobId");

    if (state != NULL && strcasecmp(state, job_state_name(job->state)) != 0)
        return false;
    if (parent != NULL)
        return job->parent_id != NULL && strcmp(parent, job->parent_id) == 0;
    return job->parent_id == NULL &&
           job->created_ms >= request_query_number(request, "minCreationTime", 0) &&
           job->created_ms <= request_query_number(request, "maxCreationTime", INT64_MAX);
}

static cJSON *list_item(const struct server *server, const struct job *job)
{
    cJSON *item = job_resource(server, job);
    const cJSON *failure = json_at(json_at(item, "status"), "errorResult");

    cJSON_AddStringToObject(item, "state", job_state_name(job->state));
    if (failure != NULL)
        cJSON_AddItemToObject(item, "errorResult", cJSON_Duplicate(failure, true));
    return item;
}

bool rest_job_list(struct server *server, struct request *request, struct error *err)
{
    int64_t total = 0;
    int64_t first, count;
    size_t jobs = 0;

    while (jobs_at(server->jobs, jobs) != NULL)
        total += is_wanted(request, jobs_at(server->jobs, jobs++));
    if (!paging_window(request, total, 50, &first, &count, err))
        return false;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "kind", "bigquery#jobList");
    cJSON *list = cJSON_AddArrayToObject(body, "jobs");
    // The newest first.
    int64_t index = 0;
    for (size_t i = jobs; i-- > 0;) {
        const struct job *job = jobs_at(server->jobs, i);
        if (!is_wanted(request, job))
            continue;
        if (index >= first && index < first + count)
            cJSON_AddItemToArray(list, list_item(server, job));
        index++;
    }
    paging_add_token(body, "nextPageToken", first + count, total);
    return answer_json(&request->answer, 200, body);
}
