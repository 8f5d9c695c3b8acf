/* small_file: reads a small file that somebody else puts there: .env, credentials, tokens. It may
 * be a named pipe, which programs that keep secrets mount in the place of a file. Any thread. */
#ifndef BQSYNC_BASE_SMALL_FILE_H
#define BQSYNC_BASE_SMALL_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#define SMALL_FILE_TEXT_SIZE 256

/* Appends all of it. Returns 0, or the errno of what failed: ETIME if the file is a pipe or a
 * device that was not written to its end within some seconds, EINTR if the process was asked to
 * stop meanwhile. What does not fit is a failure of the buffer, which the caller looks at. */
MUST_CHECK int small_file_read(const char *path, struct buffer *out);

/* What small_file_read returned in words, and what a person can do about it. Returns out. */
const char *small_file_text(int reason, char out[static SMALL_FILE_TEXT_SIZE]);

/* The code of an error with that reason, as error_code_of_errno. */
enum error_code small_file_code(int reason, enum error_code otherwise);

#endif
