/* index_text: the expressions and the filter of an index as its CREATE INDEX statement spells them,
 * which SQLite tells in no other way. Internal to source. */
#ifndef BQSYNC_SOURCE_CAPTURE_INDEX_TEXT_H
#define BQSYNC_SOURCE_CAPTURE_INDEX_TEXT_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* The position-th (from 0) item between the parentheses of a valid CREATE INDEX statement, without
 * ASC or DESC; borrowed from sql. False if there is none. */
bool capture_index_text_item(const char *sql, size_t position, struct slice *out_item);

/* The condition behind WHERE of a partial index's statement; borrowed from sql. False if there is
 * none. */
bool capture_index_text_filter(const char *sql, struct slice *out_filter);

#endif
