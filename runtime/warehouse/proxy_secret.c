#include "warehouse/proxy_secret.h"

#include "base/hex.h"
#include "base/secrets.h"

#include <stdlib.h>
#include <string.h>

static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "http_proxy",
                                        "HTTP_PROXY",  "all_proxy",   "ALL_PROXY"};

static const int owner;

/* Decodes percent escapes, in place. %00 stays: it would end the text. */
static void unescape(char *text)
{
    char *out = text;

    for (const char *at = text; *at != '\0'; at++) {
        bool escape = *at == '%' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0 &&
                      strncmp(at, "%00", 3) != 0;
        *out++ = escape ? (char)(hex_digit(at[1]) * 16 + hex_digit(at[2])) : *at;
        at += escape ? 2 : 0;
    }
    *out = '\0';
}

/* "user:password" of a URL, whose scheme may be missing; owned, NULL if it has none. */
static char *login_of(const char *url)
{
    const char *scheme = strstr(url, "://");
    const char *start = scheme == NULL ? url : scheme + 3;
    const char *at = memrchr(start, '@', strcspn(start, "/?#"));

    return at == NULL ? NULL : strndup(start, (size_t)(at - start));
}

void proxy_secret_keep(void)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *url = getenv(variables[i]);
        char *login = url == NULL ? NULL : login_of(url);
        if (login == NULL)
            continue;
        size_t length = strlen(login); // which unescape makes shorter
        unescape(login);
        const char *colon = strchr(login, ':');
        secrets_keep(&owner, login);
        secrets_keep(&owner, colon == NULL ? NULL : colon + 1);
        explicit_bzero(login, length);
        free(login);
    }
}
