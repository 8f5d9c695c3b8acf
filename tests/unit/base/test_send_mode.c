/* The names that the state database, the logs and the documents share. */

#include "support/prelude.h"

#include "base/send_mode.h"

static void test_every_mode_is_found_by_its_name(void **state)
{
    static const char *const names[] = {"nothing", "append", "merge", "replace"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum send_mode mode = SEND_NOTHING;
        assert_true(send_mode_of_name(names[i], &mode));
        assert_string_equal(send_mode_name(mode), names[i]);
    }
}

static void test_another_name_is_none(void **state)
{
    enum send_mode mode = SEND_MERGE;

    (void)state;
    assert_false(send_mode_of_name("upsert", &mode));
    assert_int_equal(mode, SEND_MERGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_mode_is_found_by_its_name),
        cmocka_unit_test(test_another_name_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
