#include "base/error.h"

#include "base/text_fit.h"

#undef error_set
#undef error_wrap
#undef error_note

#include <assert.h>
#include <string.h>

static const struct {
    const char *name;
    bool retryable;
    int exit_status;
} codes[] = {
    [ERROR_NONE] = {"none", false, 0},
    [ERROR_USAGE] = {"usage", false, 2},
    [ERROR_CONFIG] = {"config", false, 3},
    [ERROR_AUTH] = {"auth", false, 4},
    [ERROR_UNREACHABLE] = {"unreachable", true, 5},
    [ERROR_SOURCE] = {"source", false, 6},
    [ERROR_BUSY] = {"busy", true, 6},
    [ERROR_LOCKED] = {"locked", true, 7},
    [ERROR_SCHEMA] = {"schema", false, 1},
    [ERROR_REJECTED] = {"rejected", false, 1},
    [ERROR_WAREHOUSE] = {"warehouse", false, 1},
    [ERROR_NOT_FOUND] = {"not_found", false, 1},
    [ERROR_CONFLICT] = {"conflict", true, 1},
    [ERROR_QUOTA] = {"quota", true, 1},
    [ERROR_BUDGET] = {"budget", true, 1},
    [ERROR_TRANSIENT] = {"transient", true, 1},
    [ERROR_LIMIT] = {"limit", false, 1},
    [ERROR_MEMORY] = {"memory", true, 1},
    [ERROR_DISK] = {"disk", true, 1},
    [ERROR_STOPPED] = {"stopped", true, 1},
};
_Static_assert(sizeof codes / sizeof codes[0] == ERROR_CODE_COUNT, "a row for each code");

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;

    *err = (struct error){.code = code};
    va_start(args, format);
    text_format_list(err->message, sizeof err->message, format, args);
    va_end(args);
    return false;
}

bool error_wrap(struct error *err, const char *format, ...)
{
    char context[sizeof err->message];
    char message[sizeof err->message];
    va_list args;

    va_start(args, format);
    text_format_list(context, sizeof context, format, args);
    va_end(args);
    // What does not fit behind the context is cut, from the end.
    memcpy(message, err->message, sizeof message);
    text_format(err->message, sizeof err->message, "%s: %s", context, message);
    return false;
}

bool error_note(struct error *err, const char *format, ...)
{
    char note[sizeof err->message / 2];
    char message[sizeof err->message];
    va_list args;

    va_start(args, format);
    text_format_list(note, sizeof note, format, args);
    va_end(args);
    memcpy(message, err->message, sizeof message);
    size_t room = sizeof message - sizeof " ()" - strlen(note);
    text_format(err->message, sizeof err->message, "%.*s (%s)", TEXT_FIT(message, room), note);
    return false;
}

const char *error_text(const struct error *err, char out[static ERROR_TEXT_SIZE])
{
    bool has_row = err->row[0] != '\0';

    return text_format(
        out, ERROR_TEXT_SIZE, "%s%s%s%s", err->message, has_row ? " (" : "", err->row,
        has_row ? ")" : "");
}

const char *error_code_name(enum error_code code)
{
    assert(code < ERROR_CODE_COUNT);
    return codes[code].name;
}

bool error_is_retryable(enum error_code code)
{
    assert(code < ERROR_CODE_COUNT);
    return codes[code].retryable;
}

int error_exit_status(enum error_code code)
{
    assert(code < ERROR_CODE_COUNT);
    return codes[code].exit_status;
}
