/* Tests of config: what each type takes, and what is said of a bad or a missing value. */
#include "support/prelude.h"

#include "base/config_value.h"
#include "config_place.h"
#include "support/printed.h"

static const struct {
    const char *variable;
    const char *value;
    const char *rest;
} bad_values[] = {
    {"BQ_SYNC_INTERVAL", "15x", " is not a duration; expected a number with ms, s, m or h, or off"},
    {"BQ_SYNC_INTERVAL", "15", " is not a duration; expected a number with ms, s, m or h, or off"},
    {"BQ_SYNC_INTERVAL", "-15m",
     " is not a duration; expected a number with ms, s, m or h, or off"},
    {"BQ_SYNC_INTERVAL", "99999999999999999999h",
     " is not a duration; expected a number with ms, s, m or h, or off"},
    {"BQ_SYNC_DAILY_AT", "24:00",
     " is not a time of day; expected HH:MM from 00:00 to 23:59, or off"},
    {"BQ_SYNC_DAILY_AT", "7:3",
     " is not a time of day; expected HH:MM from 00:00 to 23:59, or off"},
    {"BQ_SYNC_DAILY_AT", "07:60",
     " is not a time of day; expected HH:MM from 00:00 to 23:59, or off"},
    {"BQ_SYNC_TIMEZONE", "Mars/Olympus",
     " is not a time zone of this machine; expected an IANA name such as Asia/Kolkata"},
    {"BQ_SYNC_TIMEZONE", "/etc/localtime",
     " is not a time zone of this machine; expected an IANA name such as Asia/Kolkata"},
    {"BQ_SYNC_TIMEZONE", "../../../etc/localtime",
     " is not a time zone of this machine; expected an IANA name such as Asia/Kolkata"},
    {"BQ_PARALLEL", "0", " is not a number in range; expected a whole number from 1 to 64"},
    {"BQ_PARALLEL", "65", " is not a number in range; expected a whole number from 1 to 64"},
    {"BQ_PARALLEL", "8 ", " is not a number in range; expected a whole number from 1 to 64"},
    {"BQ_MAX_BYTES_BILLED", "10X",
     " is not a number of bytes; expected a whole number above 0, alone or with k, M, G or T, or "
     "off"},
    {"BQ_MAX_BYTES_BILLED", "9300000000G",
     " is not a number of bytes; expected a whole number above 0, alone or with k, M, G or T, or "
     "off"},
    {"BQ_MAX_BYTES_BILLED", "0",
     " is not a number of bytes; expected a whole number above 0, alone or with k, M, G or T, or "
     "off"},
    {"BQ_MAX_BYTES_BILLED_PER_DAY", "0",
     " is not a number of bytes; expected a whole number above 0, alone or with k, M, G or T, or "
     "off"},
    {"BQ_MAX_BYTES_BILLED_PER_DAY", "0G",
     " is not a number of bytes; expected a whole number above 0, alone or with k, M, G or T, or "
     "off"},
    {"BQ_LOG_LEVEL", "loud", " is not a log level; expected debug, info, warn, error or off"},
    {"BQ_LOG_FORMAT", "xml", " is not a log format; expected text or json"},
    {"BQ_CAPTURE", "never", " is not a choice; expected auto|manual"},
    {"BQ_CREATE_DATASET", "2",
     " is not a yes or no; expected 1, 0, true, false, yes, no, on or off"},
    {"BQ_DATASET_NAME", "my-data", " is not a dataset id; expected letters, digits and _ only"},
    {"BQ_PROJECT_NAME", "p`; drop",
     " is not a project id; expected letters, digits, -, _, . and : only"},
    {"BIGQUERY_EMULATOR_HOST", "ftp://host",
     " is not an endpoint; expected host:port, or a URL with http or https, without user and "
     "query"},
    {"BIGQUERY_EMULATOR_HOST", "host:99999",
     " is not an endpoint; expected host:port, or a URL with http or https, without user and "
     "query"},
    {"BIGQUERY_EMULATOR_HOST", "http://host/x y",
     " is not an endpoint; expected host:port, or a URL with http or https, without user and "
     "query"},
    {"BUGSNAG_ENDPOINT", "notify.example.com",
     " is not a URL; expected one with http or https, without "
     "user and query"},
    {"BQ_ADMIN_LISTEN", "8001", " is not an address; expected host:port, or off"},
    {"BQ_ADMIN_LISTEN", "127.0.0.1:65536", " is not an address; expected host:port, or off"},
    {"BQ_ADMIN_LISTEN", "http://127.0.0.1:80", " is not an address; expected host:port, or off"},
};

