/* credentials: who we are towards Google, and a bearer token that is fresh when asked for (Google
 * AIPs 4110 to 4117). Found once at start in the order of Application Default Credentials.
 * Thread-safe: one thread refreshes while the others wait. Key material is wiped when it is freed
 * and never appears in an error. */
#ifndef BQSYNC_WAREHOUSE_CREDENTIALS_H
#define BQSYNC_WAREHOUSE_CREDENTIALS_H

#include "base/clock.h"
#include "base/error.h"

#include <stdbool.h>

struct credentials;
struct traffic;

struct credentials_options {
    /* GOOGLE_APPLICATION_CREDENTIALS: a path, or the key itself; NULL: search */
    const char *file;
    const struct clock *clock;
    bool allow_any_host; /* token endpoints on other hosts than Google's, and http: tests only */
};

/* Reads and checks the file (no request is made). ERROR_AUTH names the file, the field and
 * the fix. */
MUST_CHECK bool credentials_open(
    const struct credentials_options *options, struct credentials **out_credentials,
    struct error *err);
void credentials_close(struct credentials *credentials);

/* The value of the Authorization header ("Bearer ..."), returned owned and to be wiped by the
 * caller (credentials_wipe); asks the token endpoint when the cached one is about to expire, and
 * counts in traffic, unless NULL, how often it had to be asked again.
 * ERROR_AUTH, ERROR_UNREACHABLE. */
MUST_CHECK bool credentials_authorization(
    struct credentials *credentials, struct traffic *traffic, char **out_header, struct error *err);
/* The token just used was refused (401): the next call fetches a new one. */
void credentials_invalidate(struct credentials *credentials, const char *refused_header);
void credentials_wipe(char *header);

/* The quota project for x-goog-user-project, NULL if none; borrowed. */
const char *credentials_quota_project(const struct credentials *credentials);
/* The root of the BigQuery API in the credentials' universe, borrowed. */
const char *credentials_endpoint(const struct credentials *credentials);
/* For people: "service account x@y (file /path)", of a key that no file holds "(the key in
 * GOOGLE_APPLICATION_CREDENTIALS)"; borrowed. */
const char *credentials_describe(const struct credentials *credentials);
/* The file from which each renewal reads somebody else's token (external accounts), borrowed; NULL:
 * none. No other file of credentials is read after credentials_open. */
const char *credentials_subject_file(const struct credentials *credentials);
/* How IAM names us ("serviceAccount:x@y", "user:x@y"), borrowed; NULL where the credentials do not
 * tell. */
const char *credentials_member(const struct credentials *credentials);

#endif
