#include "base/config_value.h"

#include "base/dsn.h"
#include "base/log.h"
#include "base/loopback.h"
#include "base/url.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* A year: longer intervals are typing errors, and sums of two stay far from overflow. */
#define DURATION_CEILING_MS (INT64_C(366) * 24 * 3600 * 1000)

#define TOKEN_CEILING 8192

/* Texts of the parsers: what a value that does not fit is not, and what would fit. */
struct value_type {
    const char *what;
    const char *expected;
    bool (*parse)(const struct config_option *option, const char *text, void *field);
    /* For types kept as text: rewrites the value (returns owned), NULL if out of memory. */
    char *(*normalise)(const char *text);
};

/* Digits only: reads them up to the first other byte. False if there are none or they exceed the
 * ceiling. */
static bool read_digits(const char **text, int64_t ceiling, int64_t *out)
{
    int64_t number = 0;
    const char *at = *text;

    if (!isdigit((unsigned char)*at))
        return false;
    for (; isdigit((unsigned char)*at); at++) {
        int digit = *at - '0';
        if (number > (ceiling - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *text = at;
    *out = number;
    return true;
}

static bool is_off(const char *text)
{
    return strcasecmp(text, "off") == 0;
}

static bool parse_bool(const struct config_option *option, const char *text, void *field)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};

    (void)option;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *(bool *)field = i % 2 == 1;
            return true;
        }
    }
    return false;
}

static bool parse_integer(const struct config_option *option, const char *text, void *field)
{
    int64_t number;

    if (!read_digits(&text, option->maximum, &number) || *text != '\0' || number < option->minimum)
        return false;
    *(int *)field = (int)number;
    return true;
}

/* One unit a row: how a number is multiplied by the word behind it. */
struct unit {
    const char *word;
    int64_t factor;
};

static bool parse_amount(
    const char *text, const struct unit *units, int64_t ceiling, int64_t *out_amount)
{
    int64_t number;

    if (is_off(text)) {
        *out_amount = 0;
        return true;
    }
    if (!read_digits(&text, ceiling, &number))
        return false;
    for (const struct unit *unit = units; unit->word != NULL; unit++) {
        if (strcasecmp(text, unit->word) == 0 && number <= ceiling / unit->factor) {
            *out_amount = number * unit->factor;
            return true;
        }
    }
    return false;
}

static bool parse_duration(const struct config_option *option, const char *text, void *field)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};

    (void)option;
    return parse_amount(text, units, DURATION_CEILING_MS, field);
}

static bool parse_bytes(const struct config_option *option, const char *text, void *field)
{
    static const struct unit units[] = {
        {"", 1},  {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {"T", INT64_C(1000000000000)},
        {NULL, 0}};

    (void)option;
    // A field of 0 says off.
    return parse_amount(text, units, INT64_MAX, field) && (is_off(text) || *(int64_t *)field > 0);
}

static bool parse_time(const struct config_option *option, const char *text, void *field)
{
    int64_t hour, minute;
    const char *start = text;

    (void)option;
    if (is_off(text)) {
        *(int *)field = -1;
        return true;
    }
    if (!read_digits(&text, 23, &hour) || *text != ':' || text - start > 2)
        return false;
    start = ++text;
    if (!read_digits(&text, 59, &minute) || *text != '\0' || text - start != 2)
        return false;
    *(int *)field = (int)(hour * 60 + minute);
    return true;
}

static bool parse_level(const struct config_option *option, const char *text, void *field)
{
    static const char *const words[] = {"debug", "info", "warn", "error", "off"};
    _Static_assert(sizeof words / sizeof words[0] == LOG_LEVEL_OFF + 1, "a word for each level");

    (void)option;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *(enum log_level *)field = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool parse_format(const struct config_option *option, const char *text, void *field)
{
    bool json = strcasecmp(text, "json") == 0;

    (void)option;
    if (!json && strcasecmp(text, "text") != 0)
        return false;
    *(enum log_format *)field = json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
    return true;
}

static bool parse_choice(const struct config_option *option, const char *text, void *field)
{
    const char *bar = strchr(option->placeholder, '|');
    size_t first = (size_t)(bar - option->placeholder);

    if (strlen(text) == first && strncasecmp(text, option->placeholder, first) == 0)
        *(bool *)field = false;
    else if (strcasecmp(text, bar + 1) == 0)
        *(bool *)field = true;
    else
        return false;
    return true;
}

/* The parsers of types kept as text only judge; config_value_set copies. */

static bool only_has(const char *text, const char *punctuation)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x80 || (!isalnum(c) && strchr(punctuation, c) == NULL))
            return false;
    }
    return true;
}

