/* strict: credentials as Google asks for them (--strict FILE): a token endpoint that verifies
 * signed assertions (RFC 7523), bearer tokens that expire and can be revoked, and TLS with a
 * certificate of one's own. The file's format is in docs/bqlocal.md. Callers hold the server's big
 * lock. */
#ifndef BQLOCAL_AUTH_STRICT_H
#define BQLOCAL_AUTH_STRICT_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct request;
struct server;
struct strict;

/* document: the parsed file; path names it in errors and is where its relative file names start. */
MUST_CHECK bool strict_new(
    const cJSON *document, const char *path, struct strict **out_strict, struct error *err);
void strict_free(struct strict *strict);

/* The key and certificate to serve TLS with, borrowed; false: plain HTTP. strict may be NULL. */
bool strict_tls(const struct strict *strict, const char **out_key, const char **out_certificate);

/* Whether the request may go on: strict is NULL, the route needs no token, or it carries a good
 * one; otherwise err says 401. */
MUST_CHECK bool strict_allows(
    struct strict *strict, struct server *server, const struct request *request, struct error *err);

#endif
