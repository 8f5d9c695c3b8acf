#include "base/config_env.h"

#include "base/buffer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
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

static bool read_file(FILE *file, const char *path, struct buffer *out_text, struct error *err)
{
    char *room;
    size_t length;

    // Unbuffered, and into the buffer itself: other copies of what may be secret would stay.
    setvbuf(file, NULL, _IONBF, 0);
    while ((room = buffer_reserve(out_text, CHUNK)) != NULL &&
           (length = fread(room, 1, CHUNK, file)) > 0) {
        if (memchr(room, '\0', length) != NULL)
            return error_set(err, ERROR_CONFIG, "%s: is not a text file", path);
        out_text->length += length;
    }
    if (ferror(file))
        return error_set(
            err, error_code_of_errno(errno, ERROR_CONFIG), "%s: %s%s", path, strerror(errno),
            error_limit_advice(errno));
    if (out_text->failure == BUFFER_LIMIT)
        return error_set(err, ERROR_CONFIG, "%s: is larger than 1 MiB", path);
    return buffer_check(out_text, path, err);
}

bool config_env_read(
    const char *path, bool may_be_missing, struct config_env *out_env, struct error *err)
{
    struct config_env env = {0};
    struct buffer text;
    bool ok = false;

    FILE *file = fopen(path, "re");
    if (file == NULL) {
        if (errno != ENOENT || !may_be_missing)
            return error_set(
                err, error_code_of_errno(errno, ERROR_CONFIG), "%s: %s%s", path, strerror(errno),
                error_limit_advice(errno));
        *out_env = env;
        return true;
    }

    // Room for the read that finds the end, and for the terminator that read_lines needs.
    buffer_init_secret(&text, FILE_CEILING + CHUNK);
    if (!read_file(file, path, &text, err))
        goto cleanup;
    buffer_append_byte(&text, '\0');
    if (!buffer_check(&text, path, err) || !read_lines(path, text.data, &env, err))
        goto cleanup;
    *out_env = env;
    out_env->exists = true;
    env = (struct config_env){0};
    ok = true;

cleanup:
    fclose(file);
    config_env_clear(&env);
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
