#include "cli/completion.h"

#include "base/config.h"
#include "cli/commands.h"

#include <stdio.h>

/* Prints the names of the tables that the program on the PATH has. */
#define TABLES "bqsync tables 2>/dev/null | awk 'NR > 1 { print $1 }'"

static void print_command_names(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    for (size_t i = 0; i < count; i++)
        printf("%s%s", i > 0 ? " " : "", all[i].name);
}

/* What may stand behind a command as its first word, "" if tables. */
static void print_choices(const struct command *command)
{
    if (command->run == command_help) {
        print_command_names();
        printf(" settings");
    } else if (command->choices != NULL) {
        printf("%s", command->choices);
    }
}

static bool has_choices(const struct command *command)
{
    return command->words == WORDS_OWN;
}

void completion_print_bash(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    printf("# bash completion of bqsync\n_bqsync()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words\n"
           "    local options='--help --version --env-file");
    size_t option_count = 0;
    const struct config_option *options = config_options(&option_count);
    for (size_t i = 0; i < option_count; i++)
        printf(" --%s", options[i].flag);
    size_t switch_count = 0;
    const struct args_switch_help *switches = args_switches(&switch_count);
    for (size_t i = 0; i < switch_count; i++)
        printf(" --%s", switches[i].name);
    printf("'\n    if [[ $word == -* ]]; then\n        words=$options\n"
           "    elif [[ $COMP_CWORD -eq 1 ]]; then\n        words='");
    print_command_names();
    printf("'\n    else\n        case $before in\n");
    for (size_t i = 0; i < count; i++) {
        if (!has_choices(&all[i]))
            continue;
        printf("        %s) words='", all[i].name);
        print_choices(&all[i]);
        printf("' ;;\n");
    }
    for (size_t i = 0; i < switch_count; i++)
        if (switches[i].choices != NULL)
            printf("        --%s) words='%s' ;;\n", switches[i].name, switches[i].choices);
    printf("        *) words=$(" TABLES ") ;;\n        esac\n    fi\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
           "complete -o default -F _bqsync bqsync\n");
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

static void zsh_choices(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    printf("    case $words[CURRENT-1] in\n");
    for (size_t i = 0; i < count; i++) {
        if (!has_choices(&all[i]))
            continue;
        printf("    %s) compadd ", all[i].name);
        print_choices(&all[i]);
        printf(" ;;\n");
    }
    const struct args_switch_help *switches = args_switches(&count);
    for (size_t i = 0; i < count; i++)
        if (switches[i].choices != NULL)
            printf("    --%s) compadd %s ;;\n", switches[i].name, switches[i].choices);
    printf("    *) compadd ${(f)\"$(" TABLES ")\"} ;;\n    esac\n");
}

void completion_print_zsh(void)
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
         "else");
    zsh_choices();
    puts("fi");
}

void completion_print_fish(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    puts("# fish completion of bqsync");
    for (size_t i = 0; i < count; i++) {
        printf("complete -c bqsync -f -n __fish_use_subcommand -a %s -d ", all[i].name);
        quoted(all[i].summary);
        puts("");
    }
    for (size_t i = 0; i < count; i++) {
        if (!has_choices(&all[i]))
            continue;
        printf("complete -c bqsync -f -n '__fish_seen_subcommand_from %s' -a '", all[i].name);
        print_choices(&all[i]);
        puts("'");
    }
    const struct config_option *options = config_options(&count);
    for (size_t i = 0; i < count; i++) {
        printf("complete -c bqsync -r -l %s -d ", options[i].flag);
        quoted(options[i].help);
        puts("");
    }
    const struct args_switch_help *switches = args_switches(&count);
    for (size_t i = 0; i < count; i++) {
        printf("complete -c bqsync -l %s ", switches[i].name);
        if (switches[i].choices != NULL)
            printf("-x -a '%s' ", switches[i].choices);
        printf("-d ");
        quoted(switches[i].help);
        puts("");
    }
    puts("complete -c bqsync -n 'not __fish_use_subcommand' -f -a "
         "\"(bqsync tables 2>/dev/null | awk 'NR > 1 { print \\$1 }')\"");
}
