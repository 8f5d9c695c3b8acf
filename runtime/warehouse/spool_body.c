#include "warehouse/spool_body.h"

#include <string.h>

static size_t copy_slice(struct slice from, uint64_t offset, char *out, size_t room)
{
    if (offset >= from.length)
        return 0;
    size_t count = from.length - (size_t)offset;
    if (count > room)
        count = room;
    memcpy(out, from.data + offset, count);
    return count;
}

static bool body_read(
    void *context, uint64_t offset, void *out_bytes, size_t length, struct error *err)
{
    struct spool_body *body = context;
    char *out = out_bytes;

    size_t count = copy_slice(body->before, offset, out, length);
    offset += count;
    out += count;
    length -= count;

    uint64_t inside = offset - body->before.length;
    if (length > 0 && inside < body->length) {
        count = length;
        if (count > body->length - inside)
            count = (size_t)(body->length - inside);
        if (!spool_read(body->file, body->first + inside, out, count, err))
            return false;
        *body->sent += count;
        offset += count;
        out += count;
        length -= count;
    }
    if (length > 0)
        copy_slice(body->after, offset - body->before.length - body->length, out, length);
    return true;
}

struct http_source spool_body_source(struct spool_body *body)
{
    return (struct http_source){
        .context = body,
        .length = body->before.length + body->length + body->after.length,
        .read = body_read,
    };
}
