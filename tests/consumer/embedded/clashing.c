/* clashing: functions of a user's program that are called like some of bqsync's own. */
#include <stdbool.h>
#include <stddef.h>

bool error_set(void *err, int code, const char *format, ...);
bool buffer_append(void *buffer, const char *bytes, size_t count);
void log_flush(void);

bool error_set(void *err, int code, const char *format, ...)
{
    (void)err;
    (void)code;
    return format == NULL;
}

bool buffer_append(void *buffer, const char *bytes, size_t count)
{
    (void)buffer;
    return bytes != NULL && count > 0;
}

void log_flush(void)
{
}
