/* avro: typed writers of one record's fields in order (Apache Avro specification, "Binary
 * Encoding"), called by the generated encoders. Whether a field is a ["null", T] union or a plain T
 * is the file's choice (struct avro_writer.nullable), not the caller's: a staging table takes
 * unions everywhere, while BigQuery wants plain types for the REQUIRED columns of a table that it
 * appends to (Google Cloud documentation, "Loading Avro data"). One thread at a time. */
#ifndef BQSYNC_ENCODE_AVRO_H
#define BQSYNC_ENCODE_AVRO_H

#include "base/buffer.h"
#include "base/slice.h"
#include "base/table.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>

struct avro_writer {
    struct buffer *out;
    const bool *nullable; /* one a field: written as a union with null? Borrowed */
    size_t field;         /* the next field's index; set to 0 before each record */
};

void avro_int64(struct avro_writer *out, struct value_int64 value);
void avro_float64(struct avro_writer *out, struct value_float64 value);
void avro_bool(struct avro_writer *out, struct value_bool value);
void avro_string(struct avro_writer *out, struct slice value);
void avro_bytes(struct avro_writer *out, struct slice value);
void avro_decimal(struct avro_writer *out, struct value_decimal value);

/* The Avro schema (JSON text, owned; NULL without memory) of a file of this table's rows: fields in
 * column order with the logical types of "Loading Avro data", unions where nullable says so, and,
 * with_deleted, one more boolean field `_bqsync_deleted` behind them, and, of a table with history,
 * then the string `_bqsync_operation` (nullable has column_count + 2 entries then). json_as_text:
 * JSON is a string like any other. */
char *avro_schema_text(
    const struct table *table, const bool *nullable, bool with_deleted, bool json_as_text);

#endif
