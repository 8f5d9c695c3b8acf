/* paging: maxResults and page tokens, of lists and of rows. */
#ifndef BQLOCAL_HTTP_PAGING_H
#define BQLOCAL_HTTP_PAGING_H

#include "bqlocal/http/exchange.h"
#include "bqlocal/store/rows.h"

/* The window of a list of `total` items that a request asks for: its token is the index of the
 * first item. invalid if the token is not one of ours. */
MUST_CHECK bool paging_window(
    const struct request *request, int64_t total, int64_t default_size, int64_t *out_first,
    int64_t *out_count, struct error *err);
/* Adds nextPageToken unless the window reaches the end of the list. */
void paging_add_token(cJSON *body, int64_t next, int64_t total);

/* The rows that a request's query string asks for: maxResults, startIndex, pageToken and the format
 * of timestamps. */
MUST_CHECK bool paging_rows(
    const struct request *request, int64_t default_size, struct rows_window *out_window,
    struct error *err);

#endif
