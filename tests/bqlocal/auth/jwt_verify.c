#include "bqlocal/auth/jwt_verify.h"

#include "base/buffer.h"
#include "bqlocal/store/value.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#define TOKEN_BYTES_MAX 65536

bool jwt_key_read(const char *pem, EVP_PKEY **out_key, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

    if (key == NULL && bio != NULL) {
        (void)BIO_reset(bio);
        X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (certificate != NULL)
            key = X509_get_pubkey(certificate);
        X509_free(certificate);
    }
    BIO_free(bio);
    if (key == NULL)
        return error_set(err, ERROR_USAGE, "neither a PEM public key nor a PEM certificate");
    *out_key = key;
    return true;
}

static cJSON *decode_json(const char *text, size_t length)
{
    struct buffer bytes;
    cJSON *json = NULL;

    buffer_init(&bytes, TOKEN_BYTES_MAX);
    if (value_base64_decode((struct slice){text, length}, &bytes))
        json = cJSON_ParseWithLength(buffer_text(&bytes), bytes.length);
    buffer_clear(&bytes);
    return json;
}

bool jwt_parse(const char *token, cJSON **out_header, cJSON **out_claims, struct error *err)
{
    const char *first = strchr(token, '.');
    const char *second = first == NULL ? NULL : strchr(first + 1, '.');

    if (second == NULL || strchr(second + 1, '.') != NULL || strlen(token) > TOKEN_BYTES_MAX)
        return error_set(err, ERROR_AUTH, "Invalid JWT: it has to have three parts");
    cJSON *header = decode_json(token, (size_t)(first - token));
    cJSON *claims = decode_json(first + 1, (size_t)(second - first - 1));
    if (!cJSON_IsObject(header) || !cJSON_IsObject(claims)) {
        cJSON_Delete(header);
        cJSON_Delete(claims);
        return error_set(err, ERROR_AUTH, "Invalid JWT: header and claims have to be JSON");
    }
    *out_header = header;
    *out_claims = claims;
    return true;
}

bool jwt_is_signed_by(const char *token, EVP_PKEY *key)
{
    const char *dot = strrchr(token, '.');
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct buffer signature;
    bool good = false;

    buffer_init(&signature, TOKEN_BYTES_MAX);
    if (dot != NULL && context != NULL && value_base64_decode(slice_of(dot + 1), &signature) &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1)
        good = EVP_DigestVerify(
                   context, (const unsigned char *)buffer_text(&signature), signature.length,
                   (const unsigned char *)token, (size_t)(dot - token)) == 1;
    EVP_MD_CTX_free(context);
    buffer_clear(&signature);
    return good;
}
