/* jwt: signed assertions (RFC 7519, RS256 of RFC 7518) as service accounts make them. Pure but for
 * OpenSSL's own state; any thread. */
#ifndef BQLOCAL_AUTH_JWT_VERIFY_H
#define BQLOCAL_AUTH_JWT_VERIFY_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdbool.h>

/* A PEM public key or certificate; ERROR_USAGE if it is neither. Freed by EVP_PKEY_free. */
MUST_CHECK bool jwt_key_read(const char *pem, EVP_PKEY **out_key, struct error *err);

/* The header and the claims, both owned, without checking anything but their form. */
MUST_CHECK bool jwt_parse(
    const char *token, cJSON **out_header, cJSON **out_claims, struct error *err);

/* Whether the token is signed by the key. */
bool jwt_is_signed_by(const char *token, EVP_PKEY *key);

#endif
