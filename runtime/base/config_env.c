#include "base/config_env.h"

#include "base/buffer.h"
#include "base/small_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_CEILING (1024 * 1024)
#define CHUNK        4096

struct place {
    const char *path;
    int line;
};

static bool malformed(const struct place *place, struct error *err, const char *problem)
{
    return error_set(err, ERROR_CONFIG, "%s:%d: %s", place->path, place->line, problem);
}

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static char escaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '"':
    case '\\':
    case '$':
        return c;
    default:
        return '\0';
    }
}

/* The value in quotes that starts at `at`; moves at behind the closing quote. */
static bool read_quoted(
    const struct place *place, const char **at, struct buffer *out_value, struct error *err)
{
    char quote = *(*at)++;

    for (; **at != quote; (*at)++) {
        char c = **at;
        if (c == '\0')
            return malformed(place, err, "a quoted value does not end on its line");
        if (quote == '"' && c == '\\') {
            c = escaped(*++*at);
            if (c == '\0')
                return malformed(
                    place, err,
                    "unknown escape in a value; write \\n, \\r, \\t, \\\", \\$ or \\\\");
        }
        buffer_append_byte(out_value, (uint8_t)c);
    }
    (*at)++;
    return true;
}

/* A bare value ends before a # that follows a blank, and loses the blanks at its end. */
static void read_bare(const char **at, struct buffer *out_value)
{
    const char *start = *at;
    const char *end = start;

    for (; **at != '\0'; (*at)++) {
        if (**at == '#' && (*at == start || (*at)[-1] == ' ' || (*at)[-1] == '\t'))
            break;
        if (**at != ' ' && **at != '\t')
            end = *at + 1;
    }
    buffer_append(out_value, start, (size_t)(end - start));
}

static bool add_entry(
    struct config_env *env, const struct place *place, const char *name, size_t name_length,
    struct buffer *value, struct error *err)
{
    struct config_entry *more = realloc(env->entries, (env->count + 1) * sizeof *env->entries);

    if (more == NULL)
        return error_set(err, ERROR_MEMORY, "%s: out of memory", place->path);
    env->entries = more;
    buffer_append_byte(value, '\0');
    if (!buffer_check(value, place->path, err))
        return false;
    struct config_entry entry = {
        .name = strndup(name, name_length), .value = strdup(value->data), .line = place->line};
    if (entry.name == NULL || entry.value == NULL) {
        free(entry.name);
        free(entry.value);
        return error_set(err, ERROR_MEMORY, "%s: out of memory", place->path);
    }
    env->entries[env->count++] = entry;
    return true;
}

static size_t name_length_of(const char *at)
{
    size_t length = 0;

    if (isdigit((unsigned char)*at))
        return 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length;
}

static bool read_line(
    struct config_env *env, const struct place *place, const char *line, struct buffer *value,
    struct error *err)
{
    const char *at = skip_blanks(line);

    if (*at == '\0' || *at == '#')
        return true;
    if (strncmp(at, "export", 6) == 0 && (at[6] == ' ' || at[6] == '\t'))
        at = skip_blanks(at + 6);

    const char *name = at;
    size_t name_length = name_length_of(name);
    at = skip_blanks(name + name_length);
    if (name_length == 0 || *at != '=')
        return malformed(place, err, "expected KEY=VALUE");

    at = skip_blanks(at + 1);
    buffer_reset(value);
    if (*at == '"' || *at == '\'') {
        if (!read_quoted(place, &at, value, err))
            return false;
        at = skip_blanks(at);
        if (*at != '\0' && *at != '#')
            return malformed(place, err, "unexpected text behind a quoted value");
    } else {
        read_bare(&at, value);
    }
    return add_entry(env, place, name, name_length, value, err);
}

/* Splits at line ends (LF or CR LF), in place. */
static bool read_lines(const char *path, char *text, struct config_env *env, struct error *err)
{
    struct place place = {.path = path, .line = 1};
    struct buffer value;
    bool ok = true;

    // A byte order mark, as some editors write it, belongs to no name.
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    buffer_init_secret(&value, FILE_CEILING);
    for (char *line = text; ok && line != NULL; place.line++) {
        char *end = strchr(line, '\n');
        char *next = end != NULL ? end + 1 : NULL;
        if (end != NULL) {
            if (end > line && end[-1] == '\r')
                end--;
            *end = '\0';
        }
        ok = read_line(env, &place, line, &value, err);
        line = next;
    }
    buffer_clear(&value);
    return ok;
}

static bool check_read(const char *path, int reason, struct buffer *text, struct error *err)
{
    char words[SMALL_FILE_TEXT_SIZE];

    if (reason != 0)
        return error_set(
            err, small_file_code(reason, ERROR_CONFIG), "%s: %s", path,
            small_file_text(reason, words));
    if (text->length > 0 && memchr(text->data, '\0', text->length) != NULL)
        return error_set(err, ERROR_CONFIG, "%s: is not a text file", path);
    if (text->failure == BUFFER_LIMIT)
        return error_set(err, ERROR_CONFIG, "%s: is larger than 1 MiB", path);
    // The terminator that read_lines needs.
    buffer_append_byte(text, '\0');
    return buffer_check(text, path, err);
}

bool config_env_read(
    const char *path, bool may_be_missing, struct config_env *out_env, struct error *err)
{
    struct config_env env = {0};
    struct buffer text;

    // Room for the read that finds the end.
    buffer_init_secret(&text, FILE_CEILING + CHUNK);
    int reason = small_file_read(path, &text);
    bool missing = reason == ENOENT && may_be_missing;
    bool ok =
        missing || (check_read(path, reason, &text, err) && read_lines(path, text.data, &env, err));
    if (ok) {
        *out_env = env;
        out_env->exists = !missing;
    } else {
        config_env_clear(&env);
    }
    buffer_clear(&text);
    return ok;
}

void config_env_clear(struct config_env *env)
{
    for (size_t i = 0; i < env->count; i++) {
        free(env->entries[i].name);
        explicit_bzero(env->entries[i].value, strlen(env->entries[i].value));
        free(env->entries[i].value);
    }
    free(env->entries);
    *env = (struct config_env){0};
}

const struct config_entry *config_env_find(const struct config_env *env, const char *name)
{
    for (size_t i = env->count; i-- > 0;)
        if (env->entries[i].value[0] != '\0' && strcmp(env->entries[i].name, name) == 0)
            return &env->entries[i];
    return NULL;
}
