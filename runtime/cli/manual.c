#include "cli/manual.h"

#include "base/config.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

/* Of a line in the list of contents of docs/commands.md. */
#define MARKDOWN_COLUMNS 100

/* --- the man page ------------------------------------------------------------------------ */

/* Text in roff: hyphens as typed in a shell, and no line that looks like a request. */
static void roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
    }
}

static void man_commands(void)
{
    size_t count = 0;
    size_t switch_count = 0;
    const struct command *all = commands(&count);
    const struct args_switch_help *switches = args_switches(&switch_count);

    puts(".SH COMMANDS");
    for (size_t i = 0; i < count; i++) {
        printf(".TP\n.B %s ", all[i].name);
        roff(all[i].arguments);
        puts("");
        roff(all[i].summary);
        puts(".");
        if (all[i].detail[0] != '\0') {
            roff(all[i].detail);
            puts("");
        }
        for (size_t j = 0; j < switch_count; j++) {
            if ((all[i].switches & (unsigned)switches[j].bit) == 0)
                continue;
            printf(".RS\n.TP\n.B \\-\\-");
            roff(switches[j].name);
            puts("");
            roff(switches[j].help);
            puts("\n.RE");
        }
    }
}

static void man_examples(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    puts(".SH EXAMPLES");
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < COMMAND_EXAMPLES_MAX && all[i].examples[j].line != NULL; j++) {
            puts(".TP\n.B");
            roff(all[i].examples[j].line);
            puts("");
            roff(all[i].examples[j].effect);
            puts("");
        }
    }
}

static void man_statuses(void)
{
    size_t count = 0;
    const struct help_status *all = help_statuses(&count);

    puts(".SH EXIT STATUS");
    for (size_t i = 0; i < count; i++)
        printf(".TP\n.B %d\n%s\n", all[i].status, all[i].meaning);
}

static void man_settings(void)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);

    puts(".SH SETTINGS\nA flag overrides the environment, which overrides the\n.I .env\nfile, "
         "which overrides the default.");
    for (size_t i = 0; i < count; i++) {
        printf(".TP\n.BR \\-\\-");
        roff(options[i].flag);
        printf(" \" \\fI%s\\fR, \" %s\n", options[i].placeholder, options[i].variable);
        roff(options[i].help);
        if (options[i].fallback != NULL) {
            fputs(" (default ", stdout);
            roff(options[i].fallback);
            putchar(')');
        }
        puts("");
    }
    puts(".TP\n.BI \\-\\-env\\-file \" FILE\"\nread settings from FILE instead of .env");
}

static void print_man(void)
{
    printf(".TH BQSYNC 1 \"\" \"bqsync %s\"\n", BQSYNC_VERSION);
    puts(".SH NAME\nbqsync \\- an exact mirror of SQLite tables in BigQuery");
    puts(".SH SYNOPSIS\n.B bqsync\n.I COMMAND\n[options] [TABLE...]");
    man_commands();
    man_settings();
    man_examples();
    man_statuses();
}

/* --- docs/commands.md --------------------------------------------------------------------- */

static void markdown_command(const struct command *command)
{
    size_t count = 0;
    const struct args_switch_help *switches = args_switches(&count);

    printf(
        "\n## %s\n\n```\nbqsync %s%s", command->name, command->name,
        command->arguments[0] != '\0' ? " " : "");
    printf("%s\n```\n\n", command->arguments);
    help_print_description(command);
    if (command->switches != 0)
        printf("\n| option | meaning |\n| --- | --- |\n");
    for (size_t i = 0; i < count; i++)
        if ((command->switches & (unsigned)switches[i].bit) != 0)
            printf("| `--%s` | %s |\n", switches[i].name, switches[i].help);
    printf("\n| example | what it does |\n| --- | --- |\n");
    for (size_t i = 0; i < COMMAND_EXAMPLES_MAX && command->examples[i].line != NULL; i++)
        printf("| `%s` | %s |\n", command->examples[i].line, command->examples[i].effect);
}

/* Links to all headings: the page is longer than two screens. */
static void markdown_contents(const struct command *all, size_t count)
{
    size_t column = (size_t)printf("\nContents:");

    for (size_t i = 0; i < count; i++) {
        size_t width = 2 * strlen(all[i].name) + strlen(" [](#) ·");
        if (column + width > MARKDOWN_COLUMNS) {
            puts("");
            column = 0;
        }
        printf("%s[%s](#%s) ·", column == 0 ? "" : " ", all[i].name, all[i].name);
        column += width;
    }
    puts(" [exit status](#exit-status)");
}

static void print_markdown(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    puts("<!-- printed by `bqsync --help=markdown`; a test compares -->\n# Commands\n\n"
         "`bqsync COMMAND [options] [TABLE...]`: no table means all. Results go to stdout, the log "
         "to stderr. Each setting is\nalso an option of every command: "
         "[configuration](configuration.md).");
    size_t status_count = 0;
    const struct help_status *statuses = help_statuses(&status_count);
    markdown_contents(all, count);
    for (size_t i = 0; i < count; i++)
        markdown_command(&all[i]);
    puts("\n## Exit status\n\n| status | meaning |\n| --- | --- |");
    for (size_t i = 0; i < status_count; i++)
        printf("| %d | %s |\n", statuses[i].status, statuses[i].meaning);
}

bool manual_print(const char *format)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } formats[] = {
        {"man", print_man},
        {"markdown", print_markdown},
        {"bash", completion_print_bash},
        {"zsh", completion_print_zsh},
        {"fish", completion_print_fish}};

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, format) == 0) {
            formats[i].print();
            return true;
        }
    }
    return false;
}
