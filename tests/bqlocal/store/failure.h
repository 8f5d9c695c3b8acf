/* failure: errors as Google words them. The reason and the HTTP status travel in struct error; an
 * answer makes an error body of them, a job an errorResult. Any thread. */
#ifndef BQLOCAL_STORE_FAILURE_H
#define BQLOCAL_STORE_FAILURE_H

#include "base/error.h"

/* Fills err with Google's reason ("notFound"), the HTTP status that goes with it and the message;
 * returns false. */
bool failure_set(struct error *err, const char *reason, const char *format, ...) PRINTF_LIKE(3, 4);

/* "invalid" for a file that cannot be loaded: "Error while reading data, error message: ...";
 * returns false. */
bool failure_set_data(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The HTTP status of a reason word (BigQuery's "Error messages" table); 400 for an unknown one. */
int failure_http_status(const char *reason);

/* The canonical status word of an HTTP status ("NOT_FOUND"); static. */
const char *failure_status_word(int http_status);

/* Makes an error what an answer may hold: the reason internalError where it came without one
 * (SQLite, memory), and a message of characters alone. */
void failure_complete(struct error *err);

#endif