static void test_a_bad_value_says_where_it_stands_and_what_fits(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
        char message[512];
        snprintf(
            message, sizeof message, "%s: \"%s\" (from environment)%s", bad_values[i].variable,
            bad_values[i].value, bad_values[i].rest);
        setenv(bad_values[i].variable, bad_values[i].value, 1);
        load_fails(ERROR_CONFIG, message);
        unsetenv(bad_values[i].variable);
    }
}

static void test_no_message_holds_a_password(void **state)
{
    static const struct config_flag bad[] = {
        {"BIGQUERY_EMULATOR_HOST", "http://user:hunter22@host"},
        {"BIGQUERY_EMULATOR_HOST", "user:hunter22@host:9050"},
        {"BUGSNAG_ENDPOINT", "https://user:hunter22@notify.example.com"},
        {"BUGSNAG_ENDPOINT", "https://user:x/hunter22@notify.example.com"},
        {"BUGSNAG_ENDPOINT", "https://notify.example.com/?key=hunter22"},
        {"BQ_ADMIN_LISTEN", "user:hunter22@127.0.0.1:80"},
        {"BUGSNAG_API_KEY", "hunter22\n"},
        {"SENTRY_DSN", "https://hunter22@host/1\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct config config;
        struct error err = {0};

        assert_false(config_load(NULL, &bad[i], 1, &config, &err));

        assert_int_equal(err.code, ERROR_CONFIG);
        if (strstr(err.message, "hunter22") != NULL)
            fail_msg("%s", err.message);
    }
}

static void test_a_token_that_no_request_can_carry_is_refused(void **state)
{
    static char longest[8194];
    const char *bad[] = {" ", " lead", "trail ", "tab\t", "line\nline", longest};
    struct config config;
    (void)state;

    memset(longest, 'x', sizeof longest - 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        setenv("BQ_ADMIN_TOKEN", bad[i], 1);
        load_fails(
            ERROR_CONFIG,
            "BQ_ADMIN_TOKEN: the value (from environment) is not a token that a request can carry; "
            "expected at most 8192 bytes without control characters, and no blank at either end");
    }
    longest[8192] = '\0';
    setenv("BQ_ADMIN_TOKEN", longest, 1);
    load(&config);
    assert_int_equal(strlen(config.admin_token), 8192);
    config_clear(&config);
    unsetenv("BQ_ADMIN_TOKEN");
}

static void test_all_bad_values_are_named_at_once(void **state)
{
    (void)state;
    write_file(".env", "BQ_SYNC_INTERVAL=15x\nBQ_LOG_FORMAT=xml\n");
    setenv("BQ_PARALLEL", "abc", 1);
    // Whether a token is missing is not known as long as other values are wrong.
    setenv("BQ_ADMIN_LISTEN", "0.0.0.0:80", 1);

    load_fails(
        ERROR_CONFIG,
        "3 settings are wrong\n"
        "  BQ_SYNC_INTERVAL: \"15x\" (from .env:1) is not a duration; expected a number with ms, "
        "s, "
        "m or h, or off\n"
        "  BQ_PARALLEL: \"abc\" (from environment) is not a number in range; expected a whole "
        "number from 1 to 64\n"
        "  BQ_LOG_FORMAT: \"xml\" (from .env:2) is not a log format; expected text or json");
}

static void test_settings_that_do_not_go_together_are_named_at_once(void **state)
{
    struct config config;
    struct error err = {0};
    (void)state;
    setenv("BQ_ADMIN_LISTEN", "0.0.0.0:80", 1);
    setenv("BQ_MAX_BYTES_BILLED", "1k", 1);
    setenv("BQ_MAX_BYTES_BILLED_PER_DAY", "1k", 1);

    assert_false(config_load(NULL, NULL, 0, &config, &err));

    assert_non_null(strstr(err.message, "3 settings are wrong\n  BQ_ADMIN_TOKEN is not set"));
    assert_non_null(strstr(err.message, "\n  BQ_MAX_BYTES_BILLED=1000 is less"));
    assert_non_null(strstr(err.message, "\n  BQ_MAX_BYTES_BILLED_PER_DAY=1000 is less"));
}

static void test_mistakes_without_room_are_counted(void **state)
{
    const char *const variables[] = {
        "BQ_SYNC_INTERVAL", "BQ_SYNC_FOLLOW", "BQ_RETRY_BUDGET", "BQ_JOB_TIMEOUT", "BQ_PARALLEL"};
    struct config config;
    struct error err = {0};
    char value[200];
    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        setenv(variables[i], value, 1);

    assert_false(config_load(NULL, NULL, 0, &config, &err));

    assert_non_null(strstr(err.message, "5 settings are wrong\n  BQ_SYNC_INTERVAL: "));
    const char *last = strrchr(err.message, '\n');
    assert_non_null(last);
    assert_string_equal(last, "\n  and 2 more");
}

static void test_a_bad_flag_is_named_as_it_was_typed(void **state)
{
    const struct config_flag flags[] = {{"BQ_SYNC_INTERVAL", "soon"}};
    struct config config;
    struct error err = {0};
    (void)state;

    assert_false(config_load(NULL, flags, 1, &config, &err));

    assert_string_equal(
        err.message, "BQ_SYNC_INTERVAL: \"soon\" (from --sync-interval) is not a duration; "
                     "expected a number with ms, s, m or h, or off");
}

static void test_a_secret_never_shows_in_a_message(void **state)
{
    (void)state;
    printed_secret("BQ_ADMIN_TOKEN", "hush-hush\nbe-silent");
    setenv("BQ_ADMIN_TOKEN", "hush-hush\nbe-silent", 1);

    load_fails(
        ERROR_CONFIG,
        "BQ_ADMIN_TOKEN: the value (from environment) is not a token that a request can carry; "
        "expected at most 8192 bytes without control characters, and no blank at either end");
}

static void test_durations_and_times_are_read_in_their_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } durations[] = {{"150ms", 150},  {"90s", 90000},  {"15m", 900000},
                     {"2h", 7200000}, {"2H", 7200000}, {"off", 0},
                     {"OFF", 0},      {"0s", 0},       {"8784h", 31622400000}};
    static const struct {
        const char *text;
        int minute;
    } times[] = {{"00:00", 0}, {"7:05", 425}, {"23:59", 1439}, {"off", -1}};
    struct config config;
    (void)state;

    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        setenv("BQ_SYNC_INTERVAL", durations[i].text, 1);
        load(&config);
        assert_int_equal(config.sync_interval_ms, durations[i].ms);
        config_clear(&config);
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        setenv("BQ_SYNC_DAILY_AT", times[i].text, 1);
        load(&config);
        assert_int_equal(config.daily_minute, times[i].minute);
        config_clear(&config);
    }
}

