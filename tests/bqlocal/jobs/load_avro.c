/* Loads of Avro: libavro decodes the rows; what the schema says beyond its reach (logicalType,
 * sqlType) is read from the schema's text ("Loading Avro data", Google Cloud documentation). */
#include "bqlocal/jobs/avro_file.h"
#include "bqlocal/jobs/load.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/value.h"

#include <avro.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How a field's values arrive: the Avro type, and what multiplies its numbers. */
struct avro_field {
    avro_value_t value; /* of the row; for a union the union */
    bool is_union;
    int null_branch;
    int scale;      /* of a decimal; -1: not a decimal */
    int64_t factor; /* milliseconds to microseconds; 1 otherwise */
    bool ignored;   /* a field of null alone */
};

struct avro_reader {
    struct avro_file file;
    bool opened;
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_value_t row;
    bool has_row;
    avro_reader_t reader;
    struct avro_field *fields; /* as many as in the file */
    int *sources;              /* of each, its index in load->source; -1: ignored */
    size_t count;
};

static bool refuse_schema(struct error *err, const char *name, const char *what)
{
    return failure_set_data(err, "The Avro schema of field %.300s %s", name, what);
}

/* The type of a decimal: the narrowest of decimalTargetTypes (NUMERIC alone if there are none) that
 * holds precision and scale. */
static bool decimal_type(
    const struct load *load, const char *name, const cJSON *type, enum store_type *out_type,
    struct error *err)
{
    int precision = (int)json_number(type, "precision", 0);
    int scale = (int)json_number(type, "scale", 0);
    const cJSON *targets = json_at(load->options, "decimalTargetTypes");
    bool big = false;
    const cJSON *item;

    cJSON_ArrayForEach(item, targets)
    {
        big = big || (cJSON_IsString(item) && strcmp(item->valuestring, "BIGNUMERIC") == 0);
    }
    if (scale <= 9 && precision - scale <= 29)
        *out_type = STORE_NUMERIC;
    else if (big && scale <= 38 && precision - scale <= 39)
        *out_type = STORE_BIGNUMERIC;
    else
        return refuse_schema(err, name, "is a decimal that fits none of decimalTargetTypes");
    return true;
}

static const struct {
    const char *avro;
    const char *logical; /* "" for the bare type */
    enum store_type type;
    int64_t factor;
} avro_types[] = {
    {"boolean", "", STORE_BOOL, 1},
    {"int", "", STORE_INT64, 1},
    {"long", "", STORE_INT64, 1},
    {"float", "", STORE_FLOAT64, 1},
    {"double", "", STORE_FLOAT64, 1},
    {"bytes", "", STORE_BYTES, 1},
    {"fixed", "", STORE_BYTES, 1},
    {"string", "", STORE_STRING, 1},
    {"enum", "", STORE_STRING, 1},
    {"int", "date", STORE_DATE, 1},
    {"int", "time-millis", STORE_TIME, 1000},
    {"long", "time-micros", STORE_TIME, 1},
    {"long", "timestamp-millis", STORE_TIMESTAMP, 1000},
    {"long", "timestamp-micros", STORE_TIMESTAMP, 1},
    {"long", "local-timestamp-millis", STORE_DATETIME, 1000},
    {"long", "local-timestamp-micros", STORE_DATETIME, 1},
};

static bool find_type(
    const char *avro, const char *logical, enum store_type *out_type, int64_t *out_factor)
{
    for (size_t i = 0; i < sizeof avro_types / sizeof avro_types[0]; i++)
        if (strcmp(avro_types[i].avro, avro) == 0 && strcmp(avro_types[i].logical, logical) == 0) {
            *out_type = avro_types[i].type;
            *out_factor = avro_types[i].factor;
            return true;
        }
    return false;
}

/* A type that is not a union: "long" or {"type": "long", "logicalType": ...}. */
static bool parse_type(
    const struct load *load, const char *name, const cJSON *type, struct avro_field *field,
    enum store_type *out_type, struct error *err)
{
    const char *avro = cJSON_IsString(type) ? cJSON_GetStringValue(type) : json_text(type, "type");
    const char *logical = cJSON_IsObject(type) ? json_text(type, "logicalType") : NULL;
    const char *sql = cJSON_IsObject(type) ? json_text(type, "sqlType") : NULL;

