#include "encode/column.h"

#include "encode/civil.h"
#include "encode/decimal.h"
#include "encode/digest.h"
#include "encode/json.h"
#include "encode/number.h"
#include "encode/text.h"

#include <assert.h>
#include <math.h>

/* What one column can ask of scratch for a row: a digest, or a number as JSON. */
#define SCRATCH_PER_COLUMN DIGEST_TEXT_SIZE

_Static_assert(SCRATCH_PER_COLUMN >= NUMBER_TEXT_SIZE, "scratch holds either");

static const struct slice none = {NULL, 0};

/* Whether the statement's database stores text as UTF-16. */
static bool read_encoding(sqlite3_stmt *row, bool *out_utf16, struct error *err)
{
    sqlite3 *db = sqlite3_db_handle(row);
    sqlite3_stmt *pragma = NULL;

    bool ok = sqlite3_prepare_v2(db, "PRAGMA encoding", -1, &pragma, NULL) == SQLITE_OK &&
              sqlite3_step(pragma) == SQLITE_ROW;
    if (ok)
        *out_utf16 =
            sqlite3_strnicmp((const char *)sqlite3_column_text(pragma, 0), "UTF-16", 6) == 0;
    else
        error_set(err, ERROR_SOURCE, "cannot read the text encoding: %s", sqlite3_errmsg(db));
    sqlite3_finalize(pragma);
    return ok;
}

bool column_reader_init(
    struct column_reader *in, const struct table *table, sqlite3_stmt *row, struct error *err)
{
    struct column_reader made = {.table = table, .row = row};
    struct digest *digest = NULL;

    if (!read_encoding(row, &made.utf16, err))
        return error_wrap(err, "table %s", table->name);
    // All of scratch at once: slices into it must stay where they are until the next row.
    buffer_init(&made.scratch, table->column_count * SCRATCH_PER_COLUMN);
    if (buffer_reserve(&made.scratch, made.scratch.ceiling) == NULL)
        return error_set(err, ERROR_MEMORY, "table %s: out of memory for a reader", table->name);
    if (!digest_new(table, &digest, err)) {
        buffer_clear(&made.scratch);
        return false;
    }
    made.digest = digest;
    *in = made;
    return true;
}

void column_reader_clear(struct column_reader *in)
{
    digest_free(in->digest);
    buffer_clear(&in->scratch);
    *in = (struct column_reader){.table = NULL};
}

void column_reader_next(struct column_reader *in, bool tombstone)
{
    in->tombstone = tombstone;
    in->problem_count = 0;
    buffer_reset(&in->scratch);
}

bool column_reader_row_fits(const struct column_reader *in)
{
    return in->problem_count == 0;
}

static int storage_of(const struct column_reader *in, size_t column)
{
    return sqlite3_column_type(in->row, (int)column);
}

/* Notes a problem; those beyond the maximum add nothing that decides about the row. */
static void note(struct column_reader *in, size_t column, int storage, const char *reason)
{
    static const char *const classes[] = {
        [SQLITE_INTEGER] = "integer", [SQLITE_FLOAT] = "real", [SQLITE_TEXT] = "text",
        [SQLITE_BLOB] = "blob",       [SQLITE_NULL] = "null",
    };

    if (in->problem_count < COLUMN_PROBLEMS_MAX)
        in->problems[in->problem_count++] = (struct column_problem){
            .column = column, .storage_class = classes[storage], .reason = reason};
}

/* A stored NULL: fine where the column, and the row's being there, allow it. */
static void check_null(struct column_reader *in, size_t column)
{
    const struct column *about = &in->table->columns[column];

    if (about->key)
        note(in, column, SQLITE_NULL, "is NULL in a key column");
    else if (about->required && !in->tombstone)
        note(in, column, SQLITE_NULL, "is NULL in a REQUIRED column");
}

/* Whether the value has to be read at all; false: it is NULL, and what there was to say about that
 * is noted. The redaction of anything but STRING leaves NULL. */
