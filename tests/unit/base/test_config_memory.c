/* Without memory a configuration is not loaded, and that is what the error says: no value is called
 * wrong. */
#include "support/prelude.h"

#include "config_place.h"
#include "support/scarce.h"

#include <string.h>

static void test_whichever_allocation_fails_memory_is_what_is_missing(void **state)
{
    struct config config = {0};
    bool loaded = false;
    (void)state;
    write_file(
        ".env", "BQ_PROJECT_NAME=p\nBQ_DATASET_NAME=\"d\"\nBQ_SQLITE_PATH=file:app.db?immutable=1\n"
                "BQ_STATE_PATH=state.db\nBIGQUERY_EMULATOR_HOST=127.0.0.1:1\nMINE=1\n");

    for (int n = 1; !loaded; n++) {
        struct error err = {0};
        scarce_fail(n);
        loaded = config_load(NULL, NULL, 0, &config, &err);
        bool failed = scarce_end();
        if (loaded)
            continue;
        assert_true(failed);
        assert_int_equal(err.code, ERROR_MEMORY);
        assert_non_null(strstr(err.message, "out of memory"));
    }
    assert_string_equal(config.state_path, "state.db");
    config_clear(&config);
}

static void test_where_all_memory_is_used_up_it_is_named_once(void **state)
{
    struct config config = {0};
    struct error err = {0};
    (void)state;
    setenv("BQ_PARALLEL", "many", 1);
    scarce_fail_from(1);

    assert_false(config_load(NULL, NULL, 0, &config, &err));

    assert_true(scarce_end());
    assert_int_equal(err.code, ERROR_MEMORY);
    assert_null(strstr(err.message, "settings are wrong"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_FOLDER(test_whichever_allocation_fails_memory_is_what_is_missing),
        TEST_IN_FOLDER(test_where_all_memory_is_used_up_it_is_named_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
