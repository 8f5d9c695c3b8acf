#include "bqlocal/http/content_coding.h"

#include "bqlocal/store/failure.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

#define STEP_BYTES 65536

struct content_coding {
    z_stream stream;
    bool started; /* some bytes have come */
    bool ended;
};

bool content_coding_new(const char *encoding, struct content_coding **out_coding, struct error *err)
{
    *out_coding = NULL;
    if (encoding == NULL || strcasecmp(encoding, "gzip") != 0)
        return true;
    struct content_coding *coding = calloc(1, sizeof *coding);
    if (coding == NULL || inflateInit2(&coding->stream, 16 + MAX_WBITS) != Z_OK) {
        free(coding);
        return error_set(err, ERROR_MEMORY, "out of memory for a request");
    }
    *out_coding = coding;
    return true;
}

void content_coding_free(struct content_coding *coding)
{
    if (coding == NULL)
        return;
    inflateEnd(&coding->stream);
    free(coding);
}

bool content_coding_write(
    struct content_coding *coding, struct slice bytes, content_sink *sink, void *context,
    struct error *err)
{
    z_stream *stream = &coding->stream;
    char decoded[STEP_BYTES];

    coding->started = true;
    stream->next_in = (Bytef *)(uintptr_t)bytes.data;
    stream->avail_in = (uInt)bytes.length;
    stream->avail_out = 0;
    while (stream->avail_in > 0 || stream->avail_out == 0) {
        stream->next_out = (Bytef *)decoded;
        stream->avail_out = sizeof decoded;
        int status = coding->ended ? Z_DATA_ERROR : inflate(stream, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return failure_set(err, "badRequest", "The body is not gzip, as its encoding says");
        coding->ended = status == Z_STREAM_END;
        struct slice part = {decoded, sizeof decoded - stream->avail_out};
        if (part.length > 0 && !sink(context, part, err))
            return false;
        if (status != Z_OK && stream->avail_in == 0)
            break;
    }
    return true;
}

bool content_coding_check_end(const struct content_coding *coding, struct error *err)
{
    return coding == NULL || !coding->started || coding->ended ||
           failure_set(err, "badRequest", "The gzip body ends too early");
}
