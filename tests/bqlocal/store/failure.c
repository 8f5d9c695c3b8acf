#include "bqlocal/store/failure.h"

#include "bqlocal/store/value.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *reason;
    int http_status;
    enum error_code code;
} reasons[] = {
    {"notFound", 404, ERROR_NOT_FOUND},         {"duplicate", 409, ERROR_CONFLICT},
    {"conditionNotMet", 412, ERROR_CONFLICT},   {"invalid", 400, ERROR_WAREHOUSE},
    {"invalidQuery", 400, ERROR_WAREHOUSE},     {"badRequest", 400, ERROR_WAREHOUSE},
    {"parseError", 400, ERROR_WAREHOUSE},       {"required", 400, ERROR_WAREHOUSE},
    {"resourceInUse", 400, ERROR_CONFLICT},     {"resourcesExceeded", 400, ERROR_LIMIT},
    {"tableUnavailable", 400, ERROR_TRANSIENT}, {"jobBackendError", 400, ERROR_TRANSIENT},
    {"jobInternalError", 400, ERROR_TRANSIENT}, {"jobRateLimitExceeded", 400, ERROR_TRANSIENT},
    {"timeout", 400, ERROR_TRANSIENT},          {"authError", 401, ERROR_AUTH},
    {"accessDenied", 403, ERROR_AUTH},          {"billingNotEnabled", 403, ERROR_AUTH},
    {"quotaExceeded", 403, ERROR_QUOTA},        {"rateLimitExceeded", 403, ERROR_QUOTA},
    {"responseTooLarge", 403, ERROR_LIMIT},     {"bytesBilledLimitExceeded", 400, ERROR_LIMIT},
    {"methodNotAllowed", 405, ERROR_WAREHOUSE}, {"uploadTooLarge", 413, ERROR_LIMIT},
    {"internalError", 500, ERROR_TRANSIENT},    {"notImplemented", 501, ERROR_WAREHOUSE},
    {"backendError", 503, ERROR_TRANSIENT},     {"stopped", 200, ERROR_STOPPED},
};

bool failure_set(struct error *err, const char *reason, const char *format, ...)
{
    enum error_code code = ERROR_WAREHOUSE;
    char message[sizeof err->message];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (strcmp(reasons[i].reason, reason) == 0)
            code = reasons[i].code;
    error_set(err, code, "%s", message);
    err->http_status = failure_http_status(reason);
    snprintf(err->reason, sizeof err->reason, "%s", reason);
    return false;
}

bool failure_set_data(struct error *err, const char *format, ...)
{
    char message[sizeof err->message];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return failure_set(err, "invalid", "Error while reading data, error message: %.900s", message);
}

int failure_http_status(const char *reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (strcmp(reasons[i].reason, reason) == 0)
            return reasons[i].http_status;
    return 400;
}

const char *failure_status_word(int http_status)
{
    switch (http_status) {
    case 400:
        return "INVALID_ARGUMENT";
    case 401:
        return "UNAUTHENTICATED";
    case 403:
        return "PERMISSION_DENIED";
    case 404:
        return "NOT_FOUND";
    case 409:
        return "ALREADY_EXISTS";
    case 412:
        return "FAILED_PRECONDITION";
    case 429:
        return "RESOURCE_EXHAUSTED";
    case 500:
        return "INTERNAL";
    case 501:
        return "UNIMPLEMENTED";
    case 503:
        return "UNAVAILABLE";
    default:
        return "UNKNOWN";
    }
}

/* Puts a question mark in place of each byte that belongs to no character: a name from a file, or
 * one that was cut. */
static void make_text(char *at)
{
    size_t left = strlen(at);

    while (left > 0) {
        size_t length = 1;
        while (length < 4 && length < left && !value_utf8_is_valid((struct slice){at, length}))
            length++;
        if (!value_utf8_is_valid((struct slice){at, length})) {
            *at = '?';
            length = 1;
        }
        at += length;
        left -= length;
    }
}

void failure_complete(struct error *err)
{
    make_text(err->message);
    if (err->reason[0] == '\0')
        snprintf(err->reason, sizeof err->reason, "internalError");
    if (err->http_status == 0)
        err->http_status = failure_http_status(err->reason);
}
