#include "warehouse/jwt.h"

#include "base/base64.h"
#include "base/json_exact.h"
#include "base/json_memory.h"

#include <cjson/cJSON.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

/* RSA of 4,096 bits; larger keys are not issued. */
#define SIGNATURE_CEILING 1024

/* An encrypted key has nobody here to ask for its passphrase. */
static int no_passphrase(char *out, int size, int writing, void *context)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

EVP_PKEY *jwt_key_read(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

    BIO_free(bio);
    if (key != NULL && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static void append_json(struct buffer *out, cJSON *object)
{
    char *text = object == NULL ? NULL : json_print(object);

    if (text == NULL)
        out->failure = BUFFER_MEMORY;
    else
        base64_append_url(out, slice_of(text));
    cJSON_free(text);
    cJSON_Delete(object);
}

static void append_header(struct buffer *out, const char *key_id)
{
    cJSON *header = cJSON_CreateObject();

    cJSON_AddStringToObject(header, "alg", "RS256");
    cJSON_AddStringToObject(header, "typ", "JWT");
    if (key_id != NULL)
        cJSON_AddStringToObject(header, "kid", key_id);
    append_json(out, header);
}

static void append_claims(struct buffer *out, const struct jwt_claims *claims)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "iss", claims->issuer);
    if (claims->subject != NULL)
        cJSON_AddStringToObject(object, "sub", claims->subject);
    if (claims->audience != NULL)
        cJSON_AddStringToObject(object, "aud", claims->audience);
    if (claims->scope != NULL)
        cJSON_AddStringToObject(object, "scope", claims->scope);
    json_add_int64(object, "iat", claims->issued_s);
    json_add_int64(object, "exp", claims->expires_s);
    append_json(out, object);
}

bool jwt_sign(
    EVP_PKEY *key, const char *key_id, const struct jwt_claims *claims, struct buffer *out,
    struct error *err)
{
    size_t start = out->length;
    unsigned char signature[SIGNATURE_CEILING];
    size_t length = sizeof signature;

    append_header(out, key_id);
    buffer_append_byte(out, '.');
    append_claims(out, claims);
    if (!buffer_check(out, "a signed assertion", err))
        return false;

    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(
                  context, signature, &length, (const unsigned char *)out->data + start,
                  out->length - start) == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        return error_set(err, ERROR_AUTH, "the private key cannot sign");
    buffer_append_byte(out, '.');
    base64_append_url(out, (struct slice){(const char *)signature, length});
    return buffer_check(out, "a signed assertion", err);
}
