/* Tests of config: where a value comes from, and what differs between two configurations. */
#include "support/prelude.h"

#include "base/config_env.h"
#include "config_place.h"

#include <sys/resource.h>

static void test_defaults_are_those_of_the_documentation(void **state)
{
    struct config config;
    (void)state;

    load(&config);

    assert_null(config.project);
    assert_null(config.emulator_host);
    assert_null(config.state_path);
    assert_false(config.state_is_source);
    assert_int_equal(config.sync_interval_ms, 15 * 60 * 1000);
    assert_int_equal(config.daily_minute, 7 * 60 + 30);
    assert_string_equal(config.timezone, "Asia/Kolkata");
    assert_string_equal(config.admin_listen, "127.0.0.1:8001");
    assert_int_equal(config.parallel, 32);
    assert_int_equal(config.log_level, LOG_LEVEL_INFO);
    assert_int_equal(config.log_format, LOG_FORMAT_TEXT);
    assert_string_equal(config.environment, "production");
    assert_int_equal(config.retry_budget_ms, -1);
    assert_int_equal(config.max_bytes_billed, 0);
    assert_false(config.capture_manual);
    assert_false(config.create_dataset);
    config_clear(&config);
}

static void test_a_flag_beats_the_environment_which_beats_the_file(void **state)
{
    const struct config_flag flags[] = {{"BQ_PROJECT_NAME", "from-flag"}};
    struct config config;
    struct error err = {0};
    (void)state;
    write_file(".env", "BQ_PROJECT_NAME=from-file\nBQ_DATASET_NAME=file\nBQ_LOCATION=EU\n");
    setenv("BQ_PROJECT_NAME", "from-environment", 1);
    setenv("BQ_DATASET_NAME", "environment", 1);

    assert_true(config_load(NULL, flags, 1, &config, &err));

    assert_string_equal(config.project, "from-flag");
    assert_string_equal(config.dataset, "environment");
    assert_string_equal(config.location, "EU");
    config_clear(&config);
}

static void test_a_file_that_no_descriptor_is_left_for_is_not_called_wrong(void **state)
{
    struct config config = {0};
    struct error err = {0};
    struct rlimit before;
    (void)state;
    write_file(".env", "BQ_PARALLEL=2\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);

    setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max});
    bool loaded = config_load(NULL, NULL, 0, &config, &err);
    setrlimit(RLIMIT_NOFILE, &before);

    assert_false(loaded);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_int_equal(error_exit_status(err.code), 1);
    assert_string_equal(
        err.message, ".env: Too many open files; raise the limit of open files (ulimit -n, or "
                     "LimitNOFILE of the unit)");
}

static void test_an_empty_value_counts_as_not_set(void **state)
{
    struct config config;
    (void)state;
    write_file(".env", "BQ_LOCATION=EU\nBQ_LOCATION=\nBQ_PARALLEL=\n");
    setenv("BQ_LOCATION", "", 1);

    load(&config);

    assert_string_equal(config.location, "EU");
    assert_int_equal(config.parallel, 32);
    config_clear(&config);
}

static void test_the_file_takes_quotes_comments_and_export(void **state)
{
    struct config config;
    (void)state;
    write_file(
        ".env", "\xef\xbb\xbf# a comment\r\n"
                "\n"
                "export BQ_PROJECT_NAME = plain-value  # trailing\r\n"
                "  BQ_SQLITE_PATH='/var/lib/it is $HOME/app#1.db' # why\n"
                "BQ_ENVIRONMENT=\"tab\\\\ \\\"quoted\\\" \\$5\"\n"
                "BQ_LOCATION=EU#1\n"
                "BQ_ADMIN_TOKEN=a=b=c");

    load(&config);

    assert_string_equal(config.project, "plain-value");
    assert_string_equal(config.sqlite_path, "/var/lib/it is $HOME/app#1.db");
    assert_string_equal(config.environment, "tab\\ \"quoted\" $5");
    assert_string_equal(config.location, "EU#1");
    assert_string_equal(config.admin_token, "a=b=c");
    config_clear(&config);
}

static void test_a_malformed_line_is_named_by_file_and_line(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"\nBQ_PROJECT_NAME\n", ".env:2: expected KEY=VALUE"},
        {"=x\n", ".env:1: expected KEY=VALUE"},
        {"2FA=x\n", ".env:1: expected KEY=VALUE"},
        {"BQ-X=1\n", ".env:1: expected KEY=VALUE"},
        {"A=1\nB='secret\n", ".env:2: a quoted value does not end on its line"},
        {"B=\"secret\\\"\n", ".env:1: a quoted value does not end on its line"},
        {"B=\"a\\qb\"\n",
         ".env:1: unknown escape in a value; write \\n, \\r, \\t, \\\", \\$ or \\\\"},
        {"B=\"secret\\",
         ".env:1: unknown escape in a value; write \\n, \\r, \\t, \\\", \\$ or \\\\"},
        {"B='a'b\n", ".env:1: unexpected text behind a quoted value"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(".env", cases[i].text);
        load_fails(ERROR_CONFIG, cases[i].message);
    }
}

static void test_a_named_file_must_exist(void **state)
{
    struct config config;
    struct error err = {0};
    (void)state;

    assert_false(config_load("other.env", NULL, 0, &config, &err));

    assert_int_equal(err.code, ERROR_CONFIG);
    assert_string_equal(err.message, "other.env: No such file or directory");
}

static void test_a_folder_in_place_of_the_file_is_refused(void **state)
{
    struct config config;
    struct error err = {0};
    (void)state;

    assert_false(config_load("/tmp", NULL, 0, &config, &err));

    assert_string_equal(err.message, "/tmp: Is a directory");
}

