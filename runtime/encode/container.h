/* container: an Avro object file (Apache Avro specification, "Object Container Files"): header,
 * then blocks of rows compressed by one codec, handed to a sink as they fill. Compression runs on
 * helper threads, and the caller compresses a block itself when their queue is full, so blocks
 * may leave out of row order; memory is a fixed number of blocks whatever the table's size. One
 * caller thread; the sink is called from any of them, one at a time. */
#ifndef BQSYNC_ENCODE_CONTAINER_H
#define BQSYNC_ENCODE_CONTAINER_H

#include "base/error.h"
#include "base/spool.h"
#include "encode/avro.h"
#include "encode/packer.h"

#include <stdbool.h>
#include <stdint.h>

/* BigQuery takes Avro blocks of up to 16 MB (Google Cloud documentation, "Loading Avro data"). */
#define CONTAINER_BLOCK_BYTES_MAX ((size_t)16 * 1000 * 1000)

struct container;

struct container_options {
    const char *schema_json; /* avro_schema_text; copied */
    const bool *nullable;    /* as of avro_writer; borrowed until close */
    enum codec codec;
    int level;          /* of zstd; 0: chosen from block to block for the link (encode/level.h) */
    double link_bytes;  /* what the link carries in a second; 0: nobody knows */
    size_t block_bytes; /* a block is closed when its raw rows reach this; 0: the codec's default */
    int threads;        /* compressor threads besides the caller; 0: none */
};

struct container_stats {
    uint64_t rows;
    uint64_t raw_bytes;
    uint64_t written_bytes; /* given to the sink */
    int level;              /* of zstd, of the block packed last; else 0 */
};

/* Returns owned. Writes the header to the sink. Errors: ERROR_MEMORY, ERROR_CONFIG without random
 * bytes, or what the sink met. */
MUST_CHECK bool container_open(
    const struct container_options *options, struct sink sink, struct container **out_container,
    struct error *err);

/* Begins a row: the writer to encode its fields with, borrowed until container_end_row. */
struct avro_writer *container_begin_row(struct container *container);

/* Ends the row; may hand blocks to the sink. ERROR_LIMIT if the row cannot fit into a block that
 * BigQuery takes (16 MB): the row is then left out, and the container stays usable. ERROR_MEMORY,
 * or what the sink met, perhaps with an earlier block. */
MUST_CHECK bool container_end_row(struct container *container, struct error *err);

/* Removes the row begun last. */
void container_abandon_row(struct container *container);

/* Flushes, waits for the compressors and frees the container, also on failure. out_stats may be
 * NULL. */
MUST_CHECK bool container_close(
    struct container *container, struct container_stats *out_stats, struct error *err);

/* Frees without finishing. NULL is fine. */
void container_abandon(struct container *container);

#endif
