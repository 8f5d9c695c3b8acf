/* base64: bytes as text (RFC 4648). Pure. */
#ifndef BQSYNC_BASE_BASE64_H
#define BQSYNC_BASE_BASE64_H

#include "base/buffer.h"
#include "base/slice.h"

/* Appends the bytes in base64, with padding (section 4). */
void base64_append(struct buffer *out, struct slice bytes);

/* Appends them in base64url, without padding (section 5). */
void base64_append_url(struct buffer *out, struct slice bytes);

#endif