static void test_an_origin_in_a_named_file_is_its_path_and_line(void **state)
{
    struct config config;
    struct error err = {0};
    (void)state;
    write_file("other.env", "#\nBQ_PARALLEL=many\n");

    assert_false(config_load("other.env", NULL, 0, &config, &err));

    assert_string_equal(
        err.message, "BQ_PARALLEL: \"many\" (from other.env:2) is not a number in range; expected "
                     "a whole number from 1 to 64");
}

/* What the process writes to stderr while config_load runs. */
static void load_and_catch_stderr(char *out_text, size_t size)
{
    struct config config;
    int saved = dup(STDERR_FILENO);
    FILE *caught = tmpfile();

    assert_non_null(caught);
    assert_true(dup2(fileno(caught), STDERR_FILENO) >= 0);
    load(&config);
    dup2(saved, STDERR_FILENO);
    close(saved);
    config_clear(&config);
    rewind(caught);
    out_text[fread(out_text, 1, size - 1, caught)] = '\0';
    fclose(caught);
}

static void test_an_unknown_setting_in_the_file_is_a_warning_with_the_nearest_name(void **state)
{
    char text[1024];
    (void)state;
    unsetenv("BQ_PARALEL");
    write_file(".env", "\nBQ_PARALEL=4\nSOMETHING_ELSE=1\n");

    load_and_catch_stderr(text, sizeof text);
    unsetenv("BQ_PARALEL");

    assert_non_null(strstr(text, "variable=BQ_PARALEL at=.env:2 did_you_mean=BQ_PARALLEL"));
    assert_null(strstr(text, "SOMETHING_ELSE"));
    assert_null(strstr(text, "at=environment"));
}

static void test_an_unknown_setting_in_the_environment_is_a_warning_too(void **state)
{
    char text[1024];
    (void)state;
    setenv("BQ_SQLITE_PTH", "x", 1);
    setenv("BQ_DATASET", "x", 1);

    load_and_catch_stderr(text, sizeof text);
    unsetenv("BQ_SQLITE_PTH");
    unsetenv("BQ_DATASET");

    assert_non_null(
        strstr(text, "variable=BQ_SQLITE_PTH at=environment did_you_mean=BQ_SQLITE_PATH"));
    assert_non_null(
        strstr(text, "variable=BQ_DATASET at=environment did_you_mean=BQ_DATASET_NAME"));
}

static void test_variables_that_are_not_ours_reach_the_environment_once(void **state)
{
    struct config config;
    struct error err = {0};
    (void)state;
    setenv("TEST_CONFIG_KEPT", "outer", 1);
    unsetenv("TEST_CONFIG_NEW");
    write_file(
        ".env", "TEST_CONFIG_NEW=one\nTEST_CONFIG_NEW=two\nTEST_CONFIG_KEPT=inner\n"
                "BQ_LOCATION=EU\n");

    load(&config);
    assert_null(getenv("TEST_CONFIG_NEW"));
    assert_true(config_export(&config, &err));

    assert_string_equal(getenv("TEST_CONFIG_NEW"), "two");
    assert_string_equal(getenv("TEST_CONFIG_KEPT"), "outer");
    assert_null(getenv("BQ_LOCATION"));
    config_clear(&config);
    unsetenv("TEST_CONFIG_NEW");
    unsetenv("TEST_CONFIG_KEPT");
}

static void test_two_configurations_differ_in_just_what_was_changed(void **state)
{
    static const struct {
        const char *variable;
        const char *value;
    } changes[] = {
        {"BQ_PROJECT_NAME", "other"},  {"BQ_PARALLEL", "3"},      {"BQ_SYNC_INTERVAL", "3h"},
        {"BQ_SYNC_DAILY_AT", "08:15"}, {"BQ_CAPTURE", "manual"},  {"BQ_SYNC_ATOMIC", "1"},
        {"BQ_MAX_BYTES_BILLED", "5G"}, {"BQ_PRICE_PER_TIB", "5"}, {"BQ_LOG_LEVEL", "error"},
        {"BQ_LOG_FORMAT", "json"},     {"BQ_ADMIN_TOKEN", "t"},
    };
    struct config one;
    size_t count;
    const struct config_option *options = config_options(&count);
    (void)state;
    load(&one);

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct config other;
        setenv(changes[i].variable, changes[i].value, 1);
        load(&other);
        unsetenv(changes[i].variable);
        for (size_t j = 0; j < count; j++)
            assert_int_equal(
                config_same(&one, &other, &options[j]),
                strcmp(options[j].variable, changes[i].variable) != 0);
        config_clear(&other);
    }
    config_clear(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_FOLDER(test_defaults_are_those_of_the_documentation),
        TEST_IN_FOLDER(test_a_flag_beats_the_environment_which_beats_the_file),
        TEST_IN_FOLDER(test_an_empty_value_counts_as_not_set),
        TEST_IN_FOLDER(test_a_file_that_no_descriptor_is_left_for_is_not_called_wrong),
        TEST_IN_FOLDER(test_the_file_takes_quotes_comments_and_export),
        TEST_IN_FOLDER(test_a_malformed_line_is_named_by_file_and_line),
        TEST_IN_FOLDER(test_a_named_file_must_exist),
        TEST_IN_FOLDER(test_a_folder_in_place_of_the_file_is_refused),
        TEST_IN_FOLDER(test_an_origin_in_a_named_file_is_its_path_and_line),
        TEST_IN_FOLDER(test_an_unknown_setting_in_the_file_is_a_warning_with_the_nearest_name),
        TEST_IN_FOLDER(test_an_unknown_setting_in_the_environment_is_a_warning_too),
        TEST_IN_FOLDER(test_variables_that_are_not_ours_reach_the_environment_once),
        TEST_IN_FOLDER(test_two_configurations_differ_in_just_what_was_changed),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
