#include "service/gate.h"

#include "base/loopback.h"
#include "base/secrets.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void gate_init(struct gate *gate, bool loopback)
{
    *gate = (struct gate){.loopback = loopback};
    pthread_mutex_init(&gate->mutex, NULL);
}

void gate_clear(struct gate *gate)
{
    pthread_mutex_destroy(&gate->mutex);
    OPENSSL_cleanse(gate->digest, sizeof gate->digest);
    secrets_forget(gate);
}

void gate_set_token(struct gate *gate, const char *token)
{
    pthread_mutex_lock(&gate->mutex);
    gate->has_token = token != NULL && token[0] != '\0';
    if (gate->has_token)
        SHA256((const unsigned char *)token, strlen(token), gate->digest);
    pthread_mutex_unlock(&gate->mutex);
    // The one before is still cut out of messages.
    secrets_keep(gate, token);
}

bool gate_needs_token(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    bool needs = gate->has_token;
    pthread_mutex_unlock(&gate->mutex);
    return needs;
}

static const char *bearer_of(const char *authorization)
{
    static const char scheme[] = "Bearer ";
    const size_t length = sizeof scheme - 1;

    if (authorization == NULL || strncasecmp(authorization, scheme, length) != 0)
        return "";
    return authorization + length + strspn(authorization + length, " ");
}

bool gate_admits(struct gate *gate, const char *authorization)
{
    const char *given = bearer_of(authorization);
    unsigned char digest[GATE_DIGEST_SIZE];

    // Digests have the same length, so the time of the comparison does not reveal the length of the
    // token.
    SHA256((const unsigned char *)given, strlen(given), digest);
    pthread_mutex_lock(&gate->mutex);
    bool same = CRYPTO_memcmp(digest, gate->digest, sizeof digest) == 0;
    bool admitted = !gate->has_token || same;
    pthread_mutex_unlock(&gate->mutex);
    return admitted;
}

/* Whether text is ":" and a port, or nothing. */
static bool is_port(const char *text)
{
    if (*text == '\0')
        return true;
    if (*text != ':')
        return false;
    size_t digits = strspn(text + 1, "0123456789");
    return digits > 0 && digits <= 5 && text[1 + digits] == '\0';
}

bool gate_knows_host(const struct gate *gate, const char *host)
{
    if (!gate->loopback || host == NULL)
        return true;
    size_t length = loopback_length(host);
    return length > 0 && is_port(host + length);
}

bool gate_is_foreign(const char *host, const char *origin, const char *site)
{
    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return true;
    if (origin == NULL)
        return false;
    const char *name = strstr(origin, "://");
    return name == NULL || host == NULL || strcasecmp(name + 3, host) != 0;
}
