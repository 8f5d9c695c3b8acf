/* Settings: what is written into a .env file is read back, whatever the value and however it is
 * quoted, and any text is a value of each setting or an error that does not show a secret. The rule
 * of a time zone gives the offsets that the C library finds for it. */
#include "fuzz/fuzz.h"

#include "base/buffer.h"
#include "base/config.h"
#include "base/config_env.h"
#include "base/config_value.h"
#include "base/dsn.h"
#include "base/url.h"
#include "base/zone_rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int file = -1;

static char path[64];

static void write_file(struct slice text)
{
    if (file < 0) {
        file = memfd_create("env", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    FUZZ_REQUIRE(
        file >= 0 && ftruncate(file, 0) == 0 &&
            pwrite(file, text.data, text.length, 0) == (ssize_t)text.length,
        "the file cannot be written");
}

/* A value in double quotes, with the escapes that it needs. */
static void append_double(struct buffer *out, const char *value)
{
    buffer_append_byte(out, '"');
    for (; *value != '\0'; value++) {
        static const char special[] = "\n\r\t\"\\$";
        static const char escapes[] = "nrt\"\\$";
        const char *found = strchr(special, *value);
        if (found != NULL)
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)(found != NULL ? escapes[found - special] : *value));
    }
    buffer_append_byte(out, '"');
}

static void check_written(const char *value, size_t quoting)
{
    struct config_env env;
    struct error err;
    struct buffer text;
    bool plain = strpbrk(value, "'\n\r") == NULL;

    buffer_init(&text, 1 << 20);
    buffer_append_text(&text, "# comment\r\n export A_1 = ");
    if (quoting % 2 == 0 || !plain)
        append_double(&text, value);
    else
        buffer_printf(&text, "'%s'", value);
    buffer_append_text(&text, quoting < 2 ? "\nB=2" : " # comment\r\nB=2 # two");
    write_file(buffer_slice(&text));
    FUZZ_REQUIRE(config_env_read(path, false, &env, &err), "%s: %s", err.message, text.data);
    FUZZ_REQUIRE(
        env.count == 2 && strcmp(env.entries[0].name, "A_1") == 0 &&
            strcmp(env.entries[0].value, value) == 0 && env.entries[0].line == 2 &&
            strcmp(env.entries[1].value, "2") == 0 && env.entries[1].line == 3,
        "%s is read as \"%s\"", buffer_text(&text), env.entries[0].value);
    config_env_clear(&env);
    buffer_clear(&text);
}

static void check_any_file(struct slice text)
{
    struct config_env env = {0};
    struct error err = {0};

    write_file(text);
    if (!config_env_read(path, false, &env, &err))
        FUZZ_REQUIRE(err.code == ERROR_CONFIG, "the error \"%s\"", err.message);
    config_env_clear(&env);
}

static void check_values(const char *value)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);
    struct config config = {0};
    struct error err = {0};

    for (size_t i = 0; i < count; i++) {
        if (config_value_set(&config, &options[i], value, "environment", &err))
            continue;
        FUZZ_REQUIRE(
            err.code == ERROR_CONFIG && strstr(err.message, options[i].variable) != NULL,
            "%s: the error \"%s\"", options[i].variable, err.message);
        if (config_value_is_secret(options[i].type) && strlen(value) >= 8 &&
            strstr(err.message, value) != NULL) {
            // Unless it is part of what is said of every wrong value.
            struct error other = {0};
            bool set = config_value_set(&config, &options[i], "\x01", "environment", &other);
            FUZZ_REQUIRE(
                !set && strstr(other.message, value) != NULL, "%s is shown: %s",
                options[i].variable, err.message);
        }
    }
    config_clear(&config);
}

static void check_url(char *text)
{
    struct dsn dsn;
    char *copy = strdup(text);

    FUZZ_REQUIRE(copy != NULL, "out of memory");
    if (dsn_parse(text, &dsn))
        FUZZ_REQUIRE(
            strstr(text, dsn.key) != NULL && strstr(text, dsn.host) != NULL &&
                strchr(dsn.project, '/') == NULL,
            "%s", text);
    url_clean(copy);
    FUZZ_REQUIRE(
        strpbrk(copy, "?#") == NULL && strlen(copy) <= strlen(text), "%s becomes %s", text, copy);
    free(copy);
}

/* The C library takes the year of UTC where a rule means the local one: not asked about the days
 * around its end. */
static bool is_near_new_year(int64_t at)
{
    struct tm tm;
    time_t moment = at;

    gmtime_r(&moment, &tm);
    return tm.tm_yday < 9 || tm.tm_yday > 355;
}

/* Where the C library does not understand a rule, for a name with other characters than letters,
 * digits and signs, it takes UTC. */
static bool is_understood(const char *text)
{
    text += *text == '<';
    return strncmp(text, tzname[0], strlen(tzname[0])) == 0 && strncmp(text, "UTC", 3) != 0 &&
           tzname[0][0] != '\0';
}

/* The C library knows no hours beyond a day, which RFC 8536 allows. */
static bool is_within_a_day(const struct zone_rule *rule)
{
    const int32_t most = 24 * 3600;

    return abs(rule->standard_s) <= most && abs(rule->summer_s) <= most &&
           rule->start.time_s >= 0 && rule->start.time_s <= most && rule->end.time_s >= 0 &&
           rule->end.time_s <= most;
}

/* Where summer time starts and ends within a week of each other, which comes first can depend on
 * the year. The C library looks at each year by itself; nothing says what is right, and no zone
 * does it. */
static bool are_apart(const struct zone_rule *rule)
{
    const int64_t apart_s = 8 * 24 * 3600;
    int64_t at = 1767225600;

    for (int i = 0; i < 60 && at != INT64_MAX; i++) {
        int64_t next = zone_rule_next(rule, at);
        if (i > 0 && next - at < apart_s)
            return false;
        at = next;
    }
    return true;
}

static void check_rule(const char *text)
{
    struct zone_rule rule;

    if (!zone_rule_parse(text, &rule))
        return;
    setenv("TZ", text, 1);
    tzset();
    bool compare = is_understood(text) && is_within_a_day(&rule) && are_apart(&rule);
    int64_t at = 1767225600;
    for (int i = 0; i < 12; i++) {
        struct tm tm;
        time_t moment = at;
        int32_t offset = zone_rule_offset(&rule, at);
        int64_t next = zone_rule_next(&rule, at);
        FUZZ_REQUIRE(
            next > at, "%s: the next change after %" PRId64 " is %" PRId64, text, at, next);
        localtime_r(&moment, &tm);
        FUZZ_REQUIRE(
            !compare || is_near_new_year(at) || tm.tm_gmtoff == offset,
            "%s at %" PRId64 ": %d, the C library says %ld", text, at, (int)offset, tm.tm_gmtoff);
        at = next == INT64_MAX ? at + 8000000 : i % 2 == 0 ? next : next - 1 > at ? next - 1 : next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);
    size_t what = fuzz_choice(&in, 5);
    size_t quoting = fuzz_choice(&in, 4);
    struct fuzz again = in;
    struct slice raw = fuzz_rest(&again);
    char *text = fuzz_rest_text(&in);

    if (what == 0)
        check_written(text, quoting);
    else if (what == 1)
        check_any_file(raw);
    else if (what == 2)
        check_values(text);
    else if (what == 3)
        check_url(text);
    else
        check_rule(text);
    free(text);
    return 0;
}
