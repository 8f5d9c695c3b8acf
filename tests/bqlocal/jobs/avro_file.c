#include "bqlocal/jobs/avro_file.h"

#include "bqlocal/store/failure.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define INFLATE_STEP 65536

static const uint8_t magic[] = {'O', 'b', 'j', 1};

static bool broken(struct error *err, const char *what)
{
    return failure_set_data(err, "The Avro file %s", what);
}

bool avro_read_long(const uint8_t **at, const uint8_t *end, int64_t *out_number)
{
    uint64_t number = 0;

    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        number |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            *out_number = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
            return true;
        }
    }
    return false;
}

bool avro_read_bytes(const uint8_t **at, const uint8_t *end, struct slice *out)
{
    int64_t length;

    if (!avro_read_long(at, end, &length) || length < 0 || length > end - *at)
        return false;
    *out = (struct slice){(const char *)*at, (size_t)length};
    *at += length;
    return true;
}

static const char *const codec_names[AVRO_CODEC_COUNT] = {"null", "deflate", "zstandard"};

static bool find_codec(struct slice name, enum avro_codec *out_codec)
{
    for (int i = 0; i < AVRO_CODEC_COUNT; i++)
        if (slice_equals(name, slice_of(codec_names[i]))) {
            *out_codec = (enum avro_codec)i;
            return true;
        }
    return false;
}

bool avro_codecs_parse(const char *list, unsigned *out_set)
{
    unsigned set = 0;

    for (const char *at = list; at != NULL; at = at[0] == ',' ? at + 1 : NULL) {
        enum avro_codec codec;
        size_t length = strcspn(at, ",");
        if (!find_codec((struct slice){at, length}, &codec))
            return false;
        set |= 1u << codec;
        at += length;
    }
    *out_set = set;
    return true;
}

/* In the words of Avro's own library for C++, which BigQuery is known to quote. */
static bool refuse_codec(struct slice name, struct error *err)
{
    return failure_set_data(
        err,
        "The Apache Avro library failed to parse the header with the following error: Unknown "
        "codec in data file: %.*s",
        name.length < 40 ? (int)name.length : 40, name.data);
}

static bool set_codec(struct slice name, struct avro_header *header, struct error *err)
{
    return find_codec(name, &header->codec) || refuse_codec(name, err);
}

/* The metadata map; *out_complete says whether it ended within the bytes. */
static bool read_metadata(
    const uint8_t **at, const uint8_t *end, struct avro_header *header, bool *out_complete,
    struct error *err)
{
    struct slice key, value;
    int64_t count, ignored;

    *out_complete = false;
    for (;;) {
        if (!avro_read_long(at, end, &count))
            return true;
        if (count == 0)
            break;
        // A negative count has a size behind it; this one has no opposite.
        if (count == INT64_MIN)
            return broken(err, "has a header with an impossible count");
        if (count < 0 && !avro_read_long(at, end, &ignored))
            return true;
        for (int64_t i = 0; i < (count < 0 ? -count : count); i++) {
            if (!avro_read_bytes(at, end, &key) || !avro_read_bytes(at, end, &value))
                return true;
            if (slice_equals(key, slice_of("avro.codec")) && !set_codec(value, header, err))
                return false;
            if (slice_equals(key, slice_of("avro.schema"))) {
                // The copy ends there, its length would not.
                if (value.length > 0 && memchr(value.data, '\0', value.length) != NULL)
                    return broken(err, "has a schema with a zero byte");
                free(header->schema);
                header->schema = strndup(value.data, value.length);
                header->schema_length = value.length;
            }
        }
    }
    *out_complete = true;
    return true;
}

bool avro_header_parse(
    struct slice bytes, struct avro_header *out_header, bool *out_needs_more, struct error *err)
{
    const uint8_t *start = (const uint8_t *)bytes.data;
    const uint8_t *at = start;
    const uint8_t *end = start + bytes.length;
    struct avro_header header = {0};
    bool complete = false;

