/* functions: the SQLite functions that translated SQL calls; C functions are named as SQL calls
 * them, bq_... Values are in the store's forms, types are numbers of enum store_type. */
#ifndef BQLOCAL_SQL_FUNCTIONS_FUNCTIONS_H
#define BQLOCAL_SQL_FUNCTIONS_FUNCTIONS_H

#include "base/buffer.h"
#include "base/slice.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Registers all functions; false when SQLite is out of memory. */
bool sql_register_functions(sqlite3 *handle);

typedef void sql_function_call(sqlite3_context *, int, sqlite3_value **);

struct sql_function {
    const char *name;
    int args; /* -1: any number */
    sql_function_call *call;
    const void *data;
    bool changes; /* the result differs for equal arguments */
};

bool sql_add_functions(sqlite3 *handle, const struct sql_function *functions, size_t count);

/* One file each. */
bool sql_register_numbers(sqlite3 *handle);
bool sql_register_texts(sqlite3 *handle);
bool sql_register_times(sqlite3 *handle);
bool sql_register_json(sqlite3 *handle);
bool sql_register_aggregates(sqlite3 *handle);

/* The bytes of a TEXT or BLOB value, borrowed. */
struct slice sql_arg_slice(sqlite3_value *value);
/* Whether an argument is NULL; if so, the result is set to NULL. */
bool sql_result_null_if_any(sqlite3_context *context, int count, sqlite3_value **args);
void sql_result_error(sqlite3_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* NaN is stored as text. */
void sql_result_double(sqlite3_context *context, double number);
double sql_arg_double(sqlite3_value *value);
void sql_result_text(sqlite3_context *context, const char *text, size_t length);
void sql_result_bytes(sqlite3_context *context, const char *bytes, size_t length);
/* A value of a type as CAST(... AS STRING) writes it, appended. False if bytes are no UTF-8. */
bool sql_append_as_text(sqlite3_value *value, int type, struct buffer *out);
/* The text of a time, which this shortens: no fraction, or one of three or six digits. */
void sql_append_moment(char *text, struct buffer *out);
/* No value grows beyond this: BigQuery's own bound on a row. */
enum { SQL_TEXT_BYTES_MAX = 100 * 1024 * 1024 };
/* Takes the buffer's content as the result, or fails if it grew too large; clears it. */
void sql_result_buffer(sqlite3_context *context, struct buffer *buffer);
#endif
