#include "warehouse/http_url.h"

#include "base/loopback.h"

#include <curl/curl.h>

#include <ctype.h>
#include <string.h>

bool http_is_line(const char *line)
{
    for (const char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return true;
}

bool http_is_word(const char *word)
{
    for (const char *at = word; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f)
            return false;
    return true;
}

const char *http_url_problem(const char *url)
{
    if (!http_is_word(url))
        return "holds a blank, a line break or another character that no URL has";
    // Some read it as a slash, and so another host.
    if (strchr(url, '\\') != NULL)
        return "holds a backslash, which no URL has";
    CURLU *parts = curl_url();
    bool ok = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK;
    curl_url_cleanup(parts);
    return ok ? NULL : "is not a URL";
}

/* --- parts of URLs ----------------------------------------------------------------------- */

void http_escape(struct buffer *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (isalnum(*at) || strchr("-._~", *at) != NULL) {
            buffer_append_byte(out, *at);
        } else {
            buffer_append_byte(out, '%');
            buffer_append_byte(out, (uint8_t)hex[*at >> 4]);
            buffer_append_byte(out, (uint8_t)hex[*at & 15]);
        }
    }
}

bool http_origin(const char *url, char *out, size_t size)
{
    const char *authority = strstr(url, "://");

    if (authority == NULL)
        return false;
    authority += 3;
    const char *end = authority + strcspn(authority, "/?#");
    // What stands before an @ is a user name, perhaps with a password, or a trick in a URL that
    // shows another host first.
    const char *at = memrchr(authority, '@', (size_t)(end - authority));
    const char *host = at == NULL ? authority : at + 1;
    size_t scheme = (size_t)(authority - url);
    size_t length = scheme + (size_t)(end - host);
    if (length >= size || host == end)
        return false;
    memcpy(out, url, scheme);
    memcpy(out + scheme, host, (size_t)(end - host));
    for (size_t i = 0; i < length; i++)
        out[i] = (char)tolower((unsigned char)out[i]);
    out[length] = '\0';
    return true;
}

bool http_host(const char *url, char *out, size_t size)
{
    char origin[512];

    if (!http_origin(url, origin, sizeof origin))
        return false;
    const char *host = strstr(origin, "://") + 3;
    size_t length = strcspn(host, ":");
    if (host[0] == '[') {
        host++;
        length = strcspn(host, "]");
    }
    if (length == 0 || length >= size)
        return false;
    memcpy(out, host, length);
    out[length] = '\0';
    return true;
}

bool http_host_is_loopback(const char *host)
{
    size_t length = loopback_length(host);

    return strcmp(host, "::1") == 0 || (length > 0 && host[length] == '\0');
}
