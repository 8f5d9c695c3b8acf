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

/* What a file of a table's rows holds. */
struct avro_schema {
    const bool *nullable; /* one a field, as of avro_writer */
    bool with_deleted;    /* a boolean `_bqsync_deleted` follows the columns, and, of a table with
                             history, then the string `_bqsync_operation` */
    bool json_as_text;    /* JSON is a string like any other */
};

/* The schema as JSON text, owned; NULL without memory. Fields are in column order with the logical
 * types of "Loading Avro data", unions where nullable says so. */
char *avro_schema_text(const struct table *table, const struct avro_schema *schema);

#endif
