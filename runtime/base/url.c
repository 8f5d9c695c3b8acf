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
