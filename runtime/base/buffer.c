#include "base/buffer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_init(struct buffer *buffer, size_t ceiling)
{
    *buffer = (struct buffer){.ceiling = ceiling};
}

void buffer_init_secret(struct buffer *buffer, size_t ceiling)
{
    *buffer = (struct buffer){.ceiling = ceiling, .secret = true};
}

static void give_back(const struct buffer *buffer)
{
    if (buffer->secret && buffer->data != NULL)
        explicit_bzero(buffer->data, buffer->capacity);
    free(buffer->data);
}

/* realloc would leave what it moves behind. */
static char *move_secret(const struct buffer *buffer, size_t capacity)
{
    char *data = malloc(capacity);

    if (data == NULL)
        return NULL;
    if (buffer->length > 0)
        memcpy(data, buffer->data, buffer->length);
    give_back(buffer);
    return data;
}

void buffer_clear(struct buffer *buffer)
{
    give_back(buffer);
    *buffer = (struct buffer){.ceiling = buffer->ceiling, .secret = buffer->secret};
}

void buffer_reset(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->failure = BUFFER_OK;
}

char *buffer_reserve(struct buffer *buffer, size_t length)
{
    if (buffer->failure != BUFFER_OK)
        return NULL;
    if (length > buffer->ceiling - buffer->length) {
        buffer->failure = BUFFER_LIMIT;
        return NULL;
    }

    // One byte more than asked, so that buffer_text can always terminate.
    size_t needed = buffer->length + length + 1;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity * 2;
        if (capacity > buffer->ceiling + 1)
            capacity = buffer->ceiling + 1;
        if (capacity < needed)
            capacity = needed;
        char *data =
            buffer->secret ? move_secret(buffer, capacity) : realloc(buffer->data, capacity);
        if (data == NULL) {
            buffer->failure = BUFFER_MEMORY;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    char *to = buffer_reserve(buffer, length);
    if (to == NULL)
        return;
    memcpy(to, bytes, length);
    buffer->length += length;
}

void buffer_append_slice(struct buffer *buffer, struct slice bytes)
{
    buffer_append(buffer, bytes.data, bytes.length);
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    buffer_append(buffer, &byte, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);

    char *to = buffer_reserve(buffer, (size_t)length);
    if (to != NULL) {
        vsnprintf(to, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
}

const char *buffer_text(struct buffer *buffer)
{
    if (buffer->failure != BUFFER_OK || buffer->data == NULL)
        return "";
    buffer->data[buffer->length] = '\0';
    return buffer->data;
}

struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->data, buffer->length};
}

char *buffer_take(struct buffer *buffer)
{
    // An empty buffer has no memory yet; reserving nothing gives it a terminator's worth.
    if (buffer_reserve(buffer, 0) == NULL) {
        buffer_clear(buffer);
        return NULL;
    }
    char *text = buffer->data;
    text[buffer->length] = '\0';
    buffer_init(buffer, buffer->ceiling);
    return text;
}

bool buffer_check(const struct buffer *buffer, const char *what, struct error *err)
{
    switch (buffer->failure) {
    case BUFFER_OK:
        return true;
    case BUFFER_LIMIT:
        return error_set(err, ERROR_LIMIT, "%s is larger than %zu bytes", what, buffer->ceiling);
    case BUFFER_MEMORY:
        break;
    }
    return error_set(err, ERROR_MEMORY, "out of memory for %s", what);
}
