/* credential_file: a credentials file as checked JSON: reading it, and taking fields out with
 * errors that name the file, the field and the fix. No requests, no keys are parsed here. For the
 * files of this group. */
#ifndef BQSYNC_WAREHOUSE_CREDENTIAL_FILE_H
#define BQSYNC_WAREHOUSE_CREDENTIAL_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Where a value stands, for messages, and what is allowed there. */
struct credential_source {
    /* of the file; NULL: the variable holds the key itself */
    const char *path;
    const char *type; /* "service_account" ..., NULL before it is known */
    const char *universe;
    bool allow_any_host;
};

/* Whether the value of GOOGLE_APPLICATION_CREDENTIALS is taken for a key, so that no message shows
 * any of it. It is taken for a path only if such a file exists or could not be looked for, if its
 * folder exists, or if it ends in ".json": an access token, an API key or a line of a PEM file does
 * none of this. A key is JSON or base64 of it (either alphabet, RFC 4648 4 and 5). */
bool credential_file_is_key(const char *value);

/* Reads the file source->path, or value, which is the key, if that is NULL. *out_root is an object,
 * owned; its texts may be secret (credential_file_wipe). */
MUST_CHECK bool credential_file_load(
    const struct credential_source *source, const char *value, cJSON **out_root, struct error *err);
/* Wipes every text inside and frees. NULL is fine. */
void credential_file_wipe(cJSON *root);

/* The text of a field, borrowed. A missing or empty one is ERROR_AUTH with the fix. */
MUST_CHECK bool credential_file_require(
    const struct credential_source *source, const cJSON *object, const char *field, const char *fix,
    const char **out_text, struct error *err);
/* The text of a field or fallback. */
const char *credential_file_optional(const cJSON *object, const char *field, const char *fallback);

/* Secrets go to this URL: it must be https and one of Google's hosts (or of the universe). */
MUST_CHECK bool credential_file_check_url(
    const struct credential_source *source, const char *field, const char *url, struct error *err);

/* ERROR_AUTH "credentials file PATH: ...", or "the key in GOOGLE_APPLICATION_CREDENTIALS: ...";
 * returns false. */
bool credential_file_error(
    const struct credential_source *source, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
