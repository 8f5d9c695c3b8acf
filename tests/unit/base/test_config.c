/* Tests of config: where a value comes from, what each type takes, and what a bad one is told. */
#include "support/prelude.h"

#include "base/config.h"
#include "base/config_env.h"
#include "base/config_value.h"
#include "support/printed.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test runs in an empty folder of its own with none of the settings in the environment. */
struct place {
    char folder[64];
    int home;
};

static void forget_settings(void)
{
    size_t count;
    const struct config_option *options = config_options(&count);

    for (size_t i = 0; i < count; i++)
        unsetenv(options[i].variable);
}

static int enter_folder(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/test_config.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->home = open(".", O_RDONLY | O_DIRECTORY);
    assert_true(place->home >= 0);
    assert_int_equal(chdir(place->folder), 0);
    forget_settings();
    *state = place;
    return 0;
}

static int leave_folder(void **state)
{
    struct place *place = *state;
    const char *const leftovers[] = {".env", "other.env", "app.db", "link.db"};

    for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++)
        unlink(leftovers[i]);
    forget_settings();
    assert_int_equal(fchdir(place->home), 0);
    close(place->home);
    assert_int_equal(rmdir(place->folder), 0);
    free(place);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void load(struct config *config)
{
    struct error err = {0};

    if (!config_load(NULL, NULL, 0, config, &err))
        fail_msg("%s", err.message);
}

static void load_fails(enum error_code code, const char *message)
{
    struct config config = {0};
    struct error err = {0};

    assert_false(config_load(NULL, NULL, 0, &config, &err));
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
}

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
    {"BQ_PROJECT_NAME", "p`; drop", " is not a project id; expected letters, digits, - and : only"},
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
        ERROR_CONFIG, "BQ_ADMIN_TOKEN: the value (from environment) is not a plain text; expected "
                      "no control characters");
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
    assert_true(config_export(NULL, &err));

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

#define TEST_IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_FOLDER(test_defaults_are_those_of_the_documentation),
        TEST_IN_FOLDER(test_a_flag_beats_the_environment_which_beats_the_file),
        TEST_IN_FOLDER(test_an_empty_value_counts_as_not_set),
        TEST_IN_FOLDER(test_the_file_takes_quotes_comments_and_export),
        TEST_IN_FOLDER(test_a_malformed_line_is_named_by_file_and_line),
        TEST_IN_FOLDER(test_a_named_file_must_exist),
        TEST_IN_FOLDER(test_a_folder_in_place_of_the_file_is_refused),
        TEST_IN_FOLDER(test_an_origin_in_a_named_file_is_its_path_and_line),
        TEST_IN_FOLDER(test_a_bad_value_says_where_it_stands_and_what_fits),
        TEST_IN_FOLDER(test_no_message_holds_a_password),
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
        TEST_IN_FOLDER(test_all_that_is_missing_is_named_with_the_fix),
        TEST_IN_FOLDER(test_an_unknown_setting_in_the_file_is_a_warning_with_the_nearest_name),
        TEST_IN_FOLDER(test_an_unknown_setting_in_the_environment_is_a_warning_too),
        TEST_IN_FOLDER(test_variables_that_are_not_ours_reach_the_environment_once),
        TEST_IN_FOLDER(test_two_configurations_differ_in_just_what_was_changed),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
