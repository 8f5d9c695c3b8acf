/* output: writing for a reader who may be slow or gone. What a person or another program no longer
 * reads must not keep a pass or the end of a service waiting. Any thread may call it. */
#ifndef BQSYNC_BASE_OUTPUT_H
#define BQSYNC_BASE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* How long a line waits for its reader: longer than one who reads is busy with something else, and
 * short enough for a service that is to end within ten seconds. */
#define OUTPUT_PATIENCE_MS 2000

/* Writes the text to a file, terminal, pipe or socket, and waits for at most patience_ms each time
 * that it takes no more. False, with errno, if a part could not be written (ETIMEDOUT: nobody
 * reads); *out_written bytes were. */
bool output_write(int fd, const void *text, size_t length, int patience_ms, size_t *out_written);

#endif
