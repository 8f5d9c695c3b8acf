/* memory_sink: a sink that keeps what it is given and can be told to fail. */
#ifndef TESTS_SUPPORT_MEMORY_SINK_H
#define TESTS_SUPPORT_MEMORY_SINK_H

#include "base/buffer.h"
#include "base/spool.h"

#include <stdint.h>

struct memory_sink {
    struct buffer bytes;
    int writes;
    int fail_at; /* the write that fails, from 1; 0: none */
};

static inline bool memory_sink_write(void *context, struct slice bytes, struct error *err)
{
    struct memory_sink *to = context;

    if (++to->writes == to->fail_at)
        return error_set(err, ERROR_DISK, "write %d failed", to->writes);
    buffer_append_slice(&to->bytes, bytes);
    return buffer_check(&to->bytes, "the file", err);
}

static inline struct sink memory_sink_init(struct memory_sink *to, int fail_at)
{
    *to = (struct memory_sink){.fail_at = fail_at};
    buffer_init(&to->bytes, SIZE_MAX / 4);
    return (struct sink){.write = memory_sink_write, .context = to};
}

#endif
