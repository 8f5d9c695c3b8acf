/* content_coding: request bodies with Content-Encoding: gzip (RFC 9110, section 8.4.1.3), decoded
 * as they arrive. Google's Java client sends all its JSON so. Any thread. */
#ifndef BQLOCAL_HTTP_CONTENT_CODING_H
#define BQLOCAL_HTTP_CONTENT_CODING_H

#include "base/error.h"
#include "base/slice.h"

struct content_coding;

/* Takes decoded bytes; they are borrowed. */
typedef bool content_sink(void *context, struct slice bytes, struct error *err);

/* *out_coding is NULL where the encoding (NULL: none) changes nothing. */
MUST_CHECK bool content_coding_new(
    const char *encoding, struct content_coding **out_coding, struct error *err);
void content_coding_free(struct content_coding *coding);

/* Decodes bytes of the body and hands them on; badRequest where they are no gzip. */
MUST_CHECK bool content_coding_write(
    struct content_coding *coding, struct slice bytes, content_sink *sink, void *context,
    struct error *err);
/* badRequest where the body ended before its encoding did. NULL is fine. */
MUST_CHECK bool content_coding_check_end(const struct content_coding *coding, struct error *err);

#endif
