#include "cli/help.h"

#include "base/config.h"

#include <stdio.h>

static void print_settings(void)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);

    printf("\nSettings (a flag overrides the environment, which overrides .env, which overrides "
           "the default):\n");
    for (size_t i = 0; i < count; i++) {
        char flag[80];
        snprintf(flag, sizeof flag, "--%s %s", options[i].flag, options[i].placeholder);
        printf("  %-44s %s\n", flag, options[i].help);
        printf("  %-44s   %s", "", options[i].variable);
        if (options[i].fallback != NULL)
            printf(", default %s", options[i].fallback);
        printf("\n");
    }
    printf("  %-44s %s\n", "--env-file FILE", "read settings from FILE instead of .env");
}

static void print_statuses(void)
{
    printf("\nExit status: 0 success; 1 a table failed, a check failed, or verify found "
           "differences;\n"
           "2 usage; 3 configuration or schema; 4 credentials or permission; 5 BigQuery not "
           "reachable;\n"
           "6 source database not usable; 7 another bqsync holds the lock.\n");
}

void help_print_all(void)
{
    size_t count = 0;
    const struct command *all = commands(&count);

    printf("bqsync %s: an exact mirror of SQLite tables in BigQuery\n\n", BQSYNC_VERSION);
    printf("Usage: bqsync COMMAND [options] [TABLE...]\n\nCommands:\n");
    for (size_t i = 0; i < count; i++)
        printf("  %-10s %s\n", all[i].name, all[i].summary);
    printf("\n`bqsync COMMAND --help` shows the options of one command.\n");
    print_settings();
    print_statuses();
}

void help_print_command(const struct command *command)
{
    size_t count = 0;
    const struct args_switch_help *switches = args_switches(&count);

    printf(
        "Usage: bqsync %s [options] %s\n\n%s\n\n", command->name, command->arguments,
        command->summary);
    if (command->switches != 0)
        printf("Options:\n");
    for (size_t i = 0; i < count; i++)
        if ((command->switches & (unsigned)switches[i].bit) != 0)
            printf("  --%-16s %s\n", switches[i].name, switches[i].help);
    print_settings();
    print_statuses();
}
