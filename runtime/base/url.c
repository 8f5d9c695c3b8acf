#include "base/url.h"

#include <ctype.h>
#include <string.h>

/* Behind "scheme://"; the start if there is no scheme. */
static char *authority_of(char *url)
{
    char *at = url;

    while (isalnum((unsigned char)*at) || (*at != '\0' && strchr("+-.", *at) != NULL))
        at++;
    return strncmp(at, "://", 3) == 0 ? at + 3 : url;
}

void url_clean(char *url)
{
    char *authority = authority_of(url);
    const char *last = strrchr(authority, '@');

    if (last != NULL)
        memmove(authority, last + 1, strlen(last + 1) + 1);
    authority[strcspn(authority, "?#")] = '\0';
}

bool url_is_immutable_file(const char *url, struct slice *out_path)
{
    static const char scheme[] = "file:";
    static const char ending[] = "?immutable=1";
    size_t length = strlen(url);
    size_t around = sizeof scheme - 1 + sizeof ending - 1;

    if (length <= around || strncmp(url, scheme, sizeof scheme - 1) != 0 ||
        strcmp(url + length - (sizeof ending - 1), ending) != 0)
        return false;
    *out_path = (struct slice){url + sizeof scheme - 1, length - around};
    return true;
}
