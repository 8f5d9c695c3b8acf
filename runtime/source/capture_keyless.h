/* capture_keyless: the triggers that note when a row with a NULL in its key is written. The dirty
 * set cannot list such a row, and with a key of several columns no index finds it. Internal to
 * source. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_CAPTURE_KEYLESS_H
#define BQSYNC_SOURCE_CAPTURE_KEYLESS_H

#include "base/buffer.h"
#include "source/capture.h"

/* Appends their CREATE TRIGGER statements; none if rows without a key are impossible, or can be
 * looked up. */
void capture_keyless_append_sql(const struct source_table *in, struct buffer *out_sql);

#endif
