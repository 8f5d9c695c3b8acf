/* multipart: the two parts of a multipart/related body (RFC 2387) in a spool: a job as JSON, and
 * media, which is found and not copied. Lines end in CRLF or, from some clients, in LF alone. */
#ifndef BQLOCAL_JOBS_MULTIPART_H
#define BQLOCAL_JOBS_MULTIPART_H

#include "base/error.h"
#include "base/spool.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* The boundary of a Content-Type, without quotes; owned, NULL if there is none. */
char *multipart_boundary(const char *content_type);

/* Finds the first part, parsed as JSON (owned), and where the second part's content lies. */
MUST_CHECK bool multipart_split(
    const struct spool *spool, const char *boundary, cJSON **out_job, uint64_t *out_offset,
    uint64_t *out_length, struct error *err);

#endif
