/* json_normal: a JSON text the way BigQuery's JSON type prints it: no white space, members sorted
 * by the bytes of their names, the first of duplicate names, integers as they are, other numbers as
 * json_number prints them. Two texts that mean the same come out the same. Pure. */
#ifndef BQSYNC_BASE_JSON_NORMAL_H
#define BQSYNC_BASE_JSON_NORMAL_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>

/* What a text has that its normalised form lacks. */
struct json_losses {
    bool duplicate;      /* an object names a member twice */
    struct slice number; /* the first number that is printed as another one; borrowed, or empty */
};

/* Appends the normalised text; false, with out in no useful state, if it is not JSON or nests too
 * deep. out_losses may be NULL. */
bool json_normal(struct slice text, struct buffer *out, struct json_losses *out_losses);

#endif
