#include "base/config.h"

#include "base/config_value.h"
#include "base/text_fit.h"
#include "base/url.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VARIABLE_COUNT_MAX 64

/* The sources of one load, strongest first in `lookup`. */
struct layers {
    const struct config_flag *flags;
    size_t flag_count;
    const struct config_env *file;
    const char *path; /* of the file */
};

static const struct config_option *find_option(const char *variable)
{
    size_t count;
    const struct config_option *options = config_options(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(options[i].variable, variable) == 0)
            return &options[i];
    return NULL;
}

/* The value that counts and where it stands, NULL if only the default is left. An empty value is
 * passed over: `VAR=` in a service file means "not here". */
static const char *lookup(
    const struct layers *layers, const struct config_option *option, char *out_origin,
    size_t origin_size)
{
    for (size_t i = layers->flag_count; i-- > 0;) {
        const struct config_flag *flag = &layers->flags[i];
        if (flag->value[0] != '\0' && strcmp(flag->variable, option->variable) == 0) {
            snprintf(out_origin, origin_size, "--%s", option->flag);
            return flag->value;
        }
    }

    const char *value = getenv(option->variable);
    if (value != NULL && *value != '\0') {
        snprintf(out_origin, origin_size, "environment");
        return value;
    }

    const struct config_entry *entry = config_env_find(layers->file, option->variable);
    if (entry != NULL) {
        snprintf(out_origin, origin_size, "%s:%d", layers->path, entry->line);
        return entry->value;
    }
    return NULL;
}

/* All mistakes of one load, to report them at once. */
struct mistakes {
    size_t count;
    size_t listed;
    size_t used;        /* bytes of lines */
    char lines[960];    /* "\n  MESSAGE" for each that has room */
    struct error first; /* the only one is reported as it is; so is the first that lacks memory */
};

static void note_mistake(struct mistakes *mistakes, const struct error *mistake)
{
    if (mistakes->count++ == 0 ||
        (mistake->code == ERROR_MEMORY && mistakes->first.code != ERROR_MEMORY))
        mistakes->first = *mistake;
    size_t room = sizeof mistakes->lines - mistakes->used;
    size_t length = strlen("\n  ") + strlen(mistake->message);
    // Those that follow one without room are counted only, so that the list keeps its order.
    if (mistakes->listed + 1 != mistakes->count || length >= room)
        return;
    text_format(mistakes->lines + mistakes->used, room, "\n  %s", mistake->message);
    mistakes->used += length;
    mistakes->listed++;
}

static bool report_mistakes(const struct mistakes *mistakes, struct error *err)
{
    size_t hidden = mistakes->count - mistakes->listed;
    char more[48] = "";

    if (mistakes->count == 0)
        return true;
    *err = mistakes->first;
    // Without memory nobody knows which values are wrong.
    if (mistakes->count == 1 || mistakes->first.code == ERROR_MEMORY)
        return false;
    if (hidden > 0)
        snprintf(more, sizeof more, "\n  and %zu more", hidden);
    return error_set(
        err, ERROR_CONFIG, "%zu settings are wrong%s%s", mistakes->count, mistakes->lines, more);
}

static void set_options(
    struct config *config, const struct layers *layers, struct mistakes *mistakes)
{
    size_t count;
    const struct config_option *options = config_options(&count);

    for (size_t i = 0; i < count; i++) {
        char origin[PATH_MAX + 16];
        const char *value = lookup(layers, &options[i], origin, sizeof origin);
        if (value == NULL) {
            value = options[i].fallback;
            snprintf(origin, sizeof origin, "default");
        }
        struct error err;
        if (value != NULL && !config_value_set(config, &options[i], value, origin, &err))
            note_mistake(mistakes, &err);
    }
}

/* The setting that a misspelt variable means, NULL if none is near. */
static const char *nearest_setting(const char *name)
{
    const char *names[VARIABLE_COUNT_MAX];
    size_t count;
    const struct config_option *options = config_options(&count);

    assert(count < VARIABLE_COUNT_MAX);
    for (size_t i = 0; i < count; i++)
        names[i] = options[i].variable;
    names[count] = NULL;
    return config_nearest(name, names);
}

static bool is_unknown(const char *name)
{
    return strncmp(name, "BQ_", 3) == 0 && find_option(name) == NULL;
}

static void warn_unknown(const char *name, const char *place)
{
    const char *nearest = nearest_setting(name);

    if (nearest == NULL)
        log_warn("unknown setting", LOG_TEXT("variable", name), LOG_TEXT("at", place));
    else
        log_warn(
            "unknown setting", LOG_TEXT("variable", name), LOG_TEXT("at", place),
            LOG_TEXT("did_you_mean", nearest));
}

