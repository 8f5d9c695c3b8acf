/* What of a URL may be shown. */
#include "support/prelude.h"

#include "base/url.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *url;
    const char *shown;
} cases[] = {
    {"https://host/path", "https://host/path"},
    {"http://host:8080", "http://host:8080"},
    {"http://[::1]:9050/x", "http://[::1]:9050/x"},
    {"host:9050", "host:9050"},
    {"", ""},
    {"https://user:pass@host/path", "https://host/path"},
    {"http://user@host:1", "http://host:1"},
    {"http://user:p@ss@host:1", "http://host:1"},
    {"http://user:pa/ss@host:1", "http://host:1"},
    {"http://user:pa?ss@host:1", "http://host:1"},
    {"http://user:pa#ss@host:1", "http://host:1"},
    {"http://user:p@s/s@host:1", "http://host:1"},
    {"user:pass@proxy:3128", "proxy:3128"},
    {"user:a://b@proxy:3128", "proxy:3128"},
    {"socks5h://user:pass@proxy", "socks5h://proxy"},
    {"https://host/notify?key=secret", "https://host/notify"},
    {"https://host/#secret", "https://host/"},
    {"http://user:123/ss@host", "http://host"},
};

static void test_a_url_is_shown_without_its_secrets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char url[200];
        snprintf(url, sizeof url, "%s", cases[i].url);

        url_clean(url);

        if (strcmp(url, cases[i].shown) != 0)
            fail_msg("%s: %s instead of %s", cases[i].url, url, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_url_is_shown_without_its_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
