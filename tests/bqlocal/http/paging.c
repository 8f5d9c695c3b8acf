#include "bqlocal/http/paging.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/value.h"

#include <stdio.h>
#include <string.h>

bool paging_window(
    const struct request *request, int64_t total, int64_t default_size, int64_t *out_first,
    int64_t *out_count, struct error *err)
{
    const char *token = request_query(request, "pageToken");
    int64_t size = request_query_number(request, "maxResults", default_size);
    int64_t first = 0;

    if (token != NULL && token[0] != '\0' &&
        (token[0] != 'p' || !value_parse_int64(slice_of(token + 1), &first) || first < 0))
        return failure_set(err, "invalid", "Invalid page token: %.100s", token);
    if (size < 0)
        return failure_set(err, "invalid", "Invalid value for maxResults: %lld", (long long)size);
    if (first > total)
        first = total;
    *out_first = first;
    *out_count = size < total - first ? size : total - first;
    return true;
}

void paging_add_token(cJSON *body, int64_t next, int64_t total)
{
    char token[32];

    if (next >= total)
        return;
    snprintf(token, sizeof token, "p%lld", (long long)next);
    cJSON_AddStringToObject(body, "nextPageToken", token);
}

bool paging_rows(
    const struct request *request, int64_t default_size, struct rows_window *out_window,
    struct error *err)
{
    const char *token = request_query(request, "pageToken");
    const char *format = request_query(request, "formatOptions.timestampOutputFormat");

    *out_window = (struct rows_window){
        .first = request_query_number(request, "startIndex", 0),
        .size = request_query_number(request, "maxResults", default_size),
        .rowid = -1,
        .timestamps =
            rows_timestamps(format, request_query_bool(request, "formatOptions.useInt64Timestamp")),
    };
    if (out_window->size < 0 || out_window->first < 0)
        return failure_set(err, "invalid", "maxResults and startIndex cannot be negative");
    return token == NULL || token[0] == '\0' || rows_token_parse(token, out_window, err);
}
