#include "service/page.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

/* Written by the build from the folder dashboard. */
extern const unsigned char bqsync_dashboard_html[];
extern const unsigned long bqsync_dashboard_html_size;

#define HASH_SIZE 48 /* base64 of 32 bytes, and room */

struct slice page_html(void)
{
    return (struct slice){(const char *)bqsync_dashboard_html, bqsync_dashboard_html_size};
}

/* The base64 SHA-256 of the text between two tags; "" if they are missing. */
static void hash_between(const char *open, const char *close, char out[HASH_SIZE])
{
    struct slice page = page_html();
    const char *start = memmem(page.data, page.length, open, strlen(open));
    unsigned char digest[SHA256_DIGEST_LENGTH];

    out[0] = '\0';
    if (start == NULL)
        return;
    start += strlen(open);
    size_t rest = page.length - (size_t)(start - page.data);
    const char *end = memmem(start, rest, close, strlen(close));
    if (end == NULL)
        return;
    SHA256((const unsigned char *)start, (size_t)(end - start), digest);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
}

bool page_policy(char **out_policy, struct error *err)
{
    char script[HASH_SIZE];
    char style[HASH_SIZE];

    hash_between("<script>", "</script>", script);
    hash_between("<style>", "</style>", style);
    int length = asprintf(
        out_policy,
        "default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        script, style);
    return length >= 0 || error_set(err, ERROR_MEMORY, "out of memory");
}