static bool has_value(struct column_reader *in, size_t column, int storage)
{
    const struct column *about = &in->table->columns[column];

    if (storage == SQLITE_NULL) {
        check_null(in, column);
        return false;
    }
    if (about->transform != TRANSFORM_REDACT || about->type == COLUMN_STRING)
        return true;
    if (about->required || about->key)
        note(in, column, storage, "is redacted to NULL, which the column does not allow");
    return false;
}

/* The value as text, in UTF-8 as SQLite gives it. Invalid UTF-16 has to be found before SQLite
 * converts it: the result of that is always valid and sometimes another text. */
static const char *read_text(struct column_reader *in, size_t column, struct slice *out_text)
{
    if (in->utf16) {
        const void *units = sqlite3_column_text16(in->row, (int)column);
        size_t bytes = (size_t)sqlite3_column_bytes16(in->row, (int)column);
        if (units != NULL && !text_utf16_is_valid(units, bytes))
            return "contains a lone surrogate";
    }
    out_text->data = (const char *)sqlite3_column_text(in->row, (int)column);
    out_text->length = (size_t)sqlite3_column_bytes(in->row, (int)column);
    return out_text->data != NULL ? NULL : "cannot be read: out of memory";
}

/* Like read_text, for types whose grammar is ASCII: no check of the encoding is needed. */
static struct slice ascii_text(struct column_reader *in, size_t column)
{
    struct slice text = {(const char *)sqlite3_column_text(in->row, (int)column), 0};

    if (text.data == NULL)
        return (struct slice){"", 0};
    text.length = (size_t)sqlite3_column_bytes(in->row, (int)column);
    return text;
}

struct value_int64 column_int64(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    int64_t value = 0;
    const char *reason = "is not an integer";

    if (!has_value(in, column, storage))
        return (struct value_int64){.null = true};
    switch (storage) {
    case SQLITE_INTEGER:
        return (struct value_int64){.value = sqlite3_column_int64(in->row, (int)column)};
    case SQLITE_FLOAT:
        reason = number_int64_of_real(sqlite3_column_double(in->row, (int)column), &value);
        break;
    case SQLITE_TEXT:
        reason = number_int64_of_text(ascii_text(in, column), &value);
        break;
    default:
        break;
    }
    if (reason != NULL)
        note(in, column, storage, reason);
    return (struct value_int64){.value = value, .null = reason != NULL};
}

struct value_float64 column_float64(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    double value = 0;
    const char *reason = "is not a number";

    if (!has_value(in, column, storage))
        return (struct value_float64){.null = true};
    switch (storage) {
    case SQLITE_FLOAT:
        return (struct value_float64){.value = sqlite3_column_double(in->row, (int)column)};
    case SQLITE_INTEGER:
        reason = number_real_of_int64(sqlite3_column_int64(in->row, (int)column), &value);
        break;
    case SQLITE_TEXT:
        reason = number_real_of_text(ascii_text(in, column), &value);
        break;
    default:
        break;
    }
    if (reason != NULL)
        note(in, column, storage, reason);
    return (struct value_float64){.value = value, .null = reason != NULL};
}

static bool equals_word(struct slice text, const char *word)
{
    return text.length == strlen(word) && sqlite3_strnicmp(text.data, word, (int)text.length) == 0;
}

static bool read_bool(struct column_reader *in, size_t column, int storage, bool *out_value)
{
    switch (storage) {
    case SQLITE_INTEGER: {
        int64_t integer = sqlite3_column_int64(in->row, (int)column);
        *out_value = integer == 1;
        return integer == 0 || integer == 1;
    }
    case SQLITE_FLOAT: {
        double real = sqlite3_column_double(in->row, (int)column);
        *out_value = real == 1;
        return real == 0 || real == 1;
    }
    case SQLITE_TEXT: {
        struct slice text = ascii_text(in, column);
        *out_value = equals_word(text, "true") || equals_word(text, "1");
        return *out_value || equals_word(text, "false") || equals_word(text, "0");
    }
    default:
        return false;
    }
}

