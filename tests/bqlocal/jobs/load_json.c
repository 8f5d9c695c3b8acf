/* Loads of newline-delimited JSON, plain or as gzip ("Loading JSON data from Cloud Storage", Google
 * Cloud documentation). */
#include "bqlocal/jobs/load.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

/* BigQuery's limit of a row ("Quotas and limits"). */
#define ROW_BYTES_MAX ((size_t)100 << 20)
#define CHUNK_BYTES   65536

struct json_reader {
    struct buffer line;
    struct buffer text; /* a decoded string */
    bool *given;        /* of each source field: whether the row has it */
    z_stream inflater;
    bool is_gzip;
};

/* The fields are those of the job's schema, else the table's. */
static bool open_json(struct load *load, void **out_context, struct error *err)
{
    const cJSON *given = json_at(load->options, "schema");
    struct json_reader *reader = calloc(1, sizeof *reader);
    uint8_t magic[2] = {0};
    struct error missing;

    if (reader == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a reader");
    *out_context = reader;
    buffer_init(&reader->line, ROW_BYTES_MAX);
    buffer_init(&reader->text, ROW_BYTES_MAX);
    if (load->media->length >= 2 &&
        !spool_read(load->media->spool, load->media->offset, magic, 2, err))
        return false;
    reader->is_gzip = magic[0] == 0x1F && magic[1] == 0x8B;
    if (reader->is_gzip && inflateInit2(&reader->inflater, 16 + MAX_WBITS) != Z_OK) {
        reader->is_gzip = false;
        return error_set(err, ERROR_MEMORY, "out of memory for a reader");
    }
    if (given != NULL) {
        if (!store_schema_parse(given, &load->source, err))
            return false;
    } else if (!store_schema(load->store, load->dataset, load->table, &load->source, &missing)) {
        return missing.code == ERROR_NOT_FOUND
                   ? failure_set(err, "invalid", "No schema specified on job or table.")
                   : (*err = missing, false);
    }
    reader->given = calloc(load->source.count + 1, sizeof *reader->given);
    return reader->given != NULL || error_set(err, ERROR_MEMORY, "out of memory for a reader");
}

static void close_json(void *context)
{
    struct json_reader *reader = context;

    if (reader == NULL)
        return;
    if (reader->is_gzip)
        inflateEnd(&reader->inflater);
    buffer_clear(&reader->line);
    buffer_clear(&reader->text);
    free(reader->given);
    free(reader);
}

/* A value's text, without the quotes and escapes of a string. */
static struct slice plain_text(struct json_reader *reader, struct slice value)
{
    if (value.data[0] != '"')
        return value;
    buffer_reset(&reader->text);
    if (!value_json_decode(value, &reader->text))
        return (struct slice){0};
    return (struct slice){buffer_text(&reader->text), reader->text.length};
}

static bool parse_bool(struct slice text, int64_t *out)
{
    static const char *const words[] = {"false", "f", "no", "n", "0", "true", "t", "yes", "y", "1"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (text.length == strlen(words[i]) && strncasecmp(text.data, words[i], text.length) == 0) {
            *out = i >= 5;
            return true;
        }
    return false;
}

/* Text with a zone, or a number of seconds. */
static bool parse_timestamp(struct slice text, bool is_string, int64_t *out_us)
{
    double seconds;

    if (is_string)
        return value_parse_timestamp(text, out_us);
    if (!value_parse_double(text, &seconds) || fabs(seconds) > 1e12)
        return false;
    *out_us = (int64_t)llround(seconds * 1e6);
    return true;
}

static bool parse_number(enum store_type type, struct slice text, bool is_string, int64_t *out)
{
    switch (type) {
    case STORE_INT64:
        return value_parse_int64(text, out);
    case STORE_BOOL:
        return parse_bool(text, out);
    case STORE_DATE:
        return is_string && value_parse_date(text, out);
    case STORE_TIME:
        return is_string && value_parse_time(text, out);
    case STORE_DATETIME:
        return is_string && value_parse_datetime(text, out);
    default:
        return parse_timestamp(text, is_string, out);
    }
}

static bool bind_bytes(struct load *load, size_t field, struct slice text, struct error *err)
{
    struct buffer bytes;

    buffer_init(&bytes, ROW_BYTES_MAX);
    bool ok = value_base64_decode(text, &bytes)
                  ? load_bind_bytes(load, field, buffer_slice(&bytes), err)
                  : load_refuse(load, field, err, "Could not decode base64 string to bytes");
    buffer_clear(&bytes);
    return ok;
}

/* Text lives in the reader's buffer, which the next field overwrites: SQLite gets its own copy. */
static bool bind_string(struct load *load, size_t field, struct slice text, struct error *err)
{
    if (!load_bind_text(load, field, text, err))
        return false;
    int column = load->columns[field];
    if (column >= 0 && load->target.fields[column].type != STORE_JSON)
        sqlite3_bind_text64(
            load->insert, column + 1, text.length == 0 ? "" : text.data, text.length,
            SQLITE_TRANSIENT, SQLITE_UTF8);
    return true;
}

static bool bind_value(
    struct load *load, struct json_reader *reader, size_t field, struct slice value,
    struct error *err)
{
    enum store_type type = load->source.fields[field].type;
    bool is_string = value.data[0] == '"';
    char decimal[VALUE_TEXT_SIZE];
    double real;
    int64_t number;

    if (slice_equals(value, slice_of("null")))
        return load_bind_null(load, field, err);
    if (type == STORE_JSON)
        return load_bind_text(load, field, value, err);
    struct slice text = plain_text(reader, value);
    bool nested = value.data[0] == '{' || value.data[0] == '[';
    if (text.data == NULL || nested)
        return load_refuse(load, field, err, "Could not convert value to %s", store_type_sql(type));
    switch (type) {
    case STORE_STRING:
    case STORE_GEOGRAPHY:
        return bind_string(load, field, text, err);
    case STORE_BYTES:
        return bind_bytes(load, field, text, err);
    case STORE_FLOAT64:
        if (value_parse_double(text, &real))
            return load_bind_double(load, field, real, err);
        break;
    case STORE_NUMERIC:
    case STORE_BIGNUMERIC:
        if (value_parse_decimal(text, type == STORE_BIGNUMERIC, decimal))
            return load_bind_decimal(load, field, decimal, err);
        break;
    default:
        if (parse_number(type, text, is_string, &number))
            return load_bind_int64(load, field, number, err);
    }
    return load_refuse(load, field, err, "Could not convert value to %s", store_type_sql(type));
}

struct member_context {
    struct load *load;
    struct json_reader *reader;
    struct error *err;
};

static bool take_member(void *context, struct slice key, struct slice value)
{
    struct member_context *in = context;
    struct load *load = in->load;

    for (size_t i = 0; i < load->source.count; i++) {
        const char *name = load->source.fields[i].name;
        if (strlen(name) != key.length || strncasecmp(name, key.data, key.length) != 0)
            continue;
        if (in->reader->given[i])
            return failure_set_data(
                in->err, "JSON parsing error in row %lld: the field %s is there twice.",
                (long long)load->rows + 1, name);
        in->reader->given[i] = true;
        return bind_value(load, in->reader, i, value, in->err);
    }
    return json_bool(load->options, "ignoreUnknownValues", false) ||
           failure_set_data(
               in->err, "JSON parsing error in row %lld: No such field: %.*s.",
               (long long)load->rows + 1, (int)key.length, key.data);
}

static bool check_required(struct load *load, struct json_reader *reader, struct error *err)
{
    for (size_t i = 0; i < load->target.count; i++) {
        const struct store_field *column = &load->target.fields[i];
        int field = load->fields[i];
        if (column->required && load->defaults[i] == NULL && (field < 0 || !reader->given[field]))
            return failure_set_data(
                err, "JSON parsing error in row %lld: Missing required field: %s.",
                (long long)load->rows + 1, column->name);
    }
    return true;
}

static bool take_line(
    struct load *load, struct json_reader *reader, struct slice line, struct error *err)
{
    static const char space[] = {' ', '\t', '\r'};
    struct member_context context = {load, reader, err};

    while (line.length > 0 && memchr(space, line.data[line.length - 1], sizeof space) != NULL)
        line.length--;
    if (line.length == 0)
        return true;
    load_row_defaults(load);
    memset(reader->given, 0, load->source.count);
    *err = (struct error){0};
    if (!value_json_walk(line, take_member, &context))
        return err->code != ERROR_NONE ? false
                                       : failure_set_data(
                                             err,
                                             "JSON parsing error in row %lld: "
                                             "Parser terminated before end of string",
                                             (long long)load->rows + 1);
    return check_required(load, reader, err) && load_row(load, err);
}

/* Appends plain bytes and takes every line that is complete. */
static bool take_bytes(
    struct load *load, struct json_reader *reader, struct slice bytes, struct error *err)
{
    while (bytes.length > 0) {
        const char *end = memchr(bytes.data, '\n', bytes.length);
        size_t length = end == NULL ? bytes.length : (size_t)(end - bytes.data);
        buffer_append(&reader->line, bytes.data, length);
        if (!buffer_check(&reader->line, "a row", err))
            return failure_set_data(
                err, "Row size is larger than "
                     "100 MB");
        if (end == NULL)
            return true;
        if (!take_line(
                load, reader, (struct slice){buffer_text(&reader->line), reader->line.length}, err))
            return false;
        buffer_reset(&reader->line);
        bytes.data += length + 1;
        bytes.length -= length + 1;
    }
    return true;
}

static bool inflate_chunk(
    struct load *load, struct json_reader *reader, struct slice chunk, bool *out_ended,
    struct error *err)
{
    z_stream *stream = &reader->inflater;
    char plain[CHUNK_BYTES];

    stream->next_in = (Bytef *)(uintptr_t)chunk.data;
    stream->avail_in = (uInt)chunk.length;
    while (stream->avail_in > 0) {
        stream->next_out = (Bytef *)plain;
        stream->avail_out = sizeof plain;
        int status = inflate(stream, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END)
            return failure_set_data(err, "The gzip stream is damaged");
        if (!take_bytes(load, reader, (struct slice){plain, sizeof plain - stream->avail_out}, err))
            return false;
        // A file may be several gzip members one after another.
        *out_ended = status == Z_STREAM_END;
        if (*out_ended && stream->avail_in > 0)
            inflateReset(stream);
    }
    return true;
}

static bool read_json(struct load *load, void *context, struct error *err)
{
    struct json_reader *reader = context;
    const struct media *media = load->media;
    char chunk[CHUNK_BYTES];
    bool ended = true;

    for (uint64_t at = 0; at < media->length;) {
        uint64_t left = media->length - at;
        size_t length = left < sizeof chunk ? (size_t)left : sizeof chunk;
        if (!spool_read(media->spool, media->offset + at, chunk, length, err))
            return false;
        struct slice bytes = {chunk, length};
        if (!(reader->is_gzip ? inflate_chunk(load, reader, bytes, &ended, err)
                              : take_bytes(load, reader, bytes, err)))
            return false;
        at += length;
    }
    if (!ended)
        return failure_set_data(err, "The gzip stream ends early");
    return take_line(
        load, reader, (struct slice){buffer_text(&reader->line), reader->line.length}, err);
}

const struct load_format load_json = {open_json, read_json, close_json};
