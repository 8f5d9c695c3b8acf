#include "support/prelude.h"

#include "warehouse/http_url.h"

static void test_urls_tell_origin_and_host(void **state)
{
    static const struct {
        const char *url;
        const char *origin;
        const char *host;
    } cases[] = {
        {"https://A.Google.com/x?y", "https://a.google.com", "a.google.com"},
        {"http://h:81", "http://h:81", "h"},
        {"http://[::1]:9/x", "http://[::1]:9", "::1"},
        {"https://oauth2.googleapis.com@evil.example/t", "https://evil.example", "evil.example"},
        {"http://user:pass@h:81/x", "http://h:81", "h"},
        {"http://h/x@y", "http://h", "h"},
        {"https://evil.example?.googleapis.com", "https://evil.example", "evil.example"},
        {"nothing", NULL, NULL},
        {"https:///x", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char origin[200];
        char host[200];
        assert_int_equal(http_origin(cases[i].url, origin, sizeof origin), cases[i].origin != NULL);
        assert_int_equal(http_host(cases[i].url, host, sizeof host), cases[i].host != NULL);
        if (cases[i].origin == NULL)
            continue;
        assert_string_equal(origin, cases[i].origin);
        assert_string_equal(host, cases[i].host);
    }
    assert_true(http_host_is_loopback("127.8.9.10"));
    assert_false(http_host_is_loopback("127.evil.example"));
    assert_false(http_host_is_loopback("10.0.0.1"));
}

static void test_a_url_is_one_that_everybody_reads_alike(void **state)
{
    static const char *const bad[] = {
        "token",        "https://a\\b/",   "https://a/b\\c",     "https://a/\r\nX: 1",
        "https://a/ b", "https://a/b\tc",  "https://a%2fb/",     "https://a:99999999/",
        "https://",     "https://a\177b/", "https://a/\xc3\xa9",
    };
    static const char *const good[] = {
        "https://oauth2.googleapis.com/token",
        "http://127.0.0.1:1/a?b=c#d",
        "https://[::1]:2/",
        "https://iam.example/v1/projects/-/serviceAccounts/a@b:generateAccessToken",
    };
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (http_url_problem(bad[i]) == NULL)
            fail_msg("%s is taken for a URL", bad[i]);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (http_url_problem(good[i]) != NULL)
            fail_msg("%s: %s", good[i], http_url_problem(good[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_tell_origin_and_host),
        cmocka_unit_test(test_a_url_is_one_that_everybody_reads_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
