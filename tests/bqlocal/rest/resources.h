/* resources: what the handlers of datasets, tables and jobs share: links, and pages of lists. */
#ifndef BQLOCAL_REST_RESOURCES_H
#define BQLOCAL_REST_RESOURCES_H

#include "bqlocal/http/exchange.h"
#include "bqlocal/jobs/job_runner.h"

/* Adds selfLink: the path, a printf format, is below ".../projects/P/". */
void resource_add_link(
    const struct parts *in, const struct request *request, cJSON *resource, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* A Job resource with its link, owned. */
cJSON *resource_of_job(
    const struct parts *in, const struct request *request, const struct job *job);
/* The same as the answer, cut down to the `fields` that the request names; returns true. */
bool resource_answer_job(const struct parts *in, struct request *request, const struct job *job);

/* Takes the resource as it is now. conditionNotMet unless the caller's If-Match (if any) names it.
 */
MUST_CHECK bool resource_check_etag(
    const struct request *request, cJSON *resource, struct error *err);

/* One kind of list. */
struct resource_list {
    const char *kind;      /* "bigquery#tableList" */
    const char *item_kind; /* "bigquery#table" */
    const char *key;       /* "tables"; left out of an empty list */
    int64_t default_size;
    const char *const *keys; /* of each resource that are listed, NULL-terminated */
};

/* The page of the list that the request asks for, owned; takes the resources. *out_total: of all
 * pages. */
MUST_CHECK bool resource_list_page(
    const struct request *request, const struct resource_list *list, cJSON *resources,
    cJSON **out_body, int64_t *out_total, struct error *err);

#endif
