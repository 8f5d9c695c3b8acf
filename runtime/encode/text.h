/* text: what makes bytes a text that BigQuery takes as STRING. Pure functions. A check answers NULL
 * if all is well and else a short reason for people, a static string ("is not valid UTF-8"). */
#ifndef BQSYNC_ENCODE_TEXT_H
#define BQSYNC_ENCODE_TEXT_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF) without U+0000. */
const char *text_check(struct slice text);

/* Whether the UTF-16 text in the machine's byte order has no lone surrogate. Not aligned. */
bool text_utf16_is_valid(const void *bytes, size_t length);

/* The first code_points code points of a valid UTF-8 text, or all of it. */
struct slice text_prefix(struct slice text, size_t code_points);

#endif
