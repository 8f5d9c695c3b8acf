/* The query box: what a SELECT returns, for a browser. Nothing else is run. */
#include "bqlocal/jobs/job_query.h"
#include "bqlocal/jobs/job_runner.h"
#include "bqlocal/rest/browse_page.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/monitor.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_SHOWN 200
#define WAIT_MS    60000

static cJSON *job_of(const char *query)
{
    cJSON *job = cJSON_CreateObject();
    cJSON *part = cJSON_AddObjectToObject(cJSON_AddObjectToObject(job, "configuration"), "query");

    cJSON_AddStringToObject(part, "query", query);
    cJSON_AddFalseToObject(part, "useLegacySql");
    return job;
}

static bool check_reads(const struct parts *in, const cJSON *job, struct error *err)
{
    cJSON *resource = NULL;

    if (!job_dry_run(in->jobs, job, &resource, err))
        return false;
    const char *type =
        json_text(json_at(json_at(resource, "statistics"), "query"), "statementType");
    bool reads = type != NULL && strcmp(type, "SELECT") == 0;
    if (!reads)
        failure_set(
            err, "invalidQuery",
            "This box runs one SELECT; this is %s. Send other statements to jobs.query, as the "
            "main page shows",
            type == NULL ? "none" : type);
    cJSON_Delete(resource);
    return reads;
}

static bool run(
    const struct parts *in, const struct request *request, const cJSON *body, struct job **out_job,
    struct error *err)
{
    struct job *job = NULL;

    if (!check_reads(in, body, err) ||
        !jobs_insert(
            in->jobs, &(struct job_origin){request->method, request->target}, body, NULL, &job,
            err))
        return false;
    char *id = strdup(job->id);
    bool ok = id != NULL && jobs_wait(in->jobs, id, monitor_now_ms() + WAIT_MS) &&
              jobs_find(in->jobs, id, NULL, &job, err);
    free(id);
    if (!ok || job->state != JOB_DONE)
        return failure_set(err, "timeout", "The query has not ended in %d s", WAIT_MS / 1000);
    if (job->failed) {
        *err = job->failure;
        return false;
    }
    *out_job = job;
    return true;
}

static bool append_result(
    const struct parts *in, const struct job *job, struct buffer *out, struct error *err)
{
    struct rows_source source = job_result_source(job);
    sqlite3_stmt *row = NULL;

    buffer_printf(
        out, "<p>%lld row%s%s</p>", (long long)source.total, source.total == 1 ? "" : "s",
        source.total > ROWS_SHOWN ? ", the first 200 of them:" : "");
    if (source.table[0] == '\0')
        return true;
    char *sql =
        sqlite3_mprintf("select * from \"%w\" order by rowid limit %d", source.table, ROWS_SHOWN);
    bool ok = store_prepare(in->store, sql == NULL ? "" : sql, &row, err, NULL);
    sqlite3_free(sql);
    if (!ok)
        return false;
    browse_table_begin(out, "Rows");
    browse_rows(out, row, source.schema);
    browse_table_end(out);
    sqlite3_finalize(row);
    return true;
}

/* A mistake in the query is shown on the page, where it can be corrected. */
bool rest_browse_query(const struct parts *in, struct request *request, struct error *err)
{
    const char *query = request_query(request, "query");
    struct buffer out;
    struct job *job = NULL;
    struct error problem = {0};
    int status = 200;

    if (query == NULL)
        query = "";
    cJSON *body = job_of(query);
    browse_begin(&out, "Query");
    browse_query_box(&out, query);
    if (!run(in, request, body, &job, &problem) || !append_result(in, job, &out, &problem)) {
        status = 400;
        buffer_append_text(&out, "<p class=\"bad\" role=\"alert\">");
        browse_text(&out, slice_of(problem.message));
        buffer_append_text(&out, "</p>");
    }
    cJSON_Delete(body);
    return browse_send(request, status, &out, err);
}