static bool parse_text(const struct config_option *option, const char *text, void *field)
{
    (void)option;
    (void)field;
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text))
            return false;
    return true;
}

/* What a request can carry behind "Authorization: Bearer ": HTTP cuts blanks off the end of a line
 * ("RFC 9110", 5.5), and servers take lines of some length only. */
static bool parse_token(const struct config_option *option, const char *text, void *field)
{
    size_t length = strlen(text);

    return length <= TOKEN_CEILING && text[0] != ' ' && (length == 0 || text[length - 1] != ' ') &&
           parse_text(option, text, field);
}

static bool parse_dsn(const struct config_option *option, const char *text, void *field)
{
    struct dsn parts;

    bool ok = parse_text(option, text, field) && dsn_parse(text, &parts);
    explicit_bzero(&parts, sizeof parts);
    return ok;
}

/* A key may be of several lines; whether a path can be opened shows when it is. */
static bool parse_credentials(const struct config_option *option, const char *text, void *field)
{
    (void)option;
    (void)text;
    (void)field;
    return true;
}

static bool parse_project(const struct config_option *option, const char *text, void *field)
{
    (void)option;
    (void)field;
    return only_has(text, ".:-_");
}

static bool parse_dataset(const struct config_option *option, const char *text, void *field)
{
    (void)option;
    (void)field;
    return only_has(text, "_");
}

/* The part of a URL behind its scheme, or NULL if it is not http or https. */
static const char *after_scheme(const char *text)
{
    if (strncasecmp(text, "http://", 7) == 0)
        return text + 7;
    if (strncasecmp(text, "https://", 8) == 0)
        return text + 8;
    return NULL;
}

/* Reads ":port" if it is there; true if what remains is the end or a path. */
static bool port_and_path_fit(const char *at, bool needs_port)
{
    int64_t port;

    if (*at == ':') {
        at++;
        if (!read_digits(&at, 65535, &port))
            return false;
    } else if (needs_port) {
        return false;
    }
    return *at == '\0' || *at == '/';
}

/* host[:port][/path], where the host is a name, an IPv4 address or [IPv6]. */
static bool authority_fits(const char *text, bool needs_port)
{
    size_t host;

    if (strpbrk(text, " \t\r\n?#@\"<>\\^`{|}") != NULL)
        return false;
    if (*text == '[') {
        host = strspn(text + 1, "0123456789abcdefABCDEF:.%");
        return host > 0 && text[host + 1] == ']' && port_and_path_fit(text + host + 2, needs_port);
    }
    host = strcspn(text, ":/");
    return host > 0 && port_and_path_fit(text + host, needs_port);
}

static bool parse_host(const struct config_option *option, const char *text, void *field)
{
    const char *rest = after_scheme(text);

    (void)option;
    (void)field;
    if (rest == NULL && strstr(text, "://") != NULL)
        return false;
    return authority_fits(rest != NULL ? rest : text, false);
}

static bool parse_url(const struct config_option *option, const char *text, void *field)
{
    const char *rest = after_scheme(text);

    (void)option;
    (void)field;
    return rest != NULL && authority_fits(rest, false);
}

/* http:// in front if it has no scheme, and no slash at the end. */
static char *normalise_host(const char *text)
{
    char *url = NULL;

    if (asprintf(&url, "%s%s", after_scheme(text) != NULL ? "" : "http://", text) < 0)
        return NULL;
    for (size_t length = strlen(url); length > 0 && url[length - 1] == '/'; length--)
        url[length - 1] = '\0';
    return url;
}

