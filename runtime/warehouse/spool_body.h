/* spool_body: a part of a spool as a request's body, with bytes around it, read while it is sent,
 * so that memory does not grow with it. For the files of this group. */
#ifndef BQSYNC_WAREHOUSE_SPOOL_BODY_H
#define BQSYNC_WAREHOUSE_SPOOL_BODY_H

#include "base/slice.h"
#include "base/spool.h"
#include "warehouse/http.h"

#include <stdint.h>

/* All borrowed. */
struct spool_body {
    const struct spool *file;
    uint64_t first; /* offset in the file */
    uint64_t length;
    struct slice before;
    struct slice after;
    uint64_t *sent; /* bytes of the file that were sent, repetitions included, are added here */
};

/* Borrows the body. */
struct http_source spool_body_source(struct spool_body *body);

#endif
