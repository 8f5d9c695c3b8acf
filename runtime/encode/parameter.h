/* parameter: rows as values of one query parameter, ARRAY<STRUCT<the columns, _bqsync_deleted
 * BOOL>>, and single values as parameters of their own, in the JSON of BigQuery's REST API
 * (QueryParameter; "Running parameterized queries"). It reads the record that the row's Avro
 * encoder has written, so whatever Avro carries arrives here as the same value: there is one
 * encoder a table, and this is no second one. JSON goes as STRING, which the statement parses,
 * since how numbers of a JSON parameter are read is documented nowhere. Pure functions. */
#ifndef BQSYNC_ENCODE_PARAMETER_H
#define BQSYNC_ENCODE_PARAMETER_H

#include "base/buffer.h"
#include "base/slice.h"
#include "base/table.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a parameter carries every column. A GEOGRAPHY is loaded: a load job takes its WKT as it
 * is, with rules for the orientation of polygons that no function in a statement shares. */
bool parameter_carries(const struct table *table);

/* Appends the type of the array's elements: {"type":"STRUCT","structTypes":[...]}. */
void parameter_append_type(struct buffer *out, const struct table *table);

/* Appends one element: {"structValues":{...}}. record: the Avro record of the row with every field
 * a union with null, and _bqsync_deleted behind the columns, of a table with history then
 * _bqsync_operation (avro.h). */
void parameter_append_row(struct buffer *out, const struct table *table, struct slice record);

/* Appends a whole parameter with one value, {"name":...,"parameterType":...,"parameterValue":...},
 * with a comma in front unless it is the first. value: as avro_value_take has returned it; not
 * JSON, which has no parameter of its type here. */
void parameter_append_scalar(
    struct buffer *out, const char *name, enum column_type type, struct slice value);

/* The same for a TIMESTAMP, in microseconds since 1970. */
void parameter_append_timestamp(struct buffer *out, const char *name, int64_t us);

#endif
