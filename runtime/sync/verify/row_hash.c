#include "sync/verify/row_hash.h"

#include "base/hex.h"

#include <openssl/evp.h>
#include <stdlib.h>

bool row_hash_init(struct row_hash *hash, struct error *err)
{
    *hash = (struct row_hash){
        .sha256 = EVP_MD_fetch(NULL, "SHA256", NULL), .context = EVP_MD_CTX_new()};
    if (hash->sha256 != NULL && hash->context != NULL)
        return true;
    row_hash_clear(hash);
    return error_set(err, ERROR_MEMORY, "out of memory");
}

void row_hash_clear(struct row_hash *hash)
{
    EVP_MD_CTX_free(hash->context);
    EVP_MD_free(hash->sha256);
    *hash = (struct row_hash){0};
}

bool row_hash_text(
    struct row_hash *hash, struct slice text, char out_hex[ROW_HASH_SIZE], struct error *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (EVP_DigestInit_ex2(hash->context, hash->sha256, NULL) != 1 ||
        EVP_DigestUpdate(hash->context, text.data, text.length) != 1 ||
        EVP_DigestFinal_ex(hash->context, bytes, &length) != 1)
        return error_set(err, ERROR_MEMORY, "SHA-256 failed");
    hex_write(bytes, length, out_hex);
    out_hex[2 * (size_t)length] = '\0';
    return true;
}

bool row_hash_bucket(
    struct row_hash *hash, struct slice key_text, size_t *out_bucket, struct error *err)
{
    char hex[ROW_HASH_SIZE];

    if (!row_hash_text(hash, key_text, hex, err))
        return false;
    hex[ROW_HASH_BUCKET_DIGITS] = '\0';
    *out_bucket = (size_t)strtoull(hex, NULL, 16);
    return true;
}