    field->scale = -1;
    field->factor = 1;
    if (avro == NULL)
        return refuse_schema(err, name, "has a type that bqlocal does not load");
    if (logical != NULL && strcmp(logical, "decimal") == 0 &&
        (strcmp(avro, "bytes") == 0 || strcmp(avro, "fixed") == 0)) {
        field->scale = (int)json_number(type, "scale", 0);
        return decimal_type(load, name, type, out_type, err);
    }
    // Without the flag the other logical types arrive as the numbers that they are.
    bool logical_types = json_bool(load->options, "useAvroLogicalTypes", false);
    if (logical != NULL && logical_types && find_type(avro, logical, out_type, &field->factor))
        return true;
    if (!find_type(avro, "", out_type, &field->factor))
        return refuse_schema(err, name, "has a type that bqlocal does not load");
    if (sql != NULL && strcmp(sql, "JSON") == 0 && *out_type == STORE_STRING)
        *out_type = STORE_JSON;
    return true;
}

/* A union of null and one other type is that type, NULLABLE. */
static bool parse_field(
    const struct load *load, const cJSON *item, struct avro_field *field,
    struct store_field *source, struct error *err)
{
    const char *name = json_text(item, "name");
    const cJSON *type = json_at(item, "type");
    const cJSON *branch;
    int index = 0;

    if (name == NULL)
        return refuse_schema(err, "", "has no name");
    *field = (struct avro_field){.null_branch = -1, .is_union = cJSON_IsArray(type)};
    if (field->is_union) {
        const cJSON *other = NULL;
        cJSON_ArrayForEach(branch, type)
        {
            if (cJSON_IsString(branch) && strcmp(branch->valuestring, "null") == 0)
                field->null_branch = index;
            else
                other = branch;
            index++;
        }
        if (index > 2 || (index == 2 && field->null_branch < 0))
            return refuse_schema(
                err, name, "is a union of several types, which bqlocal does not load");
        type = other;
    }
    field->ignored =
        type == NULL || (cJSON_IsString(type) && strcmp(type->valuestring, "null") == 0);
    if (field->ignored)
        return true;
    source->name = strdup(name);
    source->required = field->null_branch < 0;
    return source->name != NULL ? parse_type(load, name, type, field, &source->type, err)
                                : error_set(err, ERROR_MEMORY, "out of memory for a schema");
}

static bool parse_fields(
    struct load *load, struct avro_reader *reader, const cJSON *schema, struct error *err)
{
    const cJSON *fields = json_at(schema, "fields");
    const char *type = json_text(schema, "type");
    const cJSON *item;

    if (type == NULL || strcmp(type, "record") != 0 || !cJSON_IsArray(fields))
        return failure_set_data(err, "The Avro root type has to be a record");
    size_t count = (size_t)cJSON_GetArraySize(fields);
    reader->fields = calloc(count + 1, sizeof *reader->fields);
    reader->sources = calloc(count + 1, sizeof *reader->sources);
    load->source.fields = calloc(count + 1, sizeof *load->source.fields);
    if (reader->fields == NULL || reader->sources == NULL || load->source.fields == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a schema");
    cJSON_ArrayForEach(item, fields)
    {
        struct avro_field *field = &reader->fields[reader->count];
        struct store_field *source = &load->source.fields[load->source.count];
        bool ok = parse_field(load, item, field, source, err);
        // Counted also when it was refused, so that its name is freed.
        reader->sources[reader->count++] = field->ignored ? -1 : (int)load->source.count;
        load->source.count += source->name != NULL;
        if (!ok)
            return false;
    }
    return true;
}

/* The schema of the job says what a field is: its mode, and JSON or GEOGRAPHY where the file has a
 * string. What it calls REQUIRED cannot be NULL in the file (google-cloud-python issue 8305). */
static bool apply_job_field(
    struct store_field *field, const struct store_field *given, struct error *err)
{
    bool fits = field->type == given->type ||
                (field->type == STORE_STRING &&
                 (given->type == STORE_JSON || given->type == STORE_GEOGRAPHY));