static bool parse_listen(const struct config_option *option, const char *text, void *field)
{
    (void)option;
    (void)field;
    if (is_off(text))
        return true;
    if (strchr(text, '/') != NULL)
        return false;
    // An empty host is every address of the machine, as other servers read it.
    return authority_fits(text, true) || (*text == ':' && port_and_path_fit(text, true));
}

/* Where the zones are, or NULL if this machine has none to judge a name by. */
static const char *zone_folder(void)
{
    const char *folder = getenv("TZDIR");
    struct stat status;

    if (folder == NULL || *folder == '\0')
        folder = "/usr/share/zoneinfo";
    return stat(folder, &status) == 0 && S_ISDIR(status.st_mode) ? folder : NULL;
}

static bool parse_zone(const struct config_option *option, const char *text, void *field)
{
    const char *folder = zone_folder();
    char path[PATH_MAX];
    struct stat status;

    (void)option;
    (void)field;
    // The name becomes a path below the folder and must not lead out of it.
    if (*text == '/' || strstr(text, "..") != NULL || !only_has(text, "/_-+"))
        return false;
    if (strcmp(text, "UTC") == 0 || folder == NULL)
        return true;
    int length = snprintf(path, sizeof path, "%s/%s", folder, text);
    if (length <= 0 || (size_t)length >= sizeof path)
        return false;
    // A file that cannot be looked at now may be right: who reads it says what is wrong with it.
    return stat(path, &status) == 0 ? S_ISREG(status.st_mode) : errno != ENOENT && errno != ENOTDIR;
}

/* At most six digits on both sides. */
static bool parse_price(const struct config_option *option, const char *text, void *field)
{
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;
    size_t decimals = rest[0] == '.' ? strspn(rest + 1, "0123456789") : 0;
    int64_t millionths = 0;

    (void)option;
    if (is_off(text)) {
        *(int64_t *)field = 0;
        return true;
    }
    if (whole == 0 || whole > 6 || decimals > 6 ||
        (rest[0] != '\0' && (decimals == 0 || rest[1 + decimals] != '\0')))
        return false;
    for (size_t i = 0; i < whole; i++)
        millionths = millionths * 10 + (text[i] - '0');
    for (size_t i = 0; i < 6; i++)
        millionths = millionths * 10 + (i < decimals ? rest[1 + i] - '0' : 0);
    *(int64_t *)field = millionths;
    return true;
}

static const struct value_type types[] = {
    [CONFIG_STRING] = {"a plain text", "no control characters", parse_text, NULL},
    [CONFIG_SECRET] = {"a plain text", "no control characters", parse_text, NULL},
    [CONFIG_TOKEN] =
        {"a token that a request can carry",
         "at most 8192 bytes without control characters, and no blank at either end", parse_token,
         NULL},
    [CONFIG_DSN] = {"a Sentry DSN", "https://KEY@HOST/PROJECT", parse_dsn, NULL},
    [CONFIG_CREDENTIALS] = {"credentials", "a path or a key", parse_credentials, NULL},
    [CONFIG_PROJECT] = {"a project id", "letters, digits, -, _, . and : only", parse_project, NULL},
    [CONFIG_DATASET] = {"a dataset id", "letters, digits and _ only", parse_dataset, NULL},
    [CONFIG_BOOL] = {"a yes or no", "1, 0, true, false, yes, no, on or off", parse_bool, NULL},
    [CONFIG_INTEGER] = {"a number in range", NULL, parse_integer, NULL},
    [CONFIG_BYTES] =
        {"a number of bytes", "a whole number above 0, alone or with k, M, G or T, or off",
         parse_bytes, NULL},
    [CONFIG_DURATION] = {"a duration", "a number with ms, s, m or h, or off", parse_duration, NULL},
    [CONFIG_TIME] = {"a time of day", "HH:MM from 00:00 to 23:59, or off", parse_time, NULL},
    [CONFIG_ZONE] =
        {"a time zone of this machine", "an IANA name such as Asia/Kolkata", parse_zone, NULL},
    [CONFIG_LISTEN] = {"an address", "host:port, or off", parse_listen, NULL},
    [CONFIG_LEVEL] = {"a log level", "debug, info, warn, error or off", parse_level, NULL},
    [CONFIG_FORMAT] = {"a log format", "text or json", parse_format, NULL},
    [CONFIG_HOST] =
        {"an endpoint", "host:port, or a URL with http or https, without user and query",
         parse_host, normalise_host},
    [CONFIG_URL] =
        {"a URL", "one with http or https, without user and query", parse_url, normalise_host},
    [CONFIG_PRICE] =
        {"a price", "US dollars such as 6.25 with at most six decimals, or off", parse_price, NULL},
    [CONFIG_CHOICE] = {"a choice", NULL, parse_choice, NULL},
};
_Static_assert(sizeof types / sizeof types[0] == CONFIG_CHOICE + 1, "a row for each type");

