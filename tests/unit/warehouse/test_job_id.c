/* What the names of jobs and staging tables are made of. */
#include "support/prelude.h"

#include "warehouse/job_id.h"

#include <string.h>

static void test_a_name_keeps_what_a_job_id_takes(void **state)
{
    char safe[40];

    (void)state;
    job_id_safe_name("order_Lines-2", safe, sizeof safe);
    assert_string_equal(safe, "order_Lines-2");
    job_id_safe_name("order lines.\xc3\xa9", safe, sizeof safe);
    assert_string_equal(safe, "order_lines___");
}

static void test_a_long_name_is_cut(void **state)
{
    char safe[6];

    (void)state;
    job_id_safe_name("a long name", safe, sizeof safe);
    assert_string_equal(safe, "a_lon");
}

static void test_no_two_nonces_are_the_same(void **state)
{
    char one[JOB_ID_NONCE_SIZE];
    char other[JOB_ID_NONCE_SIZE];
    struct error err;

    (void)state;
    assert_true(job_id_nonce(one, &err));
    assert_true(job_id_nonce(other, &err));
    assert_int_equal(strspn(one, "0123456789abcdef"), JOB_ID_NONCE_SIZE - 1);
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_keeps_what_a_job_id_takes),
        cmocka_unit_test(test_a_long_name_is_cut),
        cmocka_unit_test(test_no_two_nonces_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