    if (!fits)
        return failure_set(
            err, "invalid",
            "Provided Schema does not match the file. Field %s has changed type from %s to %s",
            field->name, store_type_rest(given->type), store_type_rest(field->type));
    if (given->required && !field->required)
        return failure_set_data(
            err,
            "Provided schema is not compatible with the file. Field '%s' is specified as REQUIRED "
            "in provided schema which does not match NULLABLE as specified in the file.",
            field->name);
    field->type = given->type;
    field->required = given->required;
    return true;
}

static bool apply_job_schema(struct load *load, struct error *err)
{
    const cJSON *given = json_at(load->options, "schema");
    struct store_schema schema = {0};
    bool ok = true;

    if (given == NULL)
        return true;
    if (!store_schema_parse(given, &schema, err))
        return false;
    for (size_t i = 0; ok && i < load->source.count; i++) {
        struct store_field *field = &load->source.fields[i];
        for (size_t j = 0; ok && j < schema.count; j++) {
            if (strcasecmp(schema.fields[j].name, field->name) != 0)
                continue;
            ok = apply_job_field(field, &schema.fields[j], err);
        }
    }
    store_schema_clear(&schema);
    return ok;
}

/* libavro's own view of the schema, and a row of it whose fields are reached once. */
static bool prepare_row(struct avro_reader *reader, struct error *err)
{
    if (avro_schema_from_json_length(
            reader->file.header.schema, reader->file.header.schema_length, &reader->schema) != 0)
        return failure_set_data(err, "The Avro schema cannot be read: %s", avro_strerror());
    reader->class = avro_generic_class_from_schema(reader->schema);
    reader->reader = avro_reader_memory("", 0);
    if (reader->class == NULL || reader->reader == NULL ||
        avro_generic_value_new(reader->class, &reader->row) != 0)
        return error_set(err, ERROR_MEMORY, "out of memory for an Avro row");
    reader->has_row = true;
    for (size_t i = 0; i < reader->count; i++)
        if (avro_value_get_by_index(&reader->row, i, &reader->fields[i].value, NULL) != 0)
            return failure_set(err, "internalError", "libavro: %s", avro_strerror());
    return true;
}

static bool open_avro(struct load *load, void **out_context, struct error *err)
{
    struct avro_reader *reader = calloc(1, sizeof *reader);
    const struct media *media = load->media;

    if (reader == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for an Avro reader");
    *out_context = reader;
    load->file_has_schema = true;
    // Of a file that was counted and forgotten the header is left.
    uint64_t length = media->forgotten_rows >= 0 ? spool_size(media->spool) : media->length;
    if (!avro_file_open(media->spool, media->offset, length, &reader->file, err))
        return false;
    reader->opened = true;
    if (!avro_file_check_codec(&reader->file, load->settings->avro_codecs, err))
        return false;
    cJSON *schema =
        cJSON_ParseWithLength(reader->file.header.schema, reader->file.header.schema_length);
    if (schema == NULL)
        return failure_set_data(err, "The Avro schema is not JSON");
    bool ok = parse_fields(load, reader, schema, err) && apply_job_schema(load, err) &&
              prepare_row(reader, err);
    cJSON_Delete(schema);
    return ok;
}

static bool bind_number(
    struct load *load, size_t source, const struct avro_field *field, int64_t number,
    struct error *err)
{
    if (field->factor != 1 && __builtin_mul_overflow(number, field->factor, &number))
        return load_refuse(load, source, err, "Invalid time value");
    return load_bind_int64(load, source, number, err);
}

static bool bind_bytes(
    struct load *load, size_t source, const struct avro_field *field, struct slice bytes,
    struct error *err)
{
    char text[VALUE_TEXT_SIZE];

    if (field->scale < 0)
        return load_bind_bytes(load, source, bytes, err);
    bool big = load->source.fields[source].type == STORE_BIGNUMERIC;
    if (!value_decimal_from_bytes(bytes, field->scale, big, text))
        return load_refuse(load, source, err, "Invalid %s value", big ? "BIGNUMERIC" : "NUMERIC");
    return load_bind_decimal(load, source, text, err);
}

static bool bind_enum(
    struct load *load, size_t source, const avro_value_t *value, struct error *err)
{
    int number = 0;

    avro_value_get_enum(value, &number);
    const char *symbol = avro_schema_enum_get(avro_value_get_schema(value), number);
    return load_bind_text(load, source, slice_of(symbol == NULL ? "" : symbol), err);
}

static bool bind_value(
    struct load *load, size_t source, const struct avro_field *field, const avro_value_t *value,
    struct error *err)
{
    int32_t small = 0;
    int64_t number = 0;
    int truth = 0;
    float single = 0;
    double real = 0;
    const char *text = NULL;
    const void *bytes = NULL;
    size_t size = 0;

    switch (avro_value_get_type(value)) {
    case AVRO_BOOLEAN:
        avro_value_get_boolean(value, &truth);
        return load_bind_int64(load, source, truth != 0, err);
    case AVRO_INT32:
        avro_value_get_int(value, &small);
        return bind_number(load, source, field, small, err);
    case AVRO_INT64:
        avro_value_get_long(value, &number);
        return bind_number(load, source, field, number, err);
    case AVRO_FLOAT:
        avro_value_get_float(value, &single);
        return load_bind_double(load, source, (double)single, err);
    case AVRO_DOUBLE:
        avro_value_get_double(value, &real);
        return load_bind_double(load, source, real, err);
    case AVRO_STRING:
        avro_value_get_string(value, &text, &size);
        // libavro counts the terminator that it adds.
        return load_bind_text(load, source, (struct slice){text, size - 1}, err);
    case AVRO_BYTES:
        avro_value_get_bytes(value, &bytes, &size);
        return bind_bytes(load, source, field, (struct slice){bytes, size}, err);
    case AVRO_FIXED:
        avro_value_get_fixed(value, &bytes, &size);
        return bind_bytes(load, source, field, (struct slice){bytes, size}, err);
    case AVRO_ENUM:
        return bind_enum(load, source, value, err);
    case AVRO_NULL:
        return load_bind_null(load, source, err);
    default:
        return load_refuse(load, source, err, "Unexpected Avro type");
    }
}

static bool bind_row(struct load *load, struct avro_reader *reader, struct error *err)
{
    for (size_t i = 0; i < reader->count; i++) {
        struct avro_field *field = &reader->fields[i];
        avro_value_t branch = field->value;
        int source = reader->sources[i];
        if (source < 0)
            continue;
        if (field->is_union)
            avro_value_get_current_branch(&field->value, &branch);
        if (!bind_value(load, (size_t)source, field, &branch, err))
            return false;
    }
    return true;
}

/* Moves behind one value; false if it does not fit before the end. libavro takes lengths and
 * branches as they come: a negative one would reach its memory. */
static bool skip_value(avro_schema_t schema, const uint8_t **at, const uint8_t *end)
{
    static const int sizes[] = {[AVRO_BOOLEAN] = 1, [AVRO_FLOAT] = 4, [AVRO_DOUBLE] = 8};
    avro_type_t type = avro_typeof(schema);
    struct slice bytes;
    int64_t number = 0;

    switch (type) {
    case AVRO_NULL:
        return true;
    case AVRO_INT32:
    case AVRO_INT64:
        return avro_read_long(at, end, &number) &&
               (type == AVRO_INT64 || (number >= INT32_MIN && number <= INT32_MAX));
    case AVRO_STRING:
    case AVRO_BYTES:
        return avro_read_bytes(at, end, &bytes);
    case AVRO_ENUM:
        return avro_read_long(at, end, &number) && number >= 0 &&
               number < avro_schema_enum_number_of_symbols(schema);
    case AVRO_UNION:
        return avro_read_long(at, end, &number) && number >= 0 &&
               number < (int64_t)avro_schema_union_size(schema) &&
               skip_value(avro_schema_union_branch(schema, (int)number), at, end);
    case AVRO_BOOLEAN:
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        number = sizes[type];
        break;
    case AVRO_FIXED:
        number = avro_schema_fixed_size(schema);
        break;
    default:
        return false;
    }
    if (end - *at < number)
        return false;
    *at += number;
    return true;
}

/* Whether rows of the schema fill the block. */
static bool check_block(
    const struct load *load, avro_schema_t schema, int64_t rows, struct slice block,
    struct error *err)
{
    const uint8_t *at = (const uint8_t *)block.data;
    const uint8_t *end = at + block.length;
    int count = (int)avro_schema_record_size(schema);

    for (int64_t row = 0; row < rows; row++)
        for (int i = 0; i < count; i++)
            if (!skip_value(avro_schema_record_field_get_by_index(schema, i), &at, end))
                return failure_set_data(
                    err, "The Avro file has a damaged row %lld", (long long)(load->rows + row + 1));
    return at == end ||
           failure_set_data(err, "The Avro file has a block with more bytes than rows");
}

static bool read_block(
    struct load *load, struct avro_reader *reader, int64_t rows, struct slice bytes,
    struct error *err)
{
    if (!check_block(load, reader->schema, rows, bytes, err))
        return false;
    avro_reader_memory_set_source(reader->reader, bytes.data, (int64_t)bytes.length);
    for (int64_t i = 0; i < rows; i++) {
        if (avro_value_read(reader->reader, &reader->row) != 0)
            return failure_set_data(
                err, "The Avro file has a damaged row %lld: %s", (long long)load->rows + 1,
                avro_strerror());
        if (!bind_row(load, reader, err) || !load_row(load, err))
            return false;
    }
    return true;
}

static bool read_avro(struct load *load, void *context, struct error *err)
{
    struct avro_reader *reader = context;
    struct slice bytes = {0};
    int64_t rows = 0;

    do {
        if (!avro_file_next(&reader->file, &rows, &bytes, err) ||
            (rows > 0 && !read_block(load, reader, rows, bytes, err)))
            return false;
    } while (rows > 0);
    return true;
}

static void close_avro(void *context)
{
    struct avro_reader *reader = context;

    if (reader == NULL)
        return;
    if (reader->has_row)
        avro_value_decref(&reader->row);
    if (reader->class != NULL)
        avro_value_iface_decref(reader->class);
    if (reader->schema != NULL)
        avro_schema_decref(reader->schema);
    if (reader->reader != NULL)
        avro_reader_free(reader->reader);
    if (reader->opened)
        avro_file_close(&reader->file);
    free(reader->fields);
    free(reader->sources);
    free(reader);
}

const struct load_format load_avro = {open_avro, read_avro, close_avro};
