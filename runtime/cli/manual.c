#include "cli/manual.h"

#include "base/config.h"
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

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
        puts("");
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
    puts(".SH EXIT STATUS\n0 success; 1 a table failed, a check failed, or verify found "
         "differences; 2 usage;\n"
         "3 configuration or schema; 4 credentials or permission; 5 BigQuery not reachable;\n"
         "6 source database not usable; 7 another bqsync holds the lock.");
}

/* --- completions ------------------------------------------------------------------------- */

static void print_bash(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    puts("# bash completion of bqsync\n_bqsync()\n{\n    local word=${COMP_WORDS[COMP_CWORD]}");
    fputs("    local commands='", stdout);
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i > 0 ? " " : "", all[i].name);
    fputs("'\n    local options='--help --version --env-file", stdout);
    const struct config_option *options = config_options(&count);
    for (size_t i = 0; i < count; i++)
        printf(" --%s", options[i].flag);
    const struct args_switch_help *switches = args_switches(&count);
    for (size_t i = 0; i < count; i++)
        printf(" --%s", switches[i].name);
    puts("'\n"
         "    if [[ $word == -* ]]; then\n"
         "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "    elif [[ $COMP_CWORD -eq 1 ]]; then\n"
         "        COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
         "    else\n"
         "        COMPREPLY=($(compgen -W \"$(bqsync tables 2>/dev/null | awk 'NR > 1 { print $1 "
         "}')\" -- \"$word\"))\n"
         "    fi\n"
         "}\n"
         "complete -o default -F _bqsync bqsync");
}

/* A text in single quotes of zsh or fish, without brackets or colons that _arguments would read. */
static void quoted(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (*text == '[' || *text == ']' || *text == ':')
            putchar(' ');
        else
            putchar(*text);
    }
    putchar('\'');
}

static void print_zsh(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    puts("#compdef bqsync\nlocal -a commands options");
    puts("commands=(");
    for (size_t i = 0; i < count; i++)
        printf("    '%s:%s'\n", all[i].name, all[i].summary);
    puts(")\noptions=(");
    const struct config_option *options = config_options(&count);
    for (size_t i = 0; i < count; i++)
        printf("    '--%s:%s'\n", options[i].flag, options[i].variable);
    const struct args_switch_help *switches = args_switches(&count);
    for (size_t i = 0; i < count; i++)
        printf("    '--%s:%s'\n", switches[i].name, switches[i].help);
    puts("    '--env-file:settings' '--help:help' '--version:version'\n)");
    puts("if [[ $words[CURRENT] == -* ]]; then\n"
         "    _describe option options\n"
         "elif (( CURRENT == 2 )); then\n"
         "    _describe command commands\n"
         "else\n"
         "    compadd ${(f)\"$(bqsync tables 2>/dev/null | awk 'NR > 1 { print $1 }')\"}\n"
         "fi");
}

static void print_fish(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    puts("# fish completion of bqsync");
    for (size_t i = 0; i < count; i++) {
        printf("complete -c bqsync -f -n __fish_use_subcommand -a %s -d ", all[i].name);
        quoted(all[i].summary);
        puts("");
    }
    const struct config_option *options = config_options(&count);
    for (size_t i = 0; i < count; i++) {
        printf("complete -c bqsync -r -l %s -d ", options[i].flag);
        quoted(options[i].help);
        puts("");
    }
    const struct args_switch_help *switches = args_switches(&count);
    for (size_t i = 0; i < count; i++) {
        printf("complete -c bqsync -l %s -d ", switches[i].name);
        quoted(switches[i].help);
        puts("");
    }
    puts("complete -c bqsync -n 'not __fish_use_subcommand' -f -a "
         "\"(bqsync tables 2>/dev/null | awk 'NR > 1 { print \\$1 }')\"");
}

bool manual_print(const char *format)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } formats[] = {
        {"man", print_man}, {"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, format) == 0) {
            formats[i].print();
            return true;
        }
    }
    return false;
}
