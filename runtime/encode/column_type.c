#include "encode/column_type.h"

/* Avro types: Google Cloud documentation, "Loading Avro data", "Logical types" and "Extract JSON
 * data from Avro data". Avro has no type for GEOGRAPHY: the load job's schema names it. */
static const struct column_type_info types[] = {
    [COLUMN_INT64] = {"INT64", "\"long\""},
    [COLUMN_FLOAT64] = {"FLOAT64", "\"double\""},
    [COLUMN_BOOL] = {"BOOL", "\"boolean\""},
    [COLUMN_STRING] = {"STRING", "\"string\""},
    [COLUMN_BYTES] = {"BYTES", "\"bytes\""},
    [COLUMN_NUMERIC] =
        {"NUMERIC",
         "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":9}"},
    [COLUMN_BIGNUMERIC] =
        {"BIGNUMERIC",
         "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":77,\"scale\":38}"},
    [COLUMN_DATE] = {"DATE", "{\"type\":\"int\",\"logicalType\":\"date\"}"},
    [COLUMN_TIME] = {"TIME", "{\"type\":\"long\",\"logicalType\":\"time-micros\"}"},
    [COLUMN_DATETIME] =
        {"DATETIME", "{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}"},
    [COLUMN_TIMESTAMP] = {"TIMESTAMP", "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}"},
    [COLUMN_JSON] = {"JSON", "{\"type\":\"string\",\"sqlType\":\"JSON\"}"},
    [COLUMN_GEOGRAPHY] = {"GEOGRAPHY", "\"string\""},
};
_Static_assert(sizeof types / sizeof types[0] == COLUMN_TYPE_COUNT, "a row for each type");

const struct column_type_info *column_type_info(enum column_type type)
{
    return &types[type];
}
