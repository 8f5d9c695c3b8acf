/* utf8: whether bytes are UTF-8, at the speed of the memory. Pure functions. None reads outside of
 * its text, which may begin at any address. Valid is what RFC 3629 says: no surrogates, no overlong
 * forms, at most U+10FFFF; and U+0000, which BigQuery does not take, is not. */
#ifndef BQSYNC_ENCODE_UTF8_H
#define BQSYNC_ENCODE_UTF8_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether all bytes are 0x01 to 0x7f, as those of most texts are. */
bool utf8_is_ascii(struct slice text);

/* Whether the text is valid. */
bool utf8_is_valid(struct slice text);

/* How many bytes from the begin on are valid: all, or those in front of the first code point that
 * is not. One code point after the other, for texts that are not valid, for machines without the
 * instructions of utf8_is_valid, and as what its results are compared with. */
size_t utf8_valid_length(struct slice text);

#endif