static void test_bytes_are_powers_of_a_thousand(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } cases[] = {
        {"off", 0},
        {"20971520", 20971520},
        {"64000k", 64000000},
        {"30M", 30000000},
        {"5g", 5000000000},
        {"2T", 2000000000000},
        {"9223372036854775807", INT64_MAX}};
    struct config config;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("BQ_MAX_BYTES_BILLED", cases[i].text, 1);
        load(&config);
        assert_int_equal(config.max_bytes_billed, cases[i].bytes);
        config_clear(&config);
    }
}

static void test_a_price_is_exact_to_a_millionth(void **state)
{
    static const struct {
        const char *text;
        int64_t millionths;
    } cases[] = {{"off", 0},        {"0", 0},        {"6", 6000000},
                 {"6.25", 6250000}, {"0.000001", 1}, {"999999.5", 999999500000}};
    static const char *const wrong[] = {"-1", "6.", ".5", "6.25 USD", "6,25", "1.0000001", "1e3"};
    struct config config;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("BQ_PRICE_PER_TIB", cases[i].text, 1);
        load(&config);
        assert_int_equal(config.price_per_tib, cases[i].millionths);
        config_clear(&config);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err;
        setenv("BQ_PRICE_PER_TIB", wrong[i], 1);
        expect_error(config_load(NULL, NULL, 0, &config, &err), ERROR_CONFIG, "US dollars");
    }
    unsetenv("BQ_PRICE_PER_TIB");
}