/* Names of the file may stand in the environment too, because config_export put them there. */
static void warn_of_unknown(const struct config_env *file, const char *path)
{
    char place[PATH_MAX + 16];

    for (size_t i = 0; i < file->count; i++) {
        const struct config_entry *entry = &file->entries[i];
        snprintf(place, sizeof place, "%s:%d", path, entry->line);
        if (is_unknown(entry->name))
            warn_unknown(entry->name, place);
    }
    for (char *const *at = environ; at != NULL && *at != NULL; at++) {
        char name[128];
        int length = (int)strcspn(*at, "=");
        snprintf(name, sizeof name, "%.*s", length, *at);
        if (is_unknown(name) && config_env_find(file, name) == NULL)
            warn_unknown(name, "environment");
    }
}

/* Whether two paths are the same file; by name if either is not there yet. */
static bool same_file(const char *one, const char *other)
{
    char *real_one = realpath(one, NULL);
    char *real_other = realpath(other, NULL);
    bool same = real_one != NULL && real_other != NULL ? strcmp(real_one, real_other) == 0
                                                       : strcmp(one, other) == 0;

    free(real_one);
    free(real_other);
    return same;
}

/* What nobody changes cannot hold the control tables. */
static bool check_immutable(const struct config *config, struct error *err)
{
    struct slice file;

    if (config->sqlite_path == NULL || !url_is_immutable_file(config->sqlite_path, &file))
        return true;
    char *path = strndup(file.data, file.length);
    if (path == NULL)
        return error_set(err, ERROR_MEMORY, "BQ_SQLITE_PATH: out of memory");
    bool ok =
        (config->state_path != NULL && !same_file(config->state_path, path)) ||
        error_set(
            err, ERROR_CONFIG,
            "BQ_SQLITE_PATH says that nobody changes %s, so bqsync can keep nothing in it: set "
            "BQ_STATE_PATH to another file",
            path);
    free(path);
    return ok;
}

/* What does not exist yet, or cannot be looked at, is judged where it is opened, and so is a folder
 * in the place of the source. */
static bool check_is_file(
    const char *variable, const char *path, bool may_be_folder, struct error *err)
{
    struct stat file;

    if (path == NULL)
        return true;
    if (strcmp(path, ":memory:") == 0)
        return error_set(
            err, ERROR_CONFIG,
            "%s=:memory: is no file, and what a pass keeps there is lost at its end: name a file",
            variable);
    return stat(path, &file) != 0 || S_ISREG(file.st_mode) ||
           (may_be_folder && S_ISDIR(file.st_mode)) ||
           error_set(
               err, ERROR_CONFIG, "%s=%s is %s, which cannot hold a SQLite database: name a file",
               variable, path, S_ISDIR(file.st_mode) ? "a directory" : "no regular file");
}

/* The control tables need a file that outlives the process and is not one of those of the source.
 */
static bool check_state(const struct config *config, struct error *err)
{
    static const char *const parts[] = {"-wal", "-shm", "-journal"};
    const char *state = config->state_path;

    if (!check_is_file("BQ_SQLITE_PATH", config->sqlite_path, true, err) ||
        !check_is_file("BQ_STATE_PATH", state, false, err))
        return false;
    for (size_t i = 0;
         state != NULL && config->sqlite_path != NULL && i < sizeof parts / sizeof parts[0]; i++) {
        size_t length = strlen(state);
        size_t end = strlen(parts[i]);
        if (length <= end || strcmp(state + length - end, parts[i]) != 0)
            continue;
        char *whole = strndup(state, length - end);
        if (whole == NULL)
            return error_set(err, ERROR_MEMORY, "BQ_STATE_PATH: out of memory");
        bool mine = same_file(whole, config->sqlite_path);
        free(whole);
        if (mine)
            return error_set(
                err, ERROR_CONFIG,
                "BQ_STATE_PATH=%s is the name of a file that SQLite itself writes beside "
                "BQ_SQLITE_PATH: choose another",
                state);
    }
    return true;
}

static bool check_least_bill(
    const struct config *config, const char *variable, int64_t bytes, struct error *err)
{
    // A transaction reads every table's rows from a staging table.
    int64_t least = config->sync_atomic ? 2 * CONFIG_LEAST_BILLED_BYTES : CONFIG_LEAST_BILLED_BYTES;

    return bytes == 0 || bytes >= least ||
           error_set(
               err, ERROR_CONFIG,
               "%s=%" PRId64 " is less than BigQuery bills any MERGE (%" PRId64
               ": 10 MB for each table that it names), so no change would ever arrive: set it to "
               "%sM or more, or to off",
               variable, bytes, least, config->sync_atomic ? "21" : "11");
}

static bool check_bill(const struct config *config, struct error *err)
{
    return check_least_bill(config, "BQ_MAX_BYTES_BILLED", config->max_bytes_billed, err);
}

static bool check_daily_bill(const struct config *config, struct error *err)
{
    return check_least_bill(config, "BQ_MAX_BYTES_BILLED_PER_DAY", config->max_bytes_a_day, err);
}

static bool check_token(const struct config *config, struct error *err)
{
    return config->admin_listen == NULL || config->admin_token != NULL ||
           config_value_is_loopback(config->admin_listen) ||
           error_set(
               err, ERROR_CONFIG,
               "BQ_ADMIN_TOKEN is not set, but BQ_ADMIN_LISTEN=%s is not a loopback address: set a "
               "token, or listen on 127.0.0.1",
               config->admin_listen);
}