    *out_needs_more = true;
    if (bytes.length < sizeof magic)
        return true;
    if (memcmp(at, magic, sizeof magic) != 0)
        return broken(err, "does not start with the magic bytes Obj 1");
    at += sizeof magic;
    if (!read_metadata(&at, end, &header, &complete, err)) {
        avro_header_clear(&header);
        return false;
    }
    if (!complete || end - at < (ptrdiff_t)sizeof header.sync) {
        avro_header_clear(&header);
        return true;
    }
    if (header.schema == NULL)
        return broken(err, "has no schema");
    memcpy(header.sync, at, sizeof header.sync);
    header.length = (size_t)(at - start) + sizeof header.sync;
    *out_header = header;
    *out_needs_more = false;
    return true;
}

void avro_header_clear(struct avro_header *header)
{
    free(header->schema);
    *header = (struct avro_header){0};
}

/* Reads into the buffer from the file's position on, without moving it. */
static bool peek(struct avro_file *file, uint64_t length, struct buffer *to, struct error *err)
{
    buffer_reset(to);
    char *room = buffer_reserve(to, (size_t)length);
    if (room == NULL)
        return buffer_check(to, "an Avro block", err);
    if (!spool_read(file->spool, file->at, room, (size_t)length, err))
        return false;
    to->length = (size_t)length;
    return true;
}

static bool read_header(struct avro_file *file, struct error *err)
{
    bool needs_more = true;

    for (uint64_t size = 16384; needs_more; size *= 4) {
        uint64_t left = file->end - file->at;
        uint64_t length = size < left ? size : left;
        if (!peek(file, length, &file->stored, err) ||
            !avro_header_parse(buffer_slice(&file->stored), &file->header, &needs_more, err))
            return false;
        if (needs_more && (length == left || length > AVRO_HEADER_BYTES_MAX))
            return broken(err, "ends within its header");
    }
    file->at += file->header.length;
    return true;
}

bool avro_file_open(
    struct spool *spool, uint64_t offset, uint64_t length, struct avro_file *out_file,
    struct error *err)
{
    *out_file = (struct avro_file){.spool = spool, .at = offset, .end = offset + length};
    buffer_init(&out_file->stored, AVRO_HEADER_BYTES_MAX * 4);
    // Inflating asks for room in steps, the last of which may lie beyond the limit.
    buffer_init(&out_file->block, AVRO_BLOCK_BYTES_MAX + INFLATE_STEP);
    if (read_header(out_file, err))
        return true;
    avro_file_close(out_file);
    return false;
}

bool avro_file_check_codec(const struct avro_file *file, unsigned codecs, struct error *err)
{
    return (codecs >> file->header.codec & 1) != 0 ||
           refuse_codec(slice_of(codec_names[file->header.codec]), err);
}

void avro_file_close(struct avro_file *file)
{
    if (file->inflater != NULL)
        inflateEnd(file->inflater);
    free(file->inflater);
    file->inflater = NULL;
    ZSTD_freeDCtx(file->unzstd);
    file->unzstd = NULL;
    avro_header_clear(&file->header);
    buffer_clear(&file->stored);
    buffer_clear(&file->block);
}

/* Whether the bytes behind a DEFLATE stream are the start of zlib's checksum of the block, or none:
 * Apache's and fastavro's writers in Python leave three of its four bytes there. */
static bool is_checksum(const struct avro_file *file, const z_stream *stream)
{
    uLong sum = adler32(1, (const Bytef *)file->block.data, (uInt)file->block.length);
    const uint8_t bytes[] = {
        (uint8_t)(sum >> 24), (uint8_t)(sum >> 16), (uint8_t)(sum >> 8), (uint8_t)sum};

    return stream->avail_in <= sizeof bytes &&
           memcmp(stream->next_in, bytes, stream->avail_in) == 0;
}

static bool inflate_block(struct avro_file *file, struct slice stored, struct error *err)
{
    z_stream *stream = file->inflater;
    int status = Z_OK;

    if (stream == NULL) {
        stream = calloc(1, sizeof *stream);
        // Raw deflate: no zlib header, no checksum.
        if (stream == NULL || inflateInit2(stream, -MAX_WBITS) != Z_OK) {
            free(stream);
            return error_set(err, ERROR_MEMORY, "out of memory for an Avro block");
        }
        file->inflater = stream;
    }
    inflateReset(stream);
    stream->next_in = (Bytef *)(uintptr_t)stored.data;
    stream->avail_in = (uInt)stored.length;
    while (status == Z_OK) {
        char *room = buffer_reserve(&file->block, INFLATE_STEP);
        if (room == NULL)
            return broken(err, "has a block larger than 16 MB");
        stream->next_out = (Bytef *)room;
        stream->avail_out = INFLATE_STEP;
        status = inflate(stream, Z_NO_FLUSH);
        file->block.length += INFLATE_STEP - stream->avail_out;
    }
    if (file->block.length > AVRO_BLOCK_BYTES_MAX)
        return broken(err, "has a block larger than 16 MB");
    return (status == Z_STREAM_END && is_checksum(file, stream)) ||
           broken(err, "has a block that is not a DEFLATE stream");
}

