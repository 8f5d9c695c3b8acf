/* pages: whether a list that comes page by page goes on. A server, or a cache on the way, that
 * gives the tokens of pages in a circle would be asked for ever. For the files of warehouse. */
#ifndef BQSYNC_WAREHOUSE_PAGES_H
#define BQSYNC_WAREHOUSE_PAGES_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialised at the first page. */
struct pages {
    int64_t count;
    int64_t mark_at;
    uint64_t mark;
};

/* Notes the token of the next page; ERROR_TRANSIENT if it has come before. subject: what is listed,
 * for the message. A circle is noticed before it was gone through three times. */
MUST_CHECK bool pages_follow(
    struct pages *pages, const char *subject, const char *token, struct error *err);

#endif