/* What settings have to do with each other. */
static void check_together(const struct config *config, struct mistakes *mistakes)
{
    static bool (*const checks[])(const struct config *, struct error *) = {
        check_token, check_immutable, check_state, check_bill, check_daily_bill};

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct error err;
        if (!checks[i](config, &err))
            note_mistake(mistakes, &err);
    }
}

static bool settle(struct config *config, struct error *err)
{
    if (config->state_path == NULL && config->sqlite_path != NULL) {
        config->state_path = strdup(config->sqlite_path);
        if (config->state_path == NULL)
            return error_set(err, ERROR_MEMORY, "BQ_STATE_PATH: out of memory");
    }
    config->state_is_source =
        config->sqlite_path != NULL && same_file(config->state_path, config->sqlite_path);
    return true;
}

bool config_load(
    const char *env_file, const struct config_flag *flags, size_t flag_count,
    struct config *out_config, struct error *err)
{
    // No budget in the table: which one counts depends on the command.
    struct config config = {.retry_budget_ms = -1};
    struct config_env file = {0};
    const char *path = env_file != NULL ? env_file : CONFIG_ENV_FILE;
    struct mistakes mistakes = {0};
    bool ok = false;

    for (size_t i = 0; i < flag_count; i++)
        if (find_option(flags[i].variable) == NULL)
            return error_set(err, ERROR_USAGE, "unknown setting %s", flags[i].variable);
    if (!config_env_read(path, env_file == NULL, &file, err))
        goto cleanup;

    config.has_env_file = file.exists;
    struct layers layers = {.flags = flags, .flag_count = flag_count, .file = &file, .path = path};
    // A misspelt name may be why another setting is wrong or missing.
    warn_of_unknown(&file, path);
    set_options(&config, &layers, &mistakes);
    // What a wrong value would have been is not known, so nothing is said of what depends on it.
    if (mistakes.count == 0)
        check_together(&config, &mistakes);
    if (!report_mistakes(&mistakes, err) || !settle(&config, err))
        goto cleanup;
    *out_config = config;
    out_config->others = file;
    config = (struct config){0};
    file = (struct config_env){0};
    ok = true;

cleanup:
    config_env_clear(&file);
    config_clear(&config);
    return ok;
}

bool config_export(struct config *config, struct error *err)
{
    const struct config_env *file = &config->others;
    bool ok = true;

    for (size_t i = 0; i < file->count && ok; i++) {
        const struct config_entry *entry = &file->entries[i];
        // The last of several lines counts, as it does for our own settings.
        if (find_option(entry->name) != NULL || config_env_find(file, entry->name) != entry)
            continue;
        if (setenv(entry->name, entry->value, 0) != 0)
            ok = error_set(err, ERROR_MEMORY, "%s: out of memory", entry->name);
    }
    config_env_clear(&config->others);
    return ok;
}

bool config_same(
    const struct config *one, const struct config *other, const struct config_option *option)
{
    const char *a = (const char *)one + option->offset;
    const char *b = (const char *)other + option->offset;

    if (!config_value_is_text(option->type))
        return memcmp(a, b, config_value_size(option->type)) == 0;
    const char *text = *(char *const *)(const void *)a;
    const char *other_text = *(char *const *)(const void *)b;
    return strcmp(text == NULL ? "" : text, other_text == NULL ? "" : other_text) == 0;
}

void config_clear(struct config *config)
{
    size_t count;
    const struct config_option *options = config_options(&count);

    config_env_clear(&config->others);
    for (size_t i = 0; i < count; i++) {
        if (!config_value_is_text(options[i].type))
            continue;
        char **field = (char **)(void *)((char *)config + options[i].offset);
        if (*field != NULL && config_value_is_secret(options[i].type))
            explicit_bzero(*field, strlen(*field));
        free(*field);
        *field = NULL;
    }
}

bool config_require(const struct config *config, bool warehouse, bool source, struct error *err)
{
    const struct {
        const char *variable;
        bool missing;
    } needed[] = {
        {"BQ_PROJECT_NAME", warehouse && config->project == NULL},
        {"BQ_DATASET_NAME", warehouse && config->dataset == NULL},
        {"BQ_SQLITE_PATH", source && config->sqlite_path == NULL},
    };
    char names[256] = "";
    char flags[256] = "";
    size_t missing = 0;

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!needed[i].missing)
            continue;
        size_t used = strlen(names);
        size_t flags_used = strlen(flags);
        snprintf(
            names + used, sizeof names - used, "%s%s", missing > 0 ? ", " : "", needed[i].variable);
        snprintf(
            flags + flags_used, sizeof flags - flags_used, "%s--%s", missing > 0 ? " " : "",
            find_option(needed[i].variable)->flag);
        missing++;
    }
    return missing == 0 ||
           error_set(
               err, ERROR_CONFIG, "%s %s not set: set %s in the environment or in .env, or give %s",
               names, missing == 1 ? "is" : "are", missing == 1 ? "it" : "them", flags);
}
