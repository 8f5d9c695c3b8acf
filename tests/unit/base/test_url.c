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

static void test_the_url_of_a_database_that_nobody_changes_is_known(void **state)
{
    struct slice path = {0};

    (void)state;
    assert_true(url_is_immutable_file("file:/data/a?b.db?immutable=1", &path));
    assert_int_equal(path.length, strlen("/data/a?b.db"));
    assert_memory_equal(path.data, "/data/a?b.db", path.length);
    assert_false(url_is_immutable_file("file:?immutable=1", &path));
    assert_false(url_is_immutable_file("/data/app.db?immutable=1", &path));
    assert_false(url_is_immutable_file("file:/data/app.db?immutable=0", &path));
    assert_false(url_is_immutable_file("", &path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_url_is_shown_without_its_secrets),
        cmocka_unit_test(test_the_url_of_a_database_that_nobody_changes_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
