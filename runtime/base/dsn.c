#include "base/dsn.h"

#include <string.h>

static bool copy(char *out, size_t size, const char *start, const char *end)
{
    size_t length = (size_t)(end - start);

    if (length >= size)
        return false;
    memcpy(out, start, length);
    out[length] = '\0';
    return true;
}

bool dsn_parse(const char *text, struct dsn *out)
{
    const char *key = strstr(text, "://");
    const char *at = strrchr(text, '@');
    const char *last = strrchr(text, '/');

    if (key == NULL || at == NULL || last == NULL || at < key + 3 || last < at)
        return false;
    key += 3;
    size_t key_length = strcspn(key, ":@");
    const char *host = at + 1;
    const char *host_end = host + strcspn(host, "/");
    return key_length > 0 && host_end > host && last[1] != '\0' &&
           copy(out->scheme, sizeof out->scheme, text, key - 3) &&
           copy(out->key, sizeof out->key, key, key + key_length) &&
           copy(out->host, sizeof out->host, host, host_end) &&
           copy(out->path, sizeof out->path, host_end, last) &&
           copy(out->project, sizeof out->project, last + 1, text + strlen(text)) &&
           (strcmp(out->scheme, "https") == 0 || strcmp(out->scheme, "http") == 0);
}
