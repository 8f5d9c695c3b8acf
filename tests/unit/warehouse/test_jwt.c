#include "support/prelude.h"

#include "support/printed.h"
#include "warehouse/jwt.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <string.h>

/* PEM text of a key, encrypted with a passphrase if one is given. */
static void write_pem(EVP_PKEY *key, const char *passphrase, char *out, int size)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PKCS8PrivateKey(
        bio, key, passphrase == NULL ? NULL : EVP_aes_256_cbc(), passphrase,
        passphrase == NULL ? 0 : (int)strlen(passphrase), NULL, NULL);
    int length = BIO_read(bio, out, size - 1);
    out[length] = '\0';
    BIO_free(bio);
    printed_secret("private_key", out);
}

static void test_only_plain_rsa_keys_are_taken(void **state)
{
    char text[4000];
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    EVP_PKEY *curve = EVP_EC_gen("P-256");

    (void)state;
    write_pem(rsa, NULL, text, sizeof text);
    EVP_PKEY *read = jwt_key_read(text);
    assert_non_null(read);
    assert_int_equal(EVP_PKEY_eq(read, rsa), 1);
    EVP_PKEY_free(read);

    write_pem(rsa, "secret", text, sizeof text);
    assert_null(jwt_key_read(text));
    write_pem(curve, NULL, text, sizeof text);
    assert_null(jwt_key_read(text));
    assert_null(jwt_key_read(""));
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(curve);
}

static void test_a_signature_that_does_not_fit_is_an_error(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    const struct jwt_claims claims = {.issuer = "i", .issued_s = 1, .expires_s = 2};
    struct buffer out;
    struct error err = {0};

    (void)state;
    buffer_init(&out, 200);
    expect_error(jwt_sign(key, "k", &claims, &out, &err), ERROR_LIMIT, "a signed assertion");
    buffer_clear(&out);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_plain_rsa_keys_are_taken),
        cmocka_unit_test(test_a_signature_that_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
