/* strict: credentials as Google asks for them (--strict FILE): a token endpoint that verifies
 * signed assertions (RFC 7523), bearer tokens that expire and can be revoked, and TLS with a
 * certificate of one's own. The file's format is in docs/bqlocal.md. Callers are inside of the
 * monitor. */
#ifndef BQLOCAL_AUTH_STRICT_H
#define BQLOCAL_AUTH_STRICT_H

#include "bqlocal/http/exchange.h"

struct strict;

/* Reads the file, whose folder is where its relative file names start. */
MUST_CHECK bool strict_new(const char *path, struct strict **out_strict, struct error *err);
void strict_free(struct strict *strict);

/* The key and certificate to serve TLS with, borrowed; false: plain HTTP. strict may be NULL. */
bool strict_tls(const struct strict *strict, const char **out_key, const char **out_certificate);

/* Whether the request carries a good token; otherwise err says 401. True where no credentials are
 * asked for. */
MUST_CHECK bool strict_allows(
    const struct parts *in, const struct request *request, struct error *err);

/* The token endpoint, and what tests do with the tokens that it handed out. */
request_handler strict_token, strict_revoke, strict_describe;

#endif
