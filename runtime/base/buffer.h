/* buffer: growable bytes with a ceiling. An append that would pass the ceiling, or finds no memory,
 * makes the buffer failed; further appends do nothing, so that writers are straight lines which
 * check once at the end. One thread at a time. */
#ifndef BQSYNC_BASE_BUFFER_H
#define BQSYNC_BASE_BUFFER_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum buffer_failure { BUFFER_OK, BUFFER_LIMIT, BUFFER_MEMORY };

struct buffer {
    char *data;
    size_t length;
    size_t capacity;
    size_t ceiling;
    enum buffer_failure failure;
    bool secret;
};

/* An empty buffer that will never hold more than ceiling bytes; nothing is allocated yet. */
void buffer_init(struct buffer *buffer, size_t ceiling);

/* The same for keys and tokens: no memory that it gives back, as it grows or at its end, holds any
 * of them. */
void buffer_init_secret(struct buffer *buffer, size_t ceiling);

/* Frees the bytes; the buffer is empty and usable again with the same ceiling. */
void buffer_clear(struct buffer *buffer);

/* Forgets the content and any failure but keeps the memory for the next round. */
void buffer_reset(struct buffer *buffer);

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_slice(struct buffer *buffer, struct slice bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_byte(struct buffer *buffer, uint8_t byte);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Makes room for length more bytes and returns where to write them, or NULL when the buffer has
 * failed. The caller adds what it used to buffer->length. */
char *buffer_reserve(struct buffer *buffer, size_t length);

/* The content as a C string (a terminator is added behind it, outside of length); "" if failed or
 * empty. Borrowed until the next append. */
const char *buffer_text(struct buffer *buffer);

struct slice buffer_slice(const struct buffer *buffer);

/* Takes: the content as a C string that the caller frees, NULL if the buffer failed; the buffer is
 * empty afterwards. */
char *buffer_take(struct buffer *buffer);

/* Success, or ERROR_LIMIT / ERROR_MEMORY naming what was being built. */
MUST_CHECK bool buffer_check(const struct buffer *buffer, const char *what, struct error *err);

#endif
