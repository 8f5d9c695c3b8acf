/* jwt: signed assertions (RFC 7519, RS256 of RFC 7518) by an RSA key. Pure: no I/O, no clock. */
#ifndef BQSYNC_WAREHOUSE_JWT_H
#define BQSYNC_WAREHOUSE_JWT_H

#include "base/buffer.h"
#include "base/error.h"

#include <openssl/evp.h>
#include <stdint.h>

struct jwt_claims {
    const char *issuer;   /* iss */
    const char *subject;  /* sub, NULL: absent */
    const char *audience; /* aud, NULL: absent */
    const char *scope;    /* NULL: absent */
    int64_t issued_s;     /* iat */
    int64_t expires_s;    /* exp */
};

/* Reads a PEM private key; NULL if it is none, or not an RSA key. Owned (EVP_PKEY_free). */
EVP_PKEY *jwt_key_read(const char *pem);

/* Appends header.claims.signature. key_id NULL: no kid. The caller wipes what it appended to. */
MUST_CHECK bool jwt_sign(
    EVP_PKEY *key, const char *key_id, const struct jwt_claims *claims, struct buffer *out,
    struct error *err);

#endif
