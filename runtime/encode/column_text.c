/* The column readers of STRING, BYTES, JSON and GEOGRAPHY, and the transforms of texts. */
#include "base/buffer.h"
#include "encode/blob_text.h"
#include "encode/cell.h"
#include "encode/column.h"
#include "encode/digest.h"
#include "encode/json.h"
#include "encode/jsonb.h"
#include "encode/number.h"
#include "encode/text.h"
#include "encode/utf8.h"
#include "encode/wkt.h"

#include <math.h>

_Static_assert(
    COLUMN_SCRATCH_SIZE >= DIGEST_TEXT_SIZE && COLUMN_SCRATCH_SIZE >= NUMBER_TEXT_SIZE &&
        COLUMN_SCRATCH_SIZE >= UUID_TEXT_SIZE,
    "scratch holds a digest, a number or a UUID");

static const struct slice none = {NULL, 0};

/* Replaces the text by its digest. */
static const char *hash(const struct cell *cell, struct slice *text)
{
    char *out = cell_scratch(cell);

    if (!digest_text(cell->in->digest, cell->index, *text, out))
        return "cannot be hashed";
    *text = (struct slice){out, DIGEST_TEXT_SIZE};
    return NULL;
}

static const char *transform(const struct cell *cell, struct slice *text)
{
    switch (cell->column->transform) {
    case TRANSFORM_SHA256:
    case TRANSFORM_HMAC_SHA256:
        return hash(cell, text);
    case TRANSFORM_TRUNCATE:
        *text = text_prefix(*text, cell->column->truncate_to);
        return NULL;
    case TRANSFORM_REDACT:
    case TRANSFORM_NONE:
        break;
    }
    return NULL;
}

/* The text that a blob stands for by the column's definition. */
static const char *read_blob(const struct cell *cell, struct slice *out_text)
{
    struct slice blob = cell_blob(cell);

    switch (cell->column->blob) {
    case BLOB_REJECTED:
        return "is a blob, not a text";
    case BLOB_UTF8:
        *out_text = blob;
        return NULL;
    case BLOB_UUID:
    case BLOB_GUID:
        *out_text = (struct slice){cell_scratch(cell), UUID_TEXT_SIZE};
        return blob_uuid_text(blob, cell->column->blob, cell_scratch(cell));
    case BLOB_JSONB: {
        struct buffer *made = &cell->in->texts[cell->index];
        buffer_reset(made);
        const char *reason = jsonb_text(blob, made);
        *out_text = buffer_slice(made);
        return reason;
    }
    }
    return NULL;
}

static struct slice convert_string(struct cell cell)
{
    struct slice text = none;
    const char *reason;

    if (cell_is_null(&cell))
        return none;
    if (cell.column->transform == TRANSFORM_REDACT)
        return slice_of("[redacted]");
    reason = cell.storage == SQLITE_BLOB ? read_blob(&cell, &text) : cell_text(&cell, &text);
    if (reason == NULL)
        reason = text_check(text);
    if (reason != NULL) {
        cell_problem(&cell, reason);
        return none;
    }
    if (cell.column->transform == TRANSFORM_NONE)
        return text;
    reason = transform(&cell, &text);
    if (reason == NULL)
        return text;
    cell_failure(&cell, reason);
    return none;
}

struct slice column_string(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);

    if (cell_is_plain(&cell, SQLITE_TEXT) && cell.column->transform == TRANSFORM_NONE) {
        struct slice text;
        if (cell_text(&cell, &text) == NULL && utf8_is_valid(text))
            return text;
    }
    return convert_string(cell);
}

struct slice column_bytes(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    struct slice bytes = none;
    const char *reason = "is a number, not bytes";

    if (cell_is_null(&cell))
        return none;
    if (cell.storage == SQLITE_TEXT) {
        reason = cell_text(&cell, &bytes);
    } else if (cell.storage == SQLITE_BLOB) {
        reason = NULL;
        bytes = cell_blob(&cell);
    }
    if (reason == NULL)
        return bytes;
    cell_problem(&cell, reason);
    return none;
}

/* A REAL as a JSON number with all its digits: SQLite's own text has 15 at most. */
static const char *read_json_real(const struct cell *cell, struct slice *out_text)
{
    double real = sqlite3_value_double(cell->value);

    if (!isfinite(real))
        return "is infinite, which JSON cannot say";
    char *out = cell_scratch(cell);
    *out_text = (struct slice){out, number_json_text(real, out)};
    return NULL;
}

struct slice column_json(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    struct slice text = none;
    const char *reason;

    if (cell_is_null(&cell))
        return cell.column->unfit ? column_unfit(in, index) : none;
    if (cell.storage == SQLITE_FLOAT) {
        reason = read_json_real(&cell, &text);
    } else {
        reason = cell.storage == SQLITE_BLOB ? read_blob(&cell, &text) : cell_text(&cell, &text);
        if (reason == NULL)
            reason = cell.column->json_rounds ? json_check(text) : json_check_exact(text);
    }
    if (reason == NULL)
        return text;
    cell_problem(&cell, reason);
    return none;
}

struct slice column_geography(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    struct slice text = none;
    const char *reason = "is not a text";

    if (cell_is_null(&cell))
        return none;
    if (cell.storage == SQLITE_TEXT)
        reason = cell_text(&cell, &text);
    else if (cell.storage == SQLITE_BLOB && cell.column->blob != BLOB_REJECTED)
        reason = read_blob(&cell, &text);
    if (reason == NULL)
        reason = wkt_check(text);
    if (reason == NULL)
        return text;
    cell_problem(&cell, reason);
    return none;
}
