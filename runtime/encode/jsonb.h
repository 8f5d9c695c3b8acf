/* jsonb: SQLite's binary JSON as text (SQLite documentation, "The SQLite JSONB Format"). Pure. */
#ifndef BQSYNC_ENCODE_JSONB_H
#define BQSYNC_ENCODE_JSONB_H

#include "base/buffer.h"
#include "base/slice.h"

/* Appends the text of the one value that the blob holds. What JSON5 allows and JSON does not
 * (hexadecimal numbers, '.5', escapes such as \x41) is written as JSON. Each element becomes one
 * value of its kind, or none; json_check has to check whether it is valid. Returns NULL, or why it
 * is none, a static text for people. */
const char *jsonb_text(struct slice blob, struct buffer *out);

#endif
