/* The routes of jobs. */
#include "bqlocal/http/paging.h"
#include "bqlocal/jobs/job_query.h"
#include "bqlocal/jobs/job_runner.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/rest/resources.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Most queries are done in a moment; the answer shows them as done then, if others are not first.
 */
#define MOMENT_MS 2000

static bool wait_a_moment(const struct parts *in, struct job **job, struct error *err)
{
    char *id = strdup((*job)->id);

    if (id == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a job");
    bool starts = (*job)->computing && !(*job)->late;
    jobs_wait(in->jobs, id, monitor_now_ms() + (starts ? MOMENT_MS : 0));
    *job = jobs_get(in->jobs, id);
    if (*job == NULL)
        failure_set(err, "notFound", "Not found: Job %s", id);
    free(id);
    return *job != NULL;
}

bool rest_job_insert(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *body = NULL;
    cJSON *resource = NULL;
    struct job *job = NULL;

    if (!request_json(request, &body, err))
        return false;
    const cJSON *configuration = json_at(body, "configuration");
    bool dry = json_bool(configuration, "dryRun", false) && json_at(configuration, "query") != NULL;
    struct job_origin origin = {request->method, request->target};
    bool ok = dry ? job_dry_run(in->jobs, body, &resource, err)
                  : jobs_insert(in->jobs, &origin, body, NULL, &job, err);
    cJSON_Delete(body);
    if (!ok)
        return false;
    if (!dry && !wait_a_moment(in, &job, err))
        return false;
    return dry ? answer_json(&request->answer, 200, resource)
               : resource_answer_job(in, request, job);
}

/* The job that the path and the query string name. */
static bool find_job(
    const struct parts *in, const struct request *request, struct job **out_job, struct error *err)
{
    return jobs_find(
        in->jobs, request->parameters.job, request_query(request, "location"), out_job, err);
}

bool rest_job_get(const struct parts *in, struct request *request, struct error *err)
{
    struct job *job = NULL;

    return find_job(in, request, &job, err) && resource_answer_job(in, request, job);
}

bool rest_job_cancel(const struct parts *in, struct request *request, struct error *err)
{
    struct job *job = NULL;

    if (!find_job(in, request, &job, err))
        return false;
    jobs_cancel(in->jobs, job);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "kind", "bigquery#jobCancelResponse");
    cJSON_AddItemToObject(body, "job", resource_of_job(in, request, job));
    return answer_json(&request->answer, 200, body);
}

bool rest_job_delete(const struct parts *in, struct request *request, struct error *err)
{
    struct job *job = NULL;

    if (!find_job(in, request, &job, err))
        return false;
    jobs_delete(in->jobs, job);
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

static cJSON *list_item(
    const struct parts *in, const struct request *request, const struct job *job)
{
    cJSON *item = resource_of_job(in, request, job);

    cJSON_AddStringToObject(item, "state", job_state_name(job->state));
    json_copy(item, json_at(item, "status"), "errorResult");
    return item;
}

bool rest_job_list(const struct parts *in, struct request *request, struct error *err)
{
    int64_t total = 0;
    int64_t first, count;
    size_t jobs = 0;

    while (jobs_at(in->jobs, jobs) != NULL)
        total += is_wanted(request, jobs_at(in->jobs, jobs++));
    if (!paging_window(request, total, 50, &first, &count, err))
        return false;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "kind", "bigquery#jobList");
    cJSON *list = cJSON_AddArrayToObject(body, "jobs");
    // The newest first.
    int64_t index = 0;
    for (size_t i = jobs; i-- > 0;) {
        const struct job *job = jobs_at(in->jobs, i);
        if (!is_wanted(request, job))
            continue;
        if (index >= first && index < first + count)
            cJSON_AddItemToArray(list, list_item(in, request, job));
        index++;
    }
    paging_add_token(body, first + count, total);
    return answer_json(&request->answer, 200, body);
}
