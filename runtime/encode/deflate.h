/* deflate: raw DEFLATE (RFC 1951) of whole blocks by ISA-L at its level 1, which packs nearly as
 * well as zlib's lowest level at several times its speed. A deflater keeps its memory from block to
 * block; each belongs to one thread at a time. */
#ifndef BQSYNC_ENCODE_DEFLATE_H
#define BQSYNC_ENCODE_DEFLATE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct deflater;

/* Returns owned a deflater with room for blocks of block_bytes; larger ones make it grow until the
 * block after them. ERROR_MEMORY. */
MUST_CHECK bool deflater_new(size_t block_bytes, struct deflater **out_deflater, struct error *err);
void deflater_free(struct deflater *deflater);

/* Packs one block of less than 4 GiB. The result is borrowed until the next call; ERROR_MEMORY. */
MUST_CHECK bool deflater_pack(
    struct deflater *deflater, struct slice block, struct slice *out_packed, struct error *err);

#endif