static void test_an_emulator_host_becomes_a_root_url(void **state)
{
    static const struct {
        const char *text;
        const char *url;
    } cases[] = {
        {"127.0.0.1:9050", "http://127.0.0.1:9050"},
        {"localhost:9050/", "http://localhost:9050"},
        {"https://bq.example.com", "https://bq.example.com"},
        {"http://[::1]:9050//", "http://[::1]:9050"},
        {"HTTP://h:1", "HTTP://h:1"},
    };
    struct config config;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("BIGQUERY_EMULATOR_HOST", cases[i].text, 1);
        load(&config);
        assert_string_equal(config.emulator_host, cases[i].url);
        config_clear(&config);
    }
}

static void test_listening_beyond_loopback_needs_a_token(void **state)
{
    static const struct {
        const char *listen;
        bool loopback;
    } cases[] = {
        {"127.0.0.1:8001", true}, {"127.9.9.9:1", true},     {"localhost:80", true},
        {"[::1]:8001", true},     {"0.0.0.0:8001", false},   {":8001", false},
        {"[::]:8001", false},     {"127.evil.com:1", false}, {"192.168.1.2:8001", false},
    };
    struct config config;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char message[256];
        snprintf(
            message, sizeof message,
            "BQ_ADMIN_TOKEN is not set, but BQ_ADMIN_LISTEN=%s is not a loopback address: set a "
            "token, or listen on 127.0.0.1",
            cases[i].listen);
        setenv("BQ_ADMIN_LISTEN", cases[i].listen, 1);
        unsetenv("BQ_ADMIN_TOKEN");
        if (!cases[i].loopback) {
            load_fails(ERROR_CONFIG, message);
            setenv("BQ_ADMIN_TOKEN", "t", 1);
        }
        load(&config);
        assert_string_equal(config.admin_listen, cases[i].listen);
        config_clear(&config);
    }
}

static void test_the_admin_api_can_be_turned_off(void **state)
{
    struct config config;
    (void)state;
    setenv("BQ_ADMIN_LISTEN", "off", 1);

    load(&config);

    assert_null(config.admin_listen);
    config_clear(&config);
}

static void test_the_state_lives_in_the_source_unless_told_otherwise(void **state)
{
    static const struct {
        const char *state_path;
        const char *expected;
        bool is_source;
    } cases[] = {
        {NULL, "app.db", true},          {"app.db", "app.db", true},
        {"./app.db", "./app.db", true},  {"link.db", "link.db", true},
        {"state.db", "state.db", false},
    };
    struct config config;
    (void)state;
    write_file("app.db", "");
    assert_int_equal(symlink("app.db", "link.db"), 0);
    setenv("BQ_SQLITE_PATH", "app.db", 1);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].state_path != NULL)
            setenv("BQ_STATE_PATH", cases[i].state_path, 1);
        load(&config);
        assert_string_equal(config.state_path, cases[i].expected);
        assert_int_equal(config.state_is_source, cases[i].is_source);
        config_clear(&config);
    }
}

#define NO_FILE "=:memory: is no file, and what a pass keeps there is lost at its end: name a file"
#define BESIDE                                                                                     \
    " is the name of a file that SQLite itself writes beside BQ_SQLITE_PATH: choose another"

#define A_FILE      ", which cannot hold a SQLite database: name a file"
#define NOT_REGULAR " is no regular file" A_FILE

