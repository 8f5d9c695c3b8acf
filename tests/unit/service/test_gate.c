#include "support/prelude.h"

#include "service/gate.h"
#include "support/printed.h"

static void test_only_the_right_bearer_token_opens_the_gate(void **state)
{
    const struct {
        const char *label;
        const char *header;
        bool admitted;
    } cases[] = {
        {"right", "Bearer s3cret-of-the-gate", true},
        {"scheme in any case", "bearer s3cret-of-the-gate", true},
        {"more spaces", "Bearer   s3cret-of-the-gate", true},
        {"none", NULL, false},
        {"empty", "", false},
        {"scheme alone", "Bearer", false},
        {"empty token", "Bearer ", false},
        {"wrong", "Bearer s3cret-of-the-gatE", false},
        {"prefix", "Bearer s3cret-of-the-gat", false},
        {"longer", "Bearer s3cret-of-the-gates", false},
        {"trailing space", "Bearer s3cret-of-the-gate ", false},
        {"other scheme", "Basic s3cret-of-the-gate", false},
        {"no scheme", "s3cret-of-the-gate", false},
    };
    struct gate gate;

    (void)state;
    gate_init(&gate, true);
    printed_secret("BQ_ADMIN_TOKEN", "s3cret-of-the-gate");
    gate_set_token(&gate, "s3cret-of-the-gate");
    assert_true(gate_needs_token(&gate));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (gate_admits(&gate, cases[i].header) != cases[i].admitted)
            fail_msg("%s", cases[i].label);
    gate_clear(&gate);
}

static void test_without_a_token_the_gate_is_open_and_a_new_token_closes_it(void **state)
{
    struct gate gate;

    (void)state;
    gate_init(&gate, true);
    gate_set_token(&gate, NULL);
    assert_true(gate_admits(&gate, NULL));
    gate_set_token(&gate, "new");
    assert_false(gate_admits(&gate, NULL));
    assert_true(gate_admits(&gate, "Bearer new"));
    gate_set_token(&gate, "newer");
    assert_false(gate_admits(&gate, "Bearer new"));
    gate_set_token(&gate, "");
    assert_true(gate_admits(&gate, NULL));
    gate_clear(&gate);
}

static void test_on_loopback_only_names_of_this_machine_are_known(void **state)
{
    const struct {
        const char *host;
        bool known;
    } cases[] = {
        {"localhost", true},
        {"localhost:8001", true},
        {"LOCALHOST:8001", true},
        {"127.0.0.1", true},
        {"127.0.0.1:80", true},
        {"127.1.2.3:9", true},
        {"[::1]", true},
        {"[::1]:8001", true},
        {NULL, true},
        {"", false},
        {"evil.example", false},
        {"localhost.evil.example", false},
        {"127.0.0.1.evil.example", false},
        {"127.0.0.256", false},
        {"127. 0.0.1", false},
        {"127.+0.0.1", false},
        {"127.0.0.1.1", false},
        {"localhost:", false},
        {"localhost:x", false},
        {"localhost:123456", false},
        {"::1", false},
        {"10.0.0.1", false},
        {"127.0.0.1@evil", false},
        {"[::1].evil", false},
    };
    struct gate gate;

    (void)state;
    gate_init(&gate, true);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (gate_knows_host(&gate, cases[i].host) != cases[i].known)
            fail_msg("%s", cases[i].host);
    gate_clear(&gate);

    gate_init(&gate, false);
    assert_true(gate_knows_host(&gate, "sync.example:8001"));
    gate_clear(&gate);
}

static void test_pages_of_other_origins_are_told_from_our_own(void **state)
{
    (void)state;
    assert_false(gate_is_foreign("localhost:8001", NULL, NULL));
    assert_false(gate_is_foreign("localhost:8001", "http://localhost:8001", "same-origin"));
    assert_false(gate_is_foreign("localhost:8001", NULL, "none"));
    assert_true(gate_is_foreign("localhost:8001", "http://evil.example", NULL));
    assert_true(gate_is_foreign("localhost:8001", "http://localhost:9000", NULL));
    assert_true(gate_is_foreign("localhost:8001", "null", NULL));
    assert_true(gate_is_foreign("localhost:8001", NULL, "cross-site"));
    assert_true(gate_is_foreign(NULL, "http://localhost:8001", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_right_bearer_token_opens_the_gate),
        cmocka_unit_test(test_without_a_token_the_gate_is_open_and_a_new_token_closes_it),
        cmocka_unit_test(test_on_loopback_only_names_of_this_machine_are_known),
        cmocka_unit_test(test_pages_of_other_origins_are_told_from_our_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
