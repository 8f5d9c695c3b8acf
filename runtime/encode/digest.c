#include "encode/digest.h"

#include "base/hex.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_BYTES 32

struct digest {
    EVP_MD *md;
    EVP_MD_CTX *md_context;
    EVP_MAC *mac;
    size_t count;
    EVP_MAC_CTX *keyed[]; /* one a column, NULL unless it is hmac_sha256 */
};

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    for (size_t i = 0; i < digest->count; i++)
        EVP_MAC_CTX_free(digest->keyed[i]);
    EVP_MD_CTX_free(digest->md_context);
    EVP_MD_free(digest->md);
    EVP_MAC_free(digest->mac);
    free(digest);
}

static bool library_failed(const struct table *table, struct error *err)
{
    return error_set(
        err, ERROR_CONFIG, "table %s: OpenSSL offers no SHA-256 for its transforms", table->name);
}

static bool add_key(
    struct digest *digest, const struct table *table, size_t index, struct error *err)
{
    const struct column *column = &table->columns[index];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };

    const char *key = getenv(column->transform_key);
    if (key == NULL || key[0] == '\0')
        return error_set(
            err, ERROR_CONFIG,
            "table %s, column %s: set %s to the key of the transform hmac_sha256", table->name,
            column->name, column->transform_key);
    digest->keyed[index] = EVP_MAC_CTX_new(digest->mac);
    if (digest->keyed[index] == NULL ||
        EVP_MAC_init(digest->keyed[index], (const unsigned char *)key, strlen(key), params) != 1)
        return library_failed(table, err);
    return true;
}

static bool is_hash(enum column_transform transform)
{
    return transform == TRANSFORM_SHA256 || transform == TRANSFORM_HMAC_SHA256;
}

bool digest_new(const struct table *table, struct digest **out_digest, struct error *err)
{
    bool any = false;

    for (size_t i = 0; i < table->column_count; i++)
        any = any || is_hash(table->columns[i].transform);
    if (!any) {
        *out_digest = NULL;
        return true;
    }

    struct digest *digest = calloc(1, sizeof *digest + table->column_count * sizeof(EVP_MAC_CTX *));
    if (digest == NULL)
        return error_set(err, ERROR_MEMORY, "table %s: out of memory for digests", table->name);
    digest->count = table->column_count;
    digest->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest->md_context = EVP_MD_CTX_new();
    digest->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    bool ok = digest->md != NULL && digest->md_context != NULL && digest->mac != NULL
                  ? true
                  : library_failed(table, err);
    for (size_t i = 0; ok && i < table->column_count; i++) {
        if (table->columns[i].transform == TRANSFORM_HMAC_SHA256)
            ok = add_key(digest, table, i, err);
    }
    if (!ok) {
        digest_free(digest);
        return false;
    }
    *out_digest = digest;
    return true;
}

static bool compute(
    struct digest *digest, size_t column, struct slice value, unsigned char out[DIGEST_BYTES])
{
    const unsigned char *bytes = (const unsigned char *)value.data;
    EVP_MAC_CTX *keyed = digest->keyed[column];
    size_t length;

    // Without a key, init starts over with the key given before.
    if (keyed != NULL)
        return EVP_MAC_init(keyed, NULL, 0, NULL) == 1 &&
               EVP_MAC_update(keyed, bytes, value.length) == 1 &&
               EVP_MAC_final(keyed, out, &length, DIGEST_BYTES) == 1;
    return EVP_DigestInit_ex2(digest->md_context, digest->md, NULL) == 1 &&
           EVP_DigestUpdate(digest->md_context, bytes, value.length) == 1 &&
           EVP_DigestFinal_ex(digest->md_context, out, NULL) == 1;
}

bool digest_text(
    struct digest *digest, size_t column, struct slice value, char out_text[DIGEST_TEXT_SIZE])
{
    unsigned char bytes[DIGEST_BYTES];

    if (!compute(digest, column, value, bytes))
        return false;
    hex_write(bytes, DIGEST_BYTES, out_text);
    return true;
}