struct value_bool column_bool(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    bool value = false;

    if (!has_value(in, column, storage))
        return (struct value_bool){.null = true};
    if (read_bool(in, column, storage, &value))
        return (struct value_bool){.value = value};
    note(in, column, storage, "is not 0, 1, true or false");
    return (struct value_bool){.null = true};
}

/* The value's digest, in scratch. */
static const char *hash(struct column_reader *in, size_t column, struct slice *text)
{
    char *out = buffer_reserve(&in->scratch, DIGEST_TEXT_SIZE);

    if (out == NULL || !digest_text(in->digest, column, *text, out))
        return "cannot be hashed";
    in->scratch.length += DIGEST_TEXT_SIZE;
    *text = (struct slice){out, DIGEST_TEXT_SIZE};
    return NULL;
}

static const char *transform(struct column_reader *in, size_t column, struct slice *text)
{
    switch (in->table->columns[column].transform) {
    case TRANSFORM_SHA256:
    case TRANSFORM_HMAC_SHA256:
        return hash(in, column, text);
    case TRANSFORM_TRUNCATE:
        *text = text_prefix(*text, in->table->columns[column].truncate_to);
        return NULL;
    case TRANSFORM_REDACT:
    case TRANSFORM_NONE:
        break;
    }
    return NULL;
}

struct slice column_string(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    struct slice text = none;
    const char *reason = "is a blob, not a text";

    if (!has_value(in, column, storage))
        return none;
    if (in->table->columns[column].transform == TRANSFORM_REDACT)
        return slice_of("[redacted]");
    if (storage != SQLITE_BLOB)
        reason = read_text(in, column, &text);
    if (reason == NULL)
        reason = text_check(text);
    if (reason == NULL && in->table->columns[column].transform != TRANSFORM_NONE)
        reason = transform(in, column, &text);
    if (reason == NULL)
        return text;
    note(in, column, storage, reason);
    return none;
}

struct slice column_bytes(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    struct slice bytes = none;
    const char *reason = "is a number, not bytes";

    if (!has_value(in, column, storage))
        return none;
    if (storage == SQLITE_TEXT) {
        reason = read_text(in, column, &bytes);
    } else if (storage == SQLITE_BLOB) {
        reason = NULL;
        bytes.data = sqlite3_column_blob(in->row, (int)column);
        bytes.length = (size_t)sqlite3_column_bytes(in->row, (int)column);
        // An empty blob has no address of its own.
        if (bytes.length == 0)
            bytes.data = "";
    }
    if (reason == NULL)
        return bytes;
    note(in, column, storage, reason);
    return none;
}

static const char *read_decimal(
    struct column_reader *in, size_t column, int storage, struct number *out_number)
{
    switch (storage) {
    case SQLITE_FLOAT: {
        double real = sqlite3_column_double(in->row, (int)column);
        if (!isfinite(real))
            return "is infinite";
        number_of_real(real, out_number);
        return NULL;
    }
    case SQLITE_INTEGER: // its text is sign and digits
    case SQLITE_TEXT:
        if (number_parse(ascii_text(in, column), out_number))
            return NULL;
        break;
    default:
        break;
    }
    return "is not a number";
}

static struct value_decimal column_decimal(
    struct column_reader *in, size_t column, enum decimal_kind kind)
{
    int storage = storage_of(in, column);
    struct value_decimal value = {.null = true};
    struct number number;

    if (!has_value(in, column, storage))
        return value;
    const char *reason = read_decimal(in, column, storage, &number);
    if (reason == NULL)
        reason = decimal_of_number(&number, kind, &value);
    if (reason != NULL)
        note(in, column, storage, reason);
    return value;
}

struct value_decimal column_numeric(struct column_reader *in, size_t column)
{
    return column_decimal(in, column, DECIMAL_NUMERIC);
}

struct value_decimal column_bignumeric(struct column_reader *in, size_t column)
{
    return column_decimal(in, column, DECIMAL_BIGNUMERIC);
}