/* One or more whole frames: Avro's specification says nothing of their number, and writers that
 * stream do not put the size of the content in front. */
static bool decompress_block(struct avro_file *file, struct slice stored, struct error *err)
{
    ZSTD_inBuffer in = {.src = stored.data, .size = stored.length};
    size_t left = 1;

    if (file->unzstd == NULL && (file->unzstd = ZSTD_createDCtx()) == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for an Avro block");
    ZSTD_DCtx_reset(file->unzstd, ZSTD_reset_session_only);
    while (in.pos < in.size || left != 0) {
        size_t before = in.pos;
        char *room = buffer_reserve(&file->block, INFLATE_STEP);
        if (room == NULL)
            return broken(err, "has a block larger than 16 MB");
        ZSTD_outBuffer out = {.dst = room, .size = INFLATE_STEP};
        left = ZSTD_decompressStream(file->unzstd, &out, &in);
        file->block.length += out.pos;
        if (ZSTD_isError(left) || (left != 0 && out.pos == 0 && in.pos == before))
            return broken(err, "has a block that is not a Zstandard frame");
    }
    return file->block.length <= AVRO_BLOCK_BYTES_MAX ||
           broken(err, "has a block larger than 16 MB");
}

static bool unpack(struct avro_file *file, uint64_t size, struct slice *out, struct error *err)
{
    struct slice stored = {file->stored.data, (size_t)size};

    if (file->header.codec == AVRO_CODEC_NULL) {
        *out = stored;
        return true;
    }
    buffer_reset(&file->block);
    bool ok = file->header.codec == AVRO_CODEC_DEFLATE ? inflate_block(file, stored, err)
                                                       : decompress_block(file, stored, err);
    if (!ok)
        return false;
    *out = buffer_slice(&file->block);
    return true;
}

/* The row count and the size; the file's position is behind them afterwards. */
static bool read_block_header(
    struct avro_file *file, int64_t *out_rows, uint64_t *out_size, struct error *err)
{
    uint64_t left = file->end - file->at;
    int64_t size = 0;

    if (!peek(
            file, left < AVRO_BLOCK_HEADER_MAX ? left : AVRO_BLOCK_HEADER_MAX, &file->stored, err))
        return false;
    const uint8_t *start = (const uint8_t *)file->stored.data;
    const uint8_t *at = start;
    const uint8_t *end = start + file->stored.length;
    if (!avro_read_long(&at, end, out_rows) || !avro_read_long(&at, end, &size) || size < 0)
        return broken(err, "ends within a block");
    if (*out_rows <= 0)
        return broken(err, "has a block without rows (EOF reached)");
    if ((uint64_t)size > AVRO_BLOCK_BYTES_MAX)
        return broken(err, "has a block larger than 16 MB");
    file->at += (uint64_t)(at - start);
    *out_size = (uint64_t)size;
    return true;
}

bool avro_file_next(
    struct avro_file *file, int64_t *out_rows, struct slice *out_bytes, struct error *err)
{
    uint64_t size = 0;

    *out_rows = 0;
    if (file->at == file->end)
        return true;
    if (!read_block_header(file, out_rows, &size, err))
        return false;
    uint64_t whole = size + sizeof file->header.sync;
    if (file->end - file->at < whole)
        return broken(err, "ends within a block");
    if (!peek(file, whole, &file->stored, err))
        return false;
    if (memcmp(file->stored.data + size, file->header.sync, sizeof file->header.sync) != 0)
        return broken(err, "has a block that does not end in the sync marker");
    file->at += whole;
    return unpack(file, size, out_bytes, err);
}