bool config_value_is_text(enum config_type type)
{
    switch (type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
    case CONFIG_TOKEN:
    case CONFIG_DSN:
    case CONFIG_CREDENTIALS:
    case CONFIG_PROJECT:
    case CONFIG_DATASET:
    case CONFIG_ZONE:
    case CONFIG_LISTEN:
    case CONFIG_HOST:
    case CONFIG_URL:
        return true;
    default:
        return false;
    }
}

bool config_value_is_secret(enum config_type type)
{
    return type == CONFIG_SECRET || type == CONFIG_TOKEN || type == CONFIG_DSN ||
           type == CONFIG_CREDENTIALS;
}

size_t config_value_size(enum config_type type)
{
    switch (type) {
    case CONFIG_BOOL:
    case CONFIG_CHOICE:
        return sizeof(bool);
    case CONFIG_INTEGER:
    case CONFIG_TIME:
        return sizeof(int);
    case CONFIG_BYTES:
    case CONFIG_DURATION:
    case CONFIG_PRICE:
        return sizeof(int64_t);
    case CONFIG_LEVEL:
        return sizeof(enum log_level);
    case CONFIG_FORMAT:
        return sizeof(enum log_format);
    default:
        return sizeof(char *);
    }
}

/* Of an address without its secrets. The copy is cut where messages would be cut as well. */
static void copy_shown(
    const struct config_option *option, const char *value, char *out, size_t size)
{
    char *copy = strdup(value);

    out[0] = '\0';
    if (copy == NULL)
        return;
    if (option->type == CONFIG_HOST || option->type == CONFIG_URL || option->type == CONFIG_LISTEN)
        url_clean(copy);
    snprintf(out, size, "%s", copy);
    explicit_bzero(copy, strlen(copy));
    free(copy);
}

static bool refuse(
    const struct config_option *option, const char *value, const char *origin, struct error *err)
{
    const struct value_type *type = &types[option->type];
    char range[64];
    const char *expected = type->expected;
    char shown[600];

    if (option->type == CONFIG_INTEGER) {
        snprintf(
            range, sizeof range, "a whole number from %d to %d", option->minimum, option->maximum);
        expected = range;
    } else if (option->type == CONFIG_CHOICE) {
        expected = option->placeholder;
    }
    if (config_value_is_secret(option->type))
        return error_set(
            err, ERROR_CONFIG, "%s: the value (from %s) is not %s; expected %s", option->variable,
            origin, type->what, expected);
    copy_shown(option, value, shown, sizeof shown);
    return error_set(
        err, ERROR_CONFIG, "%s: \"%s\" (from %s) is not %s; expected %s", option->variable, shown,
        origin, type->what, expected);
}

bool config_value_set(
    struct config *config, const struct config_option *option, const char *value,
    const char *origin, struct error *err)
{
    const struct value_type *type = &types[option->type];
    void *field = (char *)config + option->offset;

    if (!type->parse(option, value, field))
        return refuse(option, value, origin, err);
    if (!config_value_is_text(option->type))
        return true;

    char *text = NULL;
    if (option->type != CONFIG_LISTEN || !is_off(value)) {
        text = type->normalise != NULL ? type->normalise(value) : strdup(value);
        if (text == NULL)
            return error_set(err, ERROR_MEMORY, "%s: out of memory", option->variable);
    }
    free(*(char **)field);
    *(char **)field = text;
    return true;
}

bool config_value_is_loopback(const char *listen)
{
    size_t length = loopback_length(listen);

    return length > 0 && listen[length] == ':';
}
