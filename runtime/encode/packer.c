#include "encode/packer.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <stdlib.h>
#include <zstd.h>

/* What one of the libraries works with. */
struct deflate {
    struct isal_zstream stream;
    uint8_t level[ISAL_DEF_LVL1_DEFAULT];
};

struct packer {
    struct deflate *deflate; /* NULL: zstd */
    ZSTD_CCtx *zstd;
    size_t usual;    /* bytes of out for the blocks it was made for */
    size_t capacity; /* of out */
    uint8_t *out;
};

const char *codec_name(enum codec codec)
{
    static const char *const names[] = {"null", "deflate", "zstandard"};

    return names[codec];
}

/* What incompressible input becomes at worst. DEFLATE: stored blocks of at most 65,535 bytes with 5
 * bytes in front of each (RFC 1951, section 3.2.4), and some for what the compressor keeps free at
 * the end. */
static size_t bound(const struct packer *packer, size_t length)
{
    return packer->deflate != NULL ? length + (length / 65535 + 1) * 5 + 1024
                                   : ZSTD_compressBound(length);
}

bool packer_new(enum codec codec, size_t block_bytes, struct packer **out_packer, struct error *err)
{
    struct packer *made = calloc(1, sizeof *made);
    bool ok = false;

    assert(codec != CODEC_NULL);
    if (made != NULL) {
        if (codec == CODEC_DEFLATE)
            made->deflate = calloc(1, sizeof *made->deflate);
        else
            made->zstd = ZSTD_createCCtx();
        made->usual = made->capacity = bound(made, block_bytes);
        made->out = malloc(made->capacity);
        ok = (made->deflate != NULL || made->zstd != NULL) && made->out != NULL;
    }
    if (!ok) {
        packer_free(made);
        return error_set(err, ERROR_MEMORY, "out of memory for compression");
    }
    *out_packer = made;
    return true;
}

void packer_free(struct packer *packer)
{
    if (packer == NULL)
        return;
    ZSTD_freeCCtx(packer->zstd);
    free(packer->deflate);
    free(packer->out);
    free(packer);
}

/* Makes out as large as the block needs, and the usual size again after a large one. */
static bool fit(struct packer *packer, size_t length)
{
    size_t needed = bound(packer, length);

    if (needed <= packer->usual)
        needed = packer->usual;
    if (needed == packer->capacity)
        return true;
    uint8_t *out = malloc(needed);
    if (out == NULL)
        return needed <= packer->capacity;
    free(packer->out);
    packer->out = out;
    packer->capacity = needed;
    return true;
}

static void prepare(struct packer *packer, struct slice block)
{
    struct isal_zstream *stream = &packer->deflate->stream;

    stream->level = 1;
    stream->level_buf = packer->deflate->level;
    stream->level_buf_size = sizeof packer->deflate->level;
    stream->end_of_stream = 1;
    stream->flush = NO_FLUSH;
    stream->next_in = (uint8_t *)(uintptr_t)block.data;
    stream->avail_in = (uint32_t)block.length;
    stream->next_out = packer->out;
    stream->avail_out = (uint32_t)packer->capacity;
}

/* The streaming call is a tenth faster than the one for whole blocks. Only the latter promises to
 * store what it cannot make smaller, so it takes over where the output is too small. */
static bool deflate(struct packer *packer, struct slice block, size_t *out_length)
{
    struct isal_zstream *stream = &packer->deflate->stream;

    isal_deflate_init(stream);
    prepare(packer, block);
    bool ok = isal_deflate(stream) == COMP_OK && stream->internal_state.state == ZSTATE_END;
    if (!ok) {
        isal_deflate_stateless_init(stream);
        prepare(packer, block);
        ok = isal_deflate_stateless(stream) == COMP_OK && stream->avail_in == 0;
    }
    *out_length = stream->total_out;
    return ok;
}

/* From level 3 on the tables grow to 3.5 MiB a thread. With 2^16 entries each it is 1 MiB, and
 * blocks of 512 KiB become about a hundredth larger. 0: the level's own. */
static size_t zstd(struct packer *packer, int level, struct slice block)
{
    static const ZSTD_cParameter tables[] = {ZSTD_c_hashLog, ZSTD_c_chainLog};
    ZSTD_CCtx *context = packer->zstd;

    size_t status = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    for (size_t i = 0; !ZSTD_isError(status) && i < sizeof tables / sizeof tables[0]; i++)
        status = ZSTD_CCtx_setParameter(context, tables[i], level > 2 ? 16 : 0);
    return ZSTD_isError(status)
               ? status
               : ZSTD_compress2(context, packer->out, packer->capacity, block.data, block.length);
}

static bool compress(struct packer *packer, int level, struct slice block, size_t *out_length)
{
    if (packer->deflate != NULL)
        return deflate(packer, block, out_length);
    *out_length = zstd(packer, level, block);
    return !ZSTD_isError(*out_length);
}

bool packer_pack(
    struct packer *packer, int level, struct slice block, struct slice *out_packed,
    struct error *err)
{
    size_t length = 0;

    assert(block.length < UINT32_MAX / 2);
    // The room is there, so the one thing that zstd can lack is memory for a higher level.
    if (!fit(packer, block.length) || !compress(packer, level, block, &length))
        return error_set(
            err, ERROR_MEMORY, "out of memory for compressing %zu bytes", block.length);
    *out_packed = (struct slice){(const char *)packer->out, length};
    return true;
}
