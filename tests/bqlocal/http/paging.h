/* paging: maxResults and page tokens of the list routes. */
#ifndef BQLOCAL_HTTP_PAGING_H
#define BQLOCAL_HTTP_PAGING_H

#include "bqlocal/http/exchange.h"

/* The window of a list of `total` items that a request asks for: its token is the index of the
 * first item. invalid if the token is none of ours. */
MUST_CHECK bool paging_window(
    const struct request *request, int64_t total, int64_t default_size, int64_t *out_first,
    int64_t *out_count, struct error *err);

/* Adds nextPageToken (or whatever the key is called) if items are left behind the window. */
void paging_add_token(cJSON *body, const char *key, int64_t next, int64_t total);

#endif
