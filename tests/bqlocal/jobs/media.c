#include "bqlocal/jobs/media.h"

#include "bqlocal/jobs/avro_file.h"
#include "bqlocal/store/failure.h"

#include <stdlib.h>
#include <string.h>

/* Uploads up to this size stay in memory. */
#define MEMORY_BYTES_MAX ((size_t)4 << 20)

enum counter_state { COUNTER_HEADER, COUNTER_BLOCK, COUNTER_SKIP };

struct media_writer {
    struct spool *spool;
    bool forgetful;
    enum counter_state state;
    struct buffer header;
    uint8_t block[AVRO_BLOCK_HEADER_MAX];
    size_t block_length;
    uint64_t skip; /* bytes until the next block */
    int64_t rows;
};

void media_clear(struct media *media)
{
    spool_free(media->spool);
    *media = (struct media){.forgotten_rows = -1};
}

bool media_writer_new(bool forgetful, struct media_writer **out_writer, struct error *err)
{
    struct media_writer *writer = calloc(1, sizeof *writer);

    if (writer == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for an upload");
    writer->forgetful = forgetful;
    buffer_init(&writer->header, AVRO_HEADER_BYTES_MAX);
    if (!spool_new(MEMORY_BYTES_MAX, &writer->spool, err)) {
        free(writer);
        return false;
    }
    *out_writer = writer;
    return true;
}

void media_writer_free(struct media_writer *writer)
{
    if (writer == NULL)
        return;
    spool_free(writer->spool);
    buffer_clear(&writer->header);
    free(writer);
}

struct spool *media_spool(const struct media_writer *writer)
{
    return writer->spool;
}

/* Takes bytes of the file's header; what lies behind it stays in *bytes. */
static bool count_header(struct media_writer *writer, struct slice *bytes, struct error *err)
{
    struct avro_header header = {0};
    size_t before = writer->header.length;
    bool needs_more = true;

    buffer_append_slice(&writer->header, *bytes);
    if (!buffer_check(&writer->header, "an Avro header", err) ||
        !avro_header_parse(buffer_slice(&writer->header), &header, &needs_more, err))
        return false;
    if (needs_more) {
        bytes->length = 0;
        return true;
    }
    size_t used = header.length - before;
    bytes->data += used;
    bytes->length -= used;
    writer->header.length = header.length;
    avro_header_clear(&header);
    writer->state = COUNTER_BLOCK;
    return spool_write(writer->spool, buffer_slice(&writer->header), err);
}

/* Takes one byte of a block's header. */
static bool count_block(struct media_writer *writer, struct slice *bytes, struct error *err)
{
    const uint8_t *at = writer->block;
    int64_t rows, size;

    writer->block[writer->block_length++] = (uint8_t)*bytes->data++;
    bytes->length--;
    const uint8_t *end = writer->block + writer->block_length;
    if (avro_read_long(&at, end, &rows) && avro_read_long(&at, end, &size)) {
        if (rows <= 0 || size < 0 || (uint64_t)size > AVRO_BLOCK_BYTES_MAX)
            return failure_set_data(err, "The Avro file has a block without rows or above 16 MB");
        writer->rows += rows;
        writer->skip = (uint64_t)size + sizeof((struct avro_header *)0)->sync;
        writer->block_length = 0;
        writer->state = COUNTER_SKIP;
    } else if (writer->block_length == sizeof writer->block) {
        return failure_set_data(err, "The Avro file is damaged");
    }
    return true;
}

static void count_skip(struct media_writer *writer, struct slice *bytes)
{
    size_t step = writer->skip < bytes->length ? (size_t)writer->skip : bytes->length;

    bytes->data += step;
    bytes->length -= step;
    writer->skip -= step;
    if (writer->skip == 0)
        writer->state = COUNTER_BLOCK;
}

bool media_write(struct media_writer *writer, struct slice bytes, struct error *err)
{
    if (!writer->forgetful)
        return spool_write(writer->spool, bytes, err);
    while (bytes.length > 0) {
        if (writer->state == COUNTER_SKIP)
            count_skip(writer, &bytes);
        else if (
            writer->state == COUNTER_HEADER ? !count_header(writer, &bytes, err)
                                            : !count_block(writer, &bytes, err))
            return false;
    }
    return true;
}

bool media_take(
    struct media_writer *writer, uint64_t offset, uint64_t length, struct media *out_media,
    struct error *err)
{
    if (writer->forgetful && (writer->state != COUNTER_BLOCK || writer->block_length > 0))
        return failure_set_data(err, "The Avro file ends within a block");
    *out_media = (struct media){
        .spool = writer->spool,
        .offset = offset,
        .length = length,
        .forgotten_rows = writer->forgetful ? writer->rows : -1,
    };
    writer->spool = NULL;
    return true;
}
