#include "base/error.h"

#include "base/text_fit.h"

#undef error_set
#undef error_wrap
#undef error_note

#include <assert.h>
#include <errno.h>
#include <string.h>

static const struct {
    const char *name;
    bool retryable;
    int exit_status;
    const char *fix; /* NULL: the message is all there is to say */
} codes[] = {
    [ERROR_NONE] = {"none", false, 0, NULL},
    [ERROR_USAGE] = {"usage", false, 2, NULL},
    [ERROR_CONFIG] =
        {"config", false, 3,
         "Check the settings: `bqsync check` names the wrong one and what is expected."},
    [ERROR_AUTH] =
        {"auth", false, 4,
         "Check the credentials and that their account may read and write this dataset: `bqsync "
         "check` names the missing permission."},
    [ERROR_UNREACHABLE] =
        {"unreachable", true, 5,
         "Check the connection from this machine to BigQuery: network, DNS, proxy. bqsync retries "
         "by itself."},
    [ERROR_SOURCE] =
        {"source", false, 6,
         "Check that the SQLite file exists at `BQ_SQLITE_PATH` and that bqsync can read it."},
    [ERROR_BUSY] =
        {"busy", true, 6,
         "Another program holds SQLite's lock for a long time. Look for long transactions in the "
         "application."},
    [ERROR_LOCKED] =
        {"locked", true, 7, "Another bqsync works on the same state. Wait for it, or stop it."},
    [ERROR_SCHEMA] =
        {"schema", false, 1,
         "The definition does not fit SQLite or BigQuery: `bqsync plan` shows the exact statement "
         "to decide on."},
    [ERROR_REJECTED] =
        {"rejected", false, 1, "`bqsync rejects` lists the rows, columns and reasons."},
    [ERROR_WAREHOUSE] =
        {"warehouse", false, 1,
         "BigQuery rejected the request. The message says why; `bqsync plan` and `bqsync check` "
         "help to find the cause."},
    [ERROR_NOT_FOUND] = {"not_found", false, 1, NULL},
    [ERROR_CONFLICT] = {"conflict", true, 1, NULL},
    [ERROR_QUOTA] =
        {"quota", true, 1,
         "A BigQuery quota is used up. It resets by itself; a longer interval avoids the error."},
    [ERROR_BUDGET] =
        {"budget", true, 1,
         "The bytes of `BQ_MAX_BYTES_BILLED_PER_DAY` are used up. The next day's budget begins at "
         "00:00 UTC; raise it to go on now."},
    [ERROR_TRANSIENT] = {"transient", true, 1, "Nothing: the next sync tries again."},
    [ERROR_LIMIT] = {"limit", false, 1, NULL},
    [ERROR_MEMORY] = {"memory", true, 1, "Give the process more memory."},
    [ERROR_DISK] = {"disk", true, 1, "Free some disk space, or set `TMPDIR` to a disk with more."},
    [ERROR_STOPPED] = {"stopped", true, 1, NULL},
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

enum error_code error_code_of_errno(int reason, enum error_code otherwise)
{
    if ((reason == EMFILE || reason == ENFILE) && otherwise == ERROR_CONFIG)
        return ERROR_LIMIT;
    return reason == ENOMEM ? ERROR_MEMORY : otherwise;
}

const char *error_limit_advice(int reason)
{
    switch (reason) {
    case EMFILE:
        return "; raise the limit of open files (ulimit -n, or LimitNOFILE of the unit)";
    case ENFILE:
        return "; raise the machine's limit of open files (sysctl fs.file-max)";
    case EFBIG:
        return "; raise the limit of the size of files (ulimit -f, or LimitFSIZE of the unit)";
    default:
        return "";
    }
}

const char *error_fix(const char *name)
{
    for (size_t i = 0; i < ERROR_CODE_COUNT; i++)
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].fix;
    return NULL;
}

int error_exit_status(enum error_code code)
{
    assert(code < ERROR_CODE_COUNT);
    return codes[code].exit_status;
}
