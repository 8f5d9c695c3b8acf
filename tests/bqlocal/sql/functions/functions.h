/* sql_udf: the SQLite functions that translated SQL calls, all named bq_... . Values come and go in
 * the store's forms; types travel as the numbers of enum store_type. */
#ifndef BQLOCAL_SQL_FUNCTIONS_FUNCTIONS_H
#define BQLOCAL_SQL_FUNCTIONS_FUNCTIONS_H

#include "base/buffer.h"
#include "base/slice.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Everything; false when SQLite refuses (out of memory). */
bool sql_udf_register(sqlite3 *handle);

typedef void sql_udf_function(sqlite3_context *, int, sqlite3_value **);

struct sql_udf {
    const char *name;
    int args; /* -1: any number */
    sql_udf_function *call;
    const void *data;
    bool changes; /* not the same for the same arguments */
};

bool sql_udf_add(sqlite3 *handle, const struct sql_udf *functions, size_t count);

/* One file each. */
bool sql_udf_register_numbers(sqlite3 *handle);
bool sql_udf_register_texts(sqlite3 *handle);
bool sql_udf_register_format(sqlite3 *handle);
bool sql_udf_register_times(sqlite3 *handle);
bool sql_udf_register_json(sqlite3 *handle);
bool sql_udf_register_aggregates(sqlite3 *handle);

/* The bytes of a TEXT or BLOB value, borrowed. */
struct slice sql_udf_slice(sqlite3_value *value);
/* Whether one of them is NULL; the result then is NULL too. */
bool sql_udf_null(sqlite3_context *context, int count, sqlite3_value **args);
void sql_udf_error(sqlite3_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* NaN as the text that stands for it. */
void sql_udf_result_double(sqlite3_context *context, double number);
double sql_udf_double(sqlite3_value *value);
void sql_udf_result_text(sqlite3_context *context, const char *text, size_t length);
void sql_udf_result_bytes(sqlite3_context *context, const char *bytes, size_t length);
/* A value of a type as CAST(... AS STRING) writes it, appended. False if bytes are no UTF-8. */
bool sql_udf_text(sqlite3_value *value, int type, struct buffer *out);
/* No value grows beyond this: BigQuery's own bound on a row. */
enum { SQL_TEXT_BYTES_MAX = 100 * 1024 * 1024 };
/* Takes the buffer's content as the result, or fails if it grew too large; clears it. */
void sql_udf_finish_text(sqlite3_context *context, struct buffer *buffer);
int64_t sql_count_characters(struct slice text);
/* The offset of the n-th character (from 0), at most the length. */
size_t sql_character_offset(struct slice text, int64_t n);
/* Compares decimals in the store's form: <0, 0, >0. */
int sql_decimal_compare(struct slice a, struct slice b);

#endif
