#include "warehouse/bigquery.h"

#include "warehouse/call.h"
#include "warehouse/credentials.h"
#include "warehouse/quota.h"
#include "warehouse/upload.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool copy_text(const char *text, char **out, struct error *err)
{
    if (text == NULL)
        return true;
    *out = strdup(text);
    return *out != NULL || error_set(err, ERROR_MEMORY, "out of memory for a BigQuery client");
}

static const char *root_of(const struct bigquery_options *options)
{
    if (options->endpoint != NULL)
        return options->endpoint;
    return options->credentials != NULL ? credentials_endpoint(options->credentials)
                                        : BIGQUERY_ROOT;
}

static bool open_transport(
    struct bigquery *bigquery, const struct bigquery_options *options, struct error *err)
{
    bigquery->http = options->http;
    if (bigquery->http != NULL)
        return true;
    if (!http_client_open(&bigquery->client, err))
        return false;
    bigquery->http = http_client_ops(bigquery->client);
    return true;
}

bool bigquery_open(
    const struct bigquery_options *options, struct bigquery **out_bigquery, struct error *err)
{
    struct bigquery *bigquery = calloc(1, sizeof *bigquery);

    if (bigquery == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a BigQuery client");
    assert(options->upload_chunk_bytes % UPLOAD_GRANULE_BYTES == 0);
    bigquery->credentials = options->credentials;
    bigquery->quota = options->quota;
    bigquery->link = options->link;
    bigquery->clock = options->clock;
    bigquery->retry_budget_ms = options->retry_budget_ms;
    bigquery->job_timeout_ms = options->job_timeout_ms;
    bigquery->max_bytes_billed = options->max_bytes_billed;
    bigquery->upload_chunk_bytes =
        options->upload_chunk_bytes > 0 ? options->upload_chunk_bytes : UPLOAD_CHUNK_BYTES;
    bigquery->upload_multipart_bytes = options->upload_multipart_bytes > 0
                                           ? options->upload_multipart_bytes
                                           : UPLOAD_MULTIPART_BYTES;
    bigquery->random = retry_seed();
    if (options->location != NULL)
        bigquery_set_location(bigquery, options->location);
    if (!copy_text(root_of(options), &bigquery->root, err) ||
        !copy_text(options->project, &bigquery->project, err) ||
        !copy_text(options->dataset, &bigquery->dataset, err) ||
        !copy_text(options->run_id, &bigquery->run_id, err) ||
        !open_transport(bigquery, options, err)) {
        bigquery_close(bigquery);
        return false;
    }
    for (size_t end = strlen(bigquery->root); end > 0 && bigquery->root[end - 1] == '/'; end--)
        bigquery->root[end - 1] = '\0';
    *out_bigquery = bigquery;
    return true;
}

void bigquery_close(struct bigquery *bigquery)
{
    if (bigquery == NULL)
        return;
    if (bigquery->dml_table != NULL && bigquery->quota != NULL)
        quota_dml_done(bigquery->quota, bigquery->dml_table);
    http_client_close(bigquery->client);
    free(bigquery->root);
    free(bigquery->project);
    free(bigquery->dataset);
    free(bigquery->run_id);
    free(bigquery->finished_id);
    free(bigquery->query_id);
    free(bigquery->query_target);
    free(bigquery->selected_id);
    free(bigquery->dml_id);
    free(bigquery->dml_table);
    free(bigquery);
}

void bigquery_set_cap(struct bigquery *bigquery, int64_t bytes)
{
    bigquery->cap = bytes;
}

int64_t call_cap(const struct bigquery *bigquery)
{
    int64_t most = bigquery->max_bytes_billed;

    return bigquery->cap > 0 && (most == 0 || bigquery->cap < most) ? bigquery->cap : most;
}

void bigquery_set_location(struct bigquery *bigquery, const char *location)
{
    snprintf(bigquery->location, sizeof bigquery->location, "%s", location);
}

struct bigquery_counters bigquery_counters(const struct bigquery *bigquery)
{
    return bigquery->counters;
}

void bigquery_count_retry(struct bigquery *bigquery, const struct error *why)
{
    bigquery->counters.traffic.retries[traffic_reason_of(why)]++;
}