static void test_the_state_needs_a_file_that_is_no_part_of_the_source(void **state)
{
    static const struct {
        const char *source;
        const char *state_path;
        const char *message;
    } cases[] = {
        {"app.db", ":memory:", "BQ_STATE_PATH" NO_FILE},
        {":memory:", "", "BQ_SQLITE_PATH" NO_FILE},
        {"app.db", "app.db-wal", "BQ_STATE_PATH=app.db-wal" BESIDE},
        {"app.db", "./app.db-shm", "BQ_STATE_PATH=./app.db-shm" BESIDE},
        {"link.db", "app.db-journal", "BQ_STATE_PATH=app.db-journal" BESIDE},
        {"absent.db", "absent.db-wal", "BQ_STATE_PATH=absent.db-wal" BESIDE},
        {"app.db", "/dev/null", "BQ_STATE_PATH=/dev/null" NOT_REGULAR},
        {"app.db", "fifo", "BQ_STATE_PATH=fifo" NOT_REGULAR},
        {"app.db", "fifo-link", "BQ_STATE_PATH=fifo-link" NOT_REGULAR},
        {"app.db", "folder", "BQ_STATE_PATH=folder is a directory" A_FILE},
        {"app.db", "folder/", "BQ_STATE_PATH=folder/ is a directory" A_FILE},
        {"fifo", "app.db", "BQ_SQLITE_PATH=fifo" NOT_REGULAR},
        {"/dev/null", "", "BQ_SQLITE_PATH=/dev/null" NOT_REGULAR},
    };
    static const char *const fine[] = {"other.db-wal", "-wal", "app.db-state", "memory"};
    struct config config;
    (void)state;
    write_file("app.db", "");
    assert_int_equal(symlink("app.db", "link.db"), 0);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(symlink("fifo", "fifo-link"), 0);
    assert_int_equal(mkdir("folder", 0700), 0);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("BQ_SQLITE_PATH", cases[i].source, 1);
        setenv("BQ_STATE_PATH", cases[i].state_path, 1);
        load_fails(ERROR_CONFIG, cases[i].message);
    }
    setenv("BQ_SQLITE_PATH", "app.db", 1);
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        setenv("BQ_STATE_PATH", fine[i], 1);
        load(&config);
        assert_string_equal(config.state_path, fine[i]);
        config_clear(&config);
    }
}

static void test_all_that_is_missing_is_named_with_the_fix(void **state)
{
    struct config config;
    struct error err = {0};
    (void)state;
    setenv("BQ_PROJECT_NAME", "p", 1);
    load(&config);

    assert_true(config_require(&config, false, false, &err));
    assert_false(config_require(&config, true, true, &err));
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_string_equal(
        err.message,
        "BQ_DATASET_NAME, BQ_SQLITE_PATH are not set: set them in the environment or in "
        ".env, or give --dataset-name --sqlite-path");
    assert_false(config_require(&config, false, true, &err));
    assert_string_equal(
        err.message, "BQ_SQLITE_PATH is not set: set it in the environment or in .env, or give "
                     "--sqlite-path");
    config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_FOLDER(test_a_bad_value_says_where_it_stands_and_what_fits),
        TEST_IN_FOLDER(test_no_message_holds_a_password),
        TEST_IN_FOLDER(test_a_token_that_no_request_can_carry_is_refused),
        TEST_IN_FOLDER(test_all_bad_values_are_named_at_once),
        TEST_IN_FOLDER(test_settings_that_do_not_go_together_are_named_at_once),
        TEST_IN_FOLDER(test_mistakes_without_room_are_counted),
        TEST_IN_FOLDER(test_a_bad_flag_is_named_as_it_was_typed),
        TEST_IN_FOLDER(test_a_secret_never_shows_in_a_message),
        TEST_IN_FOLDER(test_durations_and_times_are_read_in_their_units),
        TEST_IN_FOLDER(test_bytes_are_powers_of_a_thousand),
        TEST_IN_FOLDER(test_a_price_is_exact_to_a_millionth),
        TEST_IN_FOLDER(test_an_emulator_host_becomes_a_root_url),
        TEST_IN_FOLDER(test_listening_beyond_loopback_needs_a_token),
        TEST_IN_FOLDER(test_the_admin_api_can_be_turned_off),
        TEST_IN_FOLDER(test_the_state_lives_in_the_source_unless_told_otherwise),
        TEST_IN_FOLDER(test_the_state_needs_a_file_that_is_no_part_of_the_source),
        TEST_IN_FOLDER(test_all_that_is_missing_is_named_with_the_fix),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
