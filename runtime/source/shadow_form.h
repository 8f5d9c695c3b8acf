/* shadow_form: in which form the state database keeps the shadow of a table (source/shadow.h). */
#ifndef BQSYNC_SOURCE_SHADOW_FORM_H
#define BQSYNC_SOURCE_SHADOW_FORM_H

#include "source/capture.h"

enum shadow_form {
    SHADOW_FORM_ROWS, /* a row for each key */
    SHADOW_FORM_KEYS, /* a row for each key, with the converted key */
    /* Some hundred keys in each row (source/shadow_pack.h): the key is an INTEGER PRIMARY KEY, so
     * rows are read and compared in its order, and nothing has to be looked up. */
    SHADOW_FORM_PACKED,
};

static inline enum shadow_form shadow_form_of(const struct source_shape *shape)
{
    return shape->keeps_keys    ? SHADOW_FORM_KEYS
           : shape->integer_key ? SHADOW_FORM_PACKED
                                : SHADOW_FORM_ROWS;
}

#endif
