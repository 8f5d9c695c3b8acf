/* avro_file: the blocks of an Avro object container file (Apache Avro specification, "Object
 * Container Files"), read from uploaded media one at a time. It checks what BigQuery refuses in a
 * container: unknown codecs, blocks above 16 MB, blocks without rows, broken markers. The rows
 * inside a block are libavro's to decode. */
#ifndef BQLOCAL_JOBS_AVRO_FILE_H
#define BQLOCAL_JOBS_AVRO_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/spool.h"

#include <stdbool.h>
#include <stdint.h>

/* BigQuery's limit of a block ("Quotas and limits"); we hold it before and after decompression. */
#define AVRO_BLOCK_BYTES_MAX ((uint64_t)16 << 20)

/* A schema of 10,000 columns stays far below this. */
#define AVRO_HEADER_BYTES_MAX ((size_t)32 << 20)

/* The longest row count and size of a block: two varints. */
#define AVRO_BLOCK_HEADER_MAX 20

enum avro_codec { AVRO_CODEC_NULL, AVRO_CODEC_DEFLATE, AVRO_CODEC_ZSTANDARD, AVRO_CODEC_COUNT };

/* Reads a list of names with commas in between ("deflate,null") into a set of bits, one a codec;
 * false if one is unknown or there is none. */
bool avro_codecs_parse(const char *list, unsigned *out_set);
#define AVRO_CODECS_ALL ((1u << AVRO_CODEC_COUNT) - 1)

struct avro_header {
    char *schema; /* the text of avro.schema, owned */
    size_t schema_length;
    enum avro_codec codec;
    uint8_t sync[16];
    size_t length; /* of the header in the file */
};

struct avro_file {
    struct spool *spool; /* borrowed */
    uint64_t at;
    uint64_t end;
    struct avro_header header;
    struct buffer stored; /* a block as it is in the file */
    struct buffer block;  /* decompressed */
    void *inflater;
    void *unzstd;
};

/* Reads a header from the start of a file; needs_more is set where the bytes end too early. */
MUST_CHECK bool avro_header_parse(
    struct slice bytes, struct avro_header *out_header, bool *out_needs_more, struct error *err);
void avro_header_clear(struct avro_header *header);

/* Length-prefixed bytes at *at, which moves behind them; false if they do not fit before the end.
 */
bool avro_read_bytes(const uint8_t **at, const uint8_t *end, struct slice *out);
/* A zig-zag varint at *at, which moves behind it; false if the bytes end or it is too long. */
bool avro_read_long(const uint8_t **at, const uint8_t *end, int64_t *out_number);

MUST_CHECK bool avro_file_open(
    struct spool *spool, uint64_t offset, uint64_t length, struct avro_file *out_file,
    struct error *err);
void avro_file_close(struct avro_file *file);

/* Refuses a file whose codec is not in the set. */
MUST_CHECK bool avro_file_check_codec(
    const struct avro_file *file, unsigned codecs, struct error *err);

/* The next block: its rows and decompressed bytes, borrowed until the next call; rows is 0 at the
 * end of the file. */
MUST_CHECK bool avro_file_next(
    struct avro_file *file, int64_t *out_rows, struct slice *out_bytes, struct error *err);

#endif