/* A count of seconds, milliseconds, microseconds or Julian days. */
static const char *read_count(struct column_reader *in, size_t column, int storage, int64_t *out_us)
{
    enum time_format format = in->table->columns[column].format;

    switch (storage) {
    case SQLITE_INTEGER:
        return civil_us_of_integer(sqlite3_column_int64(in->row, (int)column), format, out_us);
    case SQLITE_FLOAT:
        return civil_us_of_real(sqlite3_column_double(in->row, (int)column), format, out_us);
    default:
        return "is not a number, as the column's time format wants it";
    }
}

/* A time by the column's format; of_text reads ISO 8601. *out_count says that a count was read,
 * which is in microseconds since 1970-01-01. */
static const char *read_time(
    struct column_reader *in, size_t column, int storage,
    const char *(*of_text)(struct slice, int64_t *), int64_t *out_value, bool *out_count)
{
    *out_count = in->table->columns[column].format != TIME_FORMAT_ISO8601;
    if (*out_count)
        return read_count(in, column, storage, out_value);
    if (storage == SQLITE_TEXT)
        return of_text(ascii_text(in, column), out_value);
    return storage == SQLITE_BLOB ? "is a blob, not a time"
                                  : "is a number where the column's format is iso8601";
}

static struct value_int64 time_value(
    struct column_reader *in, size_t column, int storage, const char *reason, int64_t value)
{
    if (reason != NULL)
        note(in, column, storage, reason);
    return (struct value_int64){.value = reason == NULL ? value : 0, .null = reason != NULL};
}

struct value_int64 column_date(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    int64_t value = 0;
    bool count;

    if (!has_value(in, column, storage))
        return (struct value_int64){.null = true};
    const char *reason = read_time(in, column, storage, civil_date_of_text, &value, &count);
    if (reason == NULL && count) {
        if (value % CIVIL_US_PER_DAY != 0)
            reason = "has a time of day";
        value /= CIVIL_US_PER_DAY;
    }
    return time_value(in, column, storage, reason, value);
}

struct value_int64 column_time(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    int64_t value = 0;
    bool count;

    if (!has_value(in, column, storage))
        return (struct value_int64){.null = true};
    const char *reason = read_time(in, column, storage, civil_time_of_text, &value, &count);
    if (reason == NULL && count && (value < 0 || value >= CIVIL_US_PER_DAY))
        reason = "is not within one day";
    return time_value(in, column, storage, reason, value);
}

struct value_int64 column_datetime(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    int64_t value = 0;
    bool count;

    if (!has_value(in, column, storage))
        return (struct value_int64){.null = true};
    const char *reason = read_time(in, column, storage, civil_datetime_of_text, &value, &count);
    return time_value(in, column, storage, reason, value);
}

struct value_int64 column_timestamp(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    int64_t value = 0;
    bool count;

    if (!has_value(in, column, storage))
        return (struct value_int64){.null = true};
    const char *reason = read_time(in, column, storage, civil_timestamp_of_text, &value, &count);
    return time_value(in, column, storage, reason, value);
}

/* A REAL as JSON, in scratch: all its digits, where SQLite's own text has 15. */
static const char *read_json_real(struct column_reader *in, size_t column, struct slice *out_text)
{
    double real = sqlite3_column_double(in->row, (int)column);

    if (!isfinite(real))
        return "is infinite, which JSON cannot say";
    char *out = buffer_reserve(&in->scratch, NUMBER_TEXT_SIZE);
    if (out == NULL)
        return "cannot be read: out of memory";
    *out_text = (struct slice){out, number_json_text(real, out)};
    in->scratch.length += out_text->length;
    return NULL;
}

struct slice column_json(struct column_reader *in, size_t column)
{
    int storage = storage_of(in, column);
    struct slice text = none;
    const char *reason = "is a blob, not a text";

    if (!has_value(in, column, storage))
        return none;
    if (storage == SQLITE_FLOAT) {
        reason = read_json_real(in, column, &text);
    } else if (storage != SQLITE_BLOB) {
        reason = read_text(in, column, &text);
        if (reason == NULL)
            reason = json_check(text);
    }
    if (reason == NULL)
        return text;
    note(in, column, storage, reason);
    return none;
}
