/* The names of the jobs that may follow a label, and their ids. */
#include "scene.h"

#include "sync/pass/label_jobs.h"

#include <cjson/cJSON.h>
#include <string.h>

static struct label read(const char *generation, const char *jobs)
{
    struct label label;
    cJSON *labels = cJSON_CreateObject();

    if (generation != NULL)
        cJSON_AddStringToObject(labels, LABEL_GENERATION, generation);
    if (jobs != NULL)
        cJSON_AddStringToObject(labels, LABEL_JOBS, jobs);
    label_jobs_read(labels, &label);
    cJSON_Delete(labels);
    return label;
}

static void test_jobs_are_read_if_an_id_can_be_made_of_them(void **state)
{
    static const char *const none[] = {NULL, "", "of-somebody", "größe"};
    static const char longest[] =
        "00000000000000000000000000000000000000000000000000000000000000000";

    (void)state;
    assert_string_equal(read("7", "00ff").jobs, "00ff");
    assert_string_equal(read("7", "atomic_00ff").jobs, "atomic_00ff");
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_string_equal(read("7", none[i]).jobs, "");
    assert_int_equal(strlen(read("7", longest).jobs), TRACKING_JOBS_SIZE - 1);
}

static void test_a_generation_is_read_if_somebody_can_have_reached_it(void **state)
{
    static const char *const none[] = {NULL,
                                       "",
                                       "many",
                                       "0",
                                       "-3",
                                       "9007199254740992",
                                       "9223372036854775807",
                                       "99999999999999999999"};

    (void)state;
    assert_int_equal(read("7", NULL).generation, 7);
    assert_int_equal(read("9007199254740991", NULL).generation, INT64_C(9007199254740991));
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(read(none[i], "00ff").generation, 0);
}

static void test_jobs_of_a_table_are_numbered_by_generation(void **state)
{
    struct worker worker = {0};
    char jobs[TRACKING_JOBS_SIZE];
    char id[LABEL_JOB_ID_SIZE];

    (void)state;
    label_jobs_name(&worker, "00ff", jobs);
    assert_int_equal(label_jobs_first(jobs, 7), 7);
    label_jobs_id(jobs, "Order Items!", 7, id);
    assert_string_equal(id, "bqsync_Order_Items__7_00ff_commit");
}

static void test_jobs_of_a_transaction_count_from_one(void **state)
{
    struct worker worker = {.transaction = "11ee"};
    char jobs[TRACKING_JOBS_SIZE];
    char id[LABEL_JOB_ID_SIZE];

    (void)state;
    label_jobs_name(&worker, "00ff", jobs);
    assert_string_equal(jobs, "atomic_11ee");
    assert_int_equal(label_jobs_first(jobs, 7), 1);
    label_jobs_id(jobs, "users", 2, id);
    assert_string_equal(id, "bqsync_atomic_11ee_2_commit");
}

static bool is_of_transactions(const char *jobs, const char *table)
{
    char id[LABEL_JOB_ID_SIZE];

    label_jobs_id(jobs, table, 7, id);
    return label_jobs_is_of_transactions(id);
}

static void test_an_id_says_whether_its_job_is_of_transactions(void **state)
{
    const char nonce[] = "00ff00ff00ff00ff";

    (void)state;
    assert_true(is_of_transactions("atomic_00ff00ff00ff00ff", "users"));
    assert_false(is_of_transactions(nonce, "users"));
    assert_false(is_of_transactions(nonce, "atomic"));
    assert_false(is_of_transactions(nonce, "atomic_log"));
    assert_false(is_of_transactions(nonce, "atomic_00ff"));
    assert_false(label_jobs_is_of_transactions("job_of_somebody"));
    assert_false(label_jobs_is_of_transactions(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_are_read_if_an_id_can_be_made_of_them),
        cmocka_unit_test(test_a_generation_is_read_if_somebody_can_have_reached_it),
        cmocka_unit_test(test_jobs_of_a_table_are_numbered_by_generation),
        cmocka_unit_test(test_jobs_of_a_transaction_count_from_one),
        cmocka_unit_test(test_an_id_says_whether_its_job_is_of_transactions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
