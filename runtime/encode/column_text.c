/* The column readers of STRING, BYTES, JSON and GEOGRAPHY, and the transforms of texts. */
#include "encode/cell.h"
#include "encode/column.h"
#include "encode/digest.h"
#include "encode/json.h"
#include "encode/number.h"
#include "encode/text.h"
#include "encode/wkt.h"

#include <math.h>

_Static_assert(
    COLUMN_SCRATCH_SIZE >= DIGEST_TEXT_SIZE && COLUMN_SCRATCH_SIZE >= NUMBER_TEXT_SIZE,
    "scratch holds a digest or a number");

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

struct slice column_string(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    struct slice text = none;
    const char *reason = "is a blob, not a text";

    if (cell_is_null(&cell))
        return none;
    if (cell.column->transform == TRANSFORM_REDACT)
        return slice_of("[redacted]");
    if (cell.storage != SQLITE_BLOB)
        reason = cell_text(&cell, &text);
    if (reason == NULL)
        reason = text_check(text);
    if (reason == NULL && cell.column->transform != TRANSFORM_NONE)
        reason = transform(&cell, &text);
    if (reason == NULL)
        return text;
    cell_problem(&cell, reason);
    return none;
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
        bytes.data = sqlite3_value_blob(cell.value);
        bytes.length = (size_t)sqlite3_value_bytes(cell.value);
        // SQLite returns NULL for an empty blob.
        if (bytes.length == 0)
            bytes.data = "";
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
    const char *reason = "is a blob, not a text";

    if (cell_is_null(&cell))
        return none;
    if (cell.storage == SQLITE_FLOAT) {
        reason = read_json_real(&cell, &text);
    } else if (cell.storage != SQLITE_BLOB) {
        reason = cell_text(&cell, &text);
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
    if (cell.storage == SQLITE_TEXT) {
        reason = cell_text(&cell, &text);
        if (reason == NULL)
            reason = wkt_check(text);
    }
    if (reason == NULL)
        return text;
    cell_problem(&cell, reason);
    return none;
}
