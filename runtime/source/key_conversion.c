#include "source/key_conversion.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum affinity { AFFINITY_INTEGER, AFFINITY_TEXT, AFFINITY_BLOB, AFFINITY_REAL, AFFINITY_NUMERIC };

static bool contains(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

/* The rules of "Determination Of Column Affinity" in SQLite's "Datatypes In SQLite", in order. */
static enum affinity affinity_of(const char *type)
{
    if (contains(type, "int"))
        return AFFINITY_INTEGER;
    if (contains(type, "char") || contains(type, "clob") || contains(type, "text"))
        return AFFINITY_TEXT;
    if (*type == '\0' || contains(type, "blob"))
        return AFFINITY_BLOB;
    if (contains(type, "real") || contains(type, "floa") || contains(type, "doub"))
        return AFFINITY_REAL;
    return AFFINITY_NUMERIC;
}

/* The pairs that are one-to-one. An INTEGER or NUMERIC column stores every text and real that
 * equals a 64-bit integer as that integer, and nothing else fits INT64. A TEXT column stores
 * numbers as text, and a blob does not fit STRING. It does fit BYTES, beside the text of the same
 * bytes, so there only a STRICT table leaves one form. */
static const struct pair {
    enum affinity affinity;
    enum column_type type;
    bool only_strict;
} pairs[] = {
    {AFFINITY_INTEGER, COLUMN_INT64, false}, {AFFINITY_NUMERIC, COLUMN_INT64, false},
    {AFFINITY_TEXT, COLUMN_STRING, false},   {AFFINITY_TEXT, COLUMN_BYTES, true},
    {AFFINITY_BLOB, COLUMN_BYTES, true},
};

bool key_conversion_is_one_to_one(
    const struct column *column, const struct key_declaration *declared)
{
    // A blob that is read as text may become the text of another row.
    if (column->transform == TRANSFORM_TRUNCATE || column->transform == TRANSFORM_REDACT ||
        column->blob != BLOB_REJECTED)
        return false;
    // Integers and nothing else, and each has one text.
    if (declared->rowid_alias && (column->type == COLUMN_INT64 || column->type == COLUMN_STRING))
        return true;
    // ANY in a STRICT table stores every value as it is; elsewhere the word means NUMERIC.
    if (declared->strict && strcasecmp(declared->type, "any") == 0)
        return false;
    enum affinity affinity = affinity_of(declared->type);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].affinity == affinity && pairs[i].type == column->type &&
            (declared->strict || !pairs[i].only_strict))
            return true;
    return false;
}
