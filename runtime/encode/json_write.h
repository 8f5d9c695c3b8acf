/* json_write: strings of JSON that is written value by value. Pure. */
#ifndef BQSYNC_ENCODE_JSON_WRITE_H
#define BQSYNC_ENCODE_JSON_WRITE_H

#include "base/buffer.h"
#include "base/slice.h"

/* Appends the text, which is valid UTF-8, as a JSON string with its quotes. */
void json_write_string(struct buffer *out, struct slice text);

/* The same without the quotes. */
void json_write_escaped(struct buffer *out, struct slice text);

/* Appends a JSON string of the bytes in base64, with padding (RFC 4648 4). */
void json_write_base64(struct buffer *out, struct slice bytes);

#endif
