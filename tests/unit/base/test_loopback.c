#include "support/prelude.h"

#include "base/loopback.h"

#include <stdio.h>
#include <string.h>

static void test_hosts_of_this_machine_have_a_length(void **state)
{
    static const char *const hosts[] = {
        "localhost", "LocalHost", "[::1]", "127.0.0.1", "127.255.255.254"};

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char with_port[64];
        assert_int_equal(loopback_length(hosts[i]), strlen(hosts[i]));
        snprintf(with_port, sizeof with_port, "%s:8080", hosts[i]);
        assert_int_equal(loopback_length(with_port), strlen(hosts[i]));
    }
}

static void test_other_hosts_have_none(void **state)
{
    static const char *const hosts[] = {
        "",
        "::1",
        "[::2]",
        "128.0.0.1",
        "127.1",
        "127.0.0.256",
        "127.",
        "127.0.0.",
        "127. 0.0.1",
        "0.0.0.0",
        "::",
        "127.0.0.1.",
        "local",
        "127.0.0.1.2",
        "1127.0.0.1",
        "127.example.com",
        "127.0.0.1111111111111111",
    };

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (loopback_length(hosts[i]) != 0)
            fail_msg("\"%s\" is taken for this machine", hosts[i]);
}

/* The caller has to look. */
static void test_what_follows_is_left_to_the_caller(void **state)
{
    (void)state;
    assert_int_equal(loopback_length("localhost.example.com"), 9);
    assert_int_equal(loopback_length("127.0.0.1example.com"), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_of_this_machine_have_a_length),
        cmocka_unit_test(test_other_hosts_have_none),
        cmocka_unit_test(test_what_follows_is_left_to_the_caller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
