/* keys: credentials files for tests, in a folder of their own, with an RSA key made on the spot. */
#ifndef TESTS_UNIT_WAREHOUSE_KEYS_H
#define TESTS_UNIT_WAREHOUSE_KEYS_H

#include "support/printed.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct keys {
    EVP_PKEY *key;
    char pem[4000]; /* with \n as two characters, as in JSON */
    char folder[64];
    char path[100]; /* of the file that keys_write wrote last */
};

static inline void keys_init(struct keys *keys)
{
    char text[4000];
    BIO *bio = BIO_new(BIO_s_mem());
    size_t out = 0;

    keys->key = EVP_RSA_gen(2048);
    PEM_write_bio_PKCS8PrivateKey(bio, keys->key, NULL, NULL, 0, NULL, NULL);
    int length = BIO_read(bio, text, sizeof text - 1);
    text[length] = '\0';
    BIO_free(bio);
    printed_secret("private_key", text);
    for (int i = 0; i < length; i++) {
        if (text[i] == '\n')
            keys->pem[out++] = '\\';
        keys->pem[out++] = text[i] == '\n' ? 'n' : text[i];
    }
    keys->pem[out] = '\0';
    snprintf(keys->folder, sizeof keys->folder, "/tmp/bqsync-keys-XXXXXX");
    if (mkdtemp(keys->folder) == NULL)
        abort();
    snprintf(keys->path, sizeof keys->path, "%s/credentials.json", keys->folder);
}

static inline void keys_clear(struct keys *keys)
{
    EVP_PKEY_free(keys->key);
    unlink(keys->path);
    rmdir(keys->folder);
}

/* Writes content with @KEY@ replaced by the key and @URL@ by url. */
static inline void keys_write(struct keys *keys, const char *content, const char *url)
{
    FILE *file = fopen(keys->path, "w");

    for (const char *at = content; *at != '\0'; at++) {
        if (strncmp(at, "@KEY@", 5) == 0) {
            fputs(keys->pem, file);
            at += 4;
        } else if (strncmp(at, "@URL@", 5) == 0) {
            fputs(url, file);
            at += 4;
        } else {
            fputc(*at, file);
        }
    }
    fclose(file);
}

#endif
