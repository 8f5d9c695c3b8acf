/* Tests of proxy_secret: the password of a proxy is cut out of what others write. */
#include "support/prelude.h"

#include "warehouse/foreign_text.h"
#include "warehouse/proxy_secret.h"

#include <stdlib.h>

static void test_the_login_of_each_proxy_is_cut_out(void **state)
{
    static const struct {
        const char *variable;
        const char *url;
        const char *said;
        const char *expected;
    } rows[] = {
        {"HTTPS_PROXY", "http://me:pass%40word-1@proxy:3128", "bad password pass@word-1.",
         "bad password [secret]."},
        {"HTTPS_PROXY", "http://me:pass%40word-1@proxy:3128", "bad password pass%40word-1.",
         "bad password [secret]."},
        // me:pass@word-1
        {"HTTPS_PROXY", "http://me:pass%40word-1@proxy:3128", "Basic bWU6cGFzc0B3b3JkLTE= is bad",
         "Basic [secret]= is bad"},
        {"HTTPS_PROXY", "http://me:pa%00word-5-long@proxy", "got pa%00word-5-long.",
         "got [secret]."},
        {"http_proxy", "user:no-scheme-2@proxy", "user:no-scheme-2", "[secret]"},
        {"ALL_PROXY", "socks5://token-alone-3@proxy/", "token-alone-3", "[secret]"},
        {"all_proxy", "http://proxy/path@host-4", "path@host-4", "path@host-4"},
    };
    char out[100];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setenv(rows[i].variable, rows[i].url, 1);
        proxy_secret_keep();
        assert_string_equal(foreign_text(out, sizeof out, rows[i].said), rows[i].expected);
        unsetenv(rows[i].variable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_login_of_each_proxy_is_cut_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
