#include "cli/help.h"

#include "base/config.h"

#include <ctype.h>
#include <string.h>

#define WIDTH 100

static const struct help_status statuses[] = {
    {0, "success"},
    {1, "a table failed, a check failed, or verify found differences"},
    {2, "the command line is wrong"},
    {3, "a setting or a definition is wrong"},
    {4, "credentials were refused, or a permission is missing"},
    {5, "BigQuery cannot be reached"},
    {6, "the source database cannot be used"},
    {7, "another bqsync holds the lock"},
};

const struct help_status *help_statuses(size_t *out_count)
{
    *out_count = sizeof statuses / sizeof statuses[0];
    return statuses;
}

/* A name that does not fit its column has a line of its own. */
static void print_term(FILE *out, int width, const char *term, const char *meaning)
{
    if ((int)strlen(term) > width)
        fprintf(out, "  %s\n  %*s  %s\n", term, width, "", meaning);
    else
        fprintf(out, "  %-*s  %s\n", width, term, meaning);
}

void help_print_commands(FILE *out)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    fprintf(out, "bqsync %s: an exact mirror of SQLite tables in BigQuery\n\n", BQSYNC_VERSION);
    fprintf(out, "Usage: bqsync COMMAND [options] [TABLE...]\n\nCommands:\n");
    for (size_t i = 0; i < count; i++)
        print_term(out, 8, all[i].name, all[i].summary);
    fprintf(out, "\nExit status:\n");
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        fprintf(out, "  %d  %s\n", statuses[i].status, statuses[i].meaning);
    fprintf(
        out,
        "\n`bqsync help COMMAND` shows the options and examples of one command, "
        "`bqsync help settings` all\nsettings, for example BQ_SQLITE_PATH or --sqlite-path.\n");
}

/* Breaks lines at blanks; returns the column behind the text. */
static size_t print_wrapped(const char *text, size_t column)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (column > 0 && column + 1 + length > WIDTH) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)printf("%s%.*s", column > 0 ? " " : "", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
    return column;
}

void help_print_description(const struct command *command)
{
    char summary[128];

    snprintf(summary, sizeof summary, "%s.", command->summary);
    summary[0] = (char)toupper((unsigned char)summary[0]);
    print_wrapped(command->detail, print_wrapped(summary, 0));
    putchar('\n');
}

static void print_switches(const struct command *command)
{
    size_t count = 0;
    const struct args_switch_help *switches = args_switches(&count);

    printf("\nOptions:\n");
    for (size_t i = 0; i < count; i++) {
        char term[64];
        if ((command->switches & (unsigned)switches[i].bit) == 0)
            continue;
        snprintf(
            term, sizeof term, "--%s%s", switches[i].name,
            switches[i].choices != NULL ? " FORMAT" : "");
        print_term(stdout, 17, term, switches[i].help);
    }
    print_term(stdout, 17, "--env-file FILE", "read settings from FILE instead of .env");
    print_term(stdout, 17, "--help", "show this text");
}

static void print_examples(const struct command *command)
{
    printf("\nExamples:\n");
    for (size_t i = 0; i < COMMAND_EXAMPLES_MAX && command->examples[i].line != NULL; i++)
        print_term(stdout, 30, command->examples[i].line, command->examples[i].effect);
}

static void print_setting_names(void)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);
    size_t column = WIDTH;

    printf("\nSettings (see bqsync help settings):");
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(options[i].flag) + 3;
        if (column + length > WIDTH) {
            printf("\n ");
            column = 1;
        }
        column += (size_t)printf(" --%s", options[i].flag);
    }
    printf("\n");
}

void help_print_command(const struct command *command)
{
    printf("Usage: bqsync %s%s", command->name, command->needs_no_settings ? "" : " [options]");
    printf("%s%s\n\n", command->arguments[0] != '\0' ? " " : "", command->arguments);
    help_print_description(command);
    if (!command->needs_no_settings)
        print_switches(command);
    print_examples(command);
    if (!command->needs_no_settings)
        print_setting_names();
}

static void print_settings(void)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);

    printf(
        "A flag overrides the environment, which overrides .env, which overrides the default.\n");
    for (size_t i = 0; i < count; i++) {
        printf("\n%s, --%s %s", options[i].variable, options[i].flag, options[i].placeholder);
        if (options[i].fallback != NULL)
            printf(" (default %s)", options[i].fallback);
        printf("\n    %s\n", options[i].help);
    }
}

int command_help(struct invocation *in)
{
    struct error err;

    if (in->args->word_count == 0) {
        help_print_commands(stdout);
        return 0;
    }
    const char *topic = in->args->words[0];
    if (in->args->word_count > 1) {
        error_set(&err, ERROR_USAGE, "bqsync help takes one command, or settings");
        return command_fail(in, &err);
    }
    if (strcmp(topic, "settings") == 0) {
        print_settings();
        return 0;
    }
    const struct command *command = command_find(topic, &err);
    if (command == NULL)
        return command_fail(in, &err);
    help_print_command(command);
    return 0;
}
