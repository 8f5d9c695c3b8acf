#include "cli/args.h"

#include <string.h>

static const struct args_switch_help switches[] = {
    {ARGS_JSON, "json", "print exactly one JSON document on stdout", NULL},
    {ARGS_QUIET, "quiet", "print neither progress nor result", NULL},
    {ARGS_VERBOSE, "verbose", "on a terminal: log lines instead of progress; also -v", NULL},
    {ARGS_FULL, "full", "replace the whole content of the tables", NULL},
    {ARGS_DRY_RUN, "dry-run", "read and encode everything, but write nothing", NULL},
    {ARGS_REPAIR, "repair", "sync the keys that differ, then verify again", NULL},
    {ARGS_WHY, "why", "show what failed last, what fails now, and rejected rows by reason", NULL},
    {ARGS_FORMAT, "format", "sql, json or merge", "sql json merge"},
};

const struct args_switch_help *args_switches(size_t *out_count)
{
    *out_count = sizeof switches / sizeof switches[0];
    return switches;
}

/* The known option that is most similar to a mistyped one. */
static const char *suggest(const char *name)
{
    const char *names[ARGS_FLAGS_MAX + 16];
    size_t count = 0;
    size_t options = 0;
    const struct config_option *option = config_options(&options);

    for (size_t i = 0; i < options && count < ARGS_FLAGS_MAX; i++)
        names[count++] = option[i].flag;
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        names[count++] = switches[i].name;
    names[count++] = "env-file";
    names[count++] = "help";
    names[count++] = "version";
    names[count] = NULL;
    return config_nearest(name, names);
}

/* One --name or --name=value; `at` is advanced if the value is the next word. */
struct option_word {
    char name[64];
    const char *inline_value; /* after '=', NULL if there is none */
    int argc;
    char **argv;
    int *at;
};

static bool take_value(struct option_word *word, const char **out_value, struct error *err)
{
    if (word->inline_value != NULL) {
        *out_value = word->inline_value;
        return true;
    }
    if (*word->at + 1 >= word->argc)
        return error_set(err, ERROR_USAGE, "--%s needs a value", word->name);
    *out_value = word->argv[++*word->at];
    return true;
}

static bool parse_switch(
    struct option_word *word, struct args *args, bool *out_known, struct error *err)
{
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (strcmp(switches[i].name, word->name) != 0)
            continue;
        *out_known = true;
        args->switches |= (unsigned)switches[i].bit;
        if (switches[i].choices != NULL)
            return take_value(word, &args->format, err);
        if (word->inline_value != NULL)
            return error_set(err, ERROR_USAGE, "--%s takes no value", word->name);
        return true;
    }
    *out_known = false;
    return true;
}

static bool parse_setting(
    struct option_word *word, struct args *args, bool *out_known, struct error *err)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].flag, word->name) != 0)
            continue;
        *out_known = true;
        if (args->flag_count == ARGS_FLAGS_MAX)
            return error_set(err, ERROR_USAGE, "too many options");
        struct config_flag *flag = &args->flags[args->flag_count++];
        flag->variable = options[i].variable;
        return take_value(word, &flag->value, err);
    }
    *out_known = false;
    return true;
}

static bool parse_option(struct option_word *word, struct args *args, struct error *err)
{
    bool known = false;

    if (strcmp(word->name, "help") == 0) {
        args->help = true;
        args->help_format = word->inline_value;
        return true;
    }
    if (strcmp(word->name, "version") == 0) {
        args->version = true;
        return true;
    }
    if (strcmp(word->name, "env-file") == 0)
        return take_value(word, &args->env_file, err) &&
               (args->env_file[0] != '\0' ||
                error_set(err, ERROR_USAGE, "--env-file names no file: its value is empty"));
    if (!parse_switch(word, args, &known, err))
        return false;
    if (!known && !parse_setting(word, args, &known, err))
        return false;
    if (known)
        return true;

    const char *nearest = suggest(word->name);
    if (nearest != NULL)
        return error_set(
            err, ERROR_USAGE, "unknown option --%s (did you mean --%s?)", word->name, nearest);
    return error_set(err, ERROR_USAGE, "unknown option --%s", word->name);
}

static void split(const char *text, struct option_word *word)
{
    const char *equals = strchr(text, '=');
    size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);

    if (length >= sizeof word->name)
        length = sizeof word->name - 1;
    memcpy(word->name, text, length);
    word->name[length] = '\0';
    word->inline_value = equals == NULL ? NULL : equals + 1;
}

static bool parse(int argc, char **argv, struct args *out_args, struct error *err)
{
    size_t words = 0;
    bool only_words = false;

    *out_args = (struct args){0};
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strcmp(argv[i], "-h") == 0) {
            out_args->help = true;
        } else if (!only_words && strcmp(argv[i], "-v") == 0) {
            out_args->switches |= ARGS_VERBOSE;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            struct option_word word = {.argc = argc, .argv = argv, .at = &i};
            split(argv[i] + 2, &word);
            if (!parse_option(&word, out_args, err))
                return false;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            return error_set(
                err, ERROR_USAGE,
                "unknown option %s (-- in front of a name or key that begins with a dash)",
                argv[i]);
        } else if (out_args->command == NULL) {
            out_args->command = argv[i];
        } else {
            argv[1 + words++] = argv[i]; // i is ahead of every word moved so far
        }
    }
    out_args->words = (const char *const *)(argv + 1);
    out_args->word_count = words;
    return true;
}

static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

bool args_parse(int argc, char **argv, struct args *out_args, struct error *err)
{
    if (parse(argc, argv, out_args, err))
        return true;
    // Whether a wrong option stands before --json or behind must not matter.
    if (wants_json(argc, argv))
        out_args->switches |= ARGS_JSON;
    return false;
}
