/* What guards secrets and the admin API: to which URLs of a credentials file secrets are sent, what
 * the messages about a bad file show, which Host headers name this machine. libcurl, which would
 * send them, says where a URL leads; inet_pton says what an address is. */
#include "fuzz/fuzz.h"

#include "service/gate.h"
#include "warehouse/credential_file.h"
#include "warehouse/identity.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length >= strlen(end) && strcasecmp(text + length - strlen(end), end) == 0;
}

/* A URL that is taken leads to a host of Google's, as libcurl reads it. */
static void check_url(const char *url)
{
    static const struct credential_source source = {
        .path = "f", .type = "service_account", .universe = "example.cloud"};
    struct error err;
    char *host = NULL;
    char *scheme = NULL;
    char *user = NULL;
    CURLU *parts = curl_url();

    if (credential_file_check_url(&source, "token_uri", url, &err) &&
        curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
        curl_url_get(parts, CURLUPART_HOST, &host, 0);
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
        curl_url_get(parts, CURLUPART_USER, &user, 0);
        FUZZ_REQUIRE(
            host != NULL && strcasecmp(scheme, "https") == 0 && user == NULL &&
                (ends_with(host, ".googleapis.com") || ends_with(host, ".example.cloud") ||
                 strcasecmp(host, "accounts.google.com") == 0),
            "%s leads to %s", url, host);
    }
    curl_free(host);
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(parts);
}

/* The values that must not be shown, if they are nowhere else in the file. */
static void check_secrets(const char *text, const cJSON *root, const char *message)
{
    static const char *const fields[] = {
        "private_key", "client_secret", "refresh_token", "private_key_id"};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0] - 1; i++) {
        const char *secret =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, fields[i]));
        // Without a digit it may be a part of what the message says by itself.
        if (secret == NULL || strlen(secret) < 8 || strpbrk(secret, "0123456789") == NULL)
            continue;
        const char *first = strstr(text, secret);
        bool once = first != NULL && strstr(first + 1, secret) == NULL;
        FUZZ_REQUIRE(
            !once || strstr(message, secret) == NULL, "%s is shown: %s", fields[i], message);
    }
}

static void check_file(const char *text)
{
    static const struct credential_source source = {.universe = "googleapis.com"};
    struct identity *identity = NULL;
    struct error err = {0};
    cJSON *root = NULL;
    bool ok = credential_file_load(&source, text, &root, &err);

    if (ok) {
        cJSON *copy = cJSON_Duplicate(root, true);
        ok = identity_read(&source, root, &identity, &err);
        FUZZ_REQUIRE(
            !ok || (identity->label != NULL && identity->label[0] != '\0'), "nobody is told");
        if (!ok)
            check_secrets(text, copy, err.message);
        cJSON_Delete(copy);
    }
    FUZZ_REQUIRE(
        ok || (err.message[0] != '\0' && (err.code == ERROR_AUTH || err.code == ERROR_MEMORY)),
        "the error \"%s\"", err.message);
    identity_free(identity);
    credential_file_wipe(root);
}

/* A Host header without its port. */
static bool is_loopback(const char *header)
{
    unsigned char address[16];
    char host[64];
    size_t length = header[0] == '[' ? strcspn(header, "]") + 1 : strcspn(header, ":");

    if (length >= sizeof host || length > strlen(header))
        return false;
    memcpy(host, header, length);
    host[length] = '\0';
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, address) == 1 && address[0] == 127);
}

static void check_gate(const char *text)
{
    struct gate gate;
    char header[64];

    gate_init(&gate, true);
    FUZZ_REQUIRE(
        !gate_knows_host(&gate, text) || is_loopback(text), "the host \"%s\" is let in", text);
    gate_set_token(&gate, "token-of-the-gate");
    FUZZ_REQUIRE(
        !gate_admits(&gate, text) || ends_with(text, "token-of-the-gate"), "\"%s\" is let in",
        text);
    gate_clear(&gate);
    // A page may only ask the origin that it comes from.
    bool foreign = gate_is_foreign("localhost:8001", text, NULL);
    FUZZ_REQUIRE(foreign || ends_with(text, "://localhost:8001"), "the origin %s is let in", text);
    strncpy(header, text, sizeof header - 1);
    header[sizeof header - 1] = '\0';
    FUZZ_REQUIRE(
        gate_is_foreign("localhost", "http://localhost", header) ||
            strcmp(header, "same-origin") == 0 || strcmp(header, "none") == 0,
        "a page of \"%s\" is let in", header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);
    size_t what = fuzz_choice(&in, 3);
    char *text = fuzz_rest_text(&in);

    if (what == 0)
        check_url(text);
    else if (what == 1)
        check_file(text);
    else
        check_gate(text);
    free(text);
    return 0;
}
