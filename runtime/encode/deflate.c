#include "encode/deflate.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <stdlib.h>

struct deflater {
    struct isal_zstream stream;
    size_t usual;    /* bytes of out for the blocks it was made for */
    size_t capacity; /* of out */
    uint8_t *out;
    uint8_t level[ISAL_DEF_LVL1_DEFAULT];
};

/* What incompressible input becomes at worst: stored blocks of at most 65,535 bytes with 5 bytes in
 * front of each (RFC 1951, section 3.2.4), and some for what the compressor keeps free at the end.
 */
static size_t bound(size_t length)
{
    return length + (length / 65535 + 1) * 5 + 1024;
}

bool deflater_new(size_t block_bytes, struct deflater **out_deflater, struct error *err)
{
    struct deflater *made = calloc(1, sizeof *made);

    if (made != NULL) {
        made->usual = made->capacity = bound(block_bytes);
        made->out = malloc(made->capacity);
    }
    if (made == NULL || made->out == NULL) {
        deflater_free(made);
        return error_set(err, ERROR_MEMORY, "out of memory for compression");
    }
    *out_deflater = made;
    return true;
}

void deflater_free(struct deflater *deflater)
{
    if (deflater == NULL)
        return;
    free(deflater->out);
    free(deflater);
}

/* Makes out as large as the block needs, and the usual size again after a large one. */
static bool fit(struct deflater *deflater, size_t length)
{
    size_t needed = bound(length);

    if (needed <= deflater->usual)
        needed = deflater->usual;
    if (needed == deflater->capacity)
        return true;
    uint8_t *out = malloc(needed);
    if (out == NULL)
        return needed <= deflater->capacity;
    free(deflater->out);
    deflater->out = out;
    deflater->capacity = needed;
    return true;
}

static void prepare(struct deflater *deflater, struct slice block)
{
    struct isal_zstream *stream = &deflater->stream;

    stream->level = 1;
    stream->level_buf = deflater->level;
    stream->level_buf_size = sizeof deflater->level;
    stream->end_of_stream = 1;
    stream->flush = NO_FLUSH;
    stream->next_in = (uint8_t *)(uintptr_t)block.data;
    stream->avail_in = (uint32_t)block.length;
    stream->next_out = deflater->out;
    stream->avail_out = (uint32_t)deflater->capacity;
}

/* The streaming call is a tenth faster than the one for whole blocks. Only the latter promises to
 * store what it cannot make smaller, so it takes over where the output is too small. */
static bool compress(struct deflater *deflater, struct slice block)
{
    struct isal_zstream *stream = &deflater->stream;

    isal_deflate_init(stream);
    prepare(deflater, block);
    if (isal_deflate(stream) == COMP_OK && stream->internal_state.state == ZSTATE_END)
        return true;
    isal_deflate_stateless_init(stream);
    prepare(deflater, block);
    return isal_deflate_stateless(stream) == COMP_OK && stream->avail_in == 0;
}

bool deflater_pack(
    struct deflater *deflater, struct slice block, struct slice *out_packed, struct error *err)
{
    assert(block.length < UINT32_MAX / 2);
    if (!fit(deflater, block.length))
        return error_set(
            err, ERROR_MEMORY, "out of memory for compressing %zu bytes", block.length);
    if (!compress(deflater, block))
        return error_set(err, ERROR_LIMIT, "cannot compress a block of %zu bytes", block.length);
    *out_packed = (struct slice){(const char *)deflater->out, deflater->stream.total_out};
    return true;
}
