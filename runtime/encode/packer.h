/* packer: compresses whole blocks of an Avro file: raw DEFLATE (RFC 1951) by ISA-L at its level 1,
 * which packs nearly as well as zlib's lowest level at several times its speed, or a Zstandard
 * frame (RFC 8878) by libzstd at the level that the caller names for each block. A packer keeps its
 * memory from block to block; each belongs to one thread at a time. */
#ifndef BQSYNC_ENCODE_PACKER_H
#define BQSYNC_ENCODE_PACKER_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum codec { CODEC_NULL, CODEC_DEFLATE, CODEC_ZSTD };

/* The codec's name in the header of an Avro file (Apache Avro specification, "Required Codecs" and
 * "Optional Codecs"); a static string. */
const char *codec_name(enum codec codec);

struct packer;

/* Returns owned a packer with room for blocks of block_bytes; larger ones make it grow until the
 * block after them. The codec is one that compresses. ERROR_MEMORY. */
MUST_CHECK bool packer_new(
    enum codec codec, size_t block_bytes, struct packer **out_packer, struct error *err);
void packer_free(struct packer *packer);

/* Packs one block of less than 2 GiB. level: of zstd; DEFLATE has one only. The result is borrowed
 * until the next call; ERROR_MEMORY. */
MUST_CHECK bool packer_pack(
    struct packer *packer, int level, struct slice block, struct slice *out_packed,
    struct error *err);

#endif
