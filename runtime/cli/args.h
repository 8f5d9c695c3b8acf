/* args: the command line, parsed. `bqsync COMMAND [options] [TABLE...]`; every setting of the
 * option table is also a flag (--sqlite-path FILE or --sqlite-path=FILE). Only reads argv. */
#ifndef BQSYNC_CLI_ARGS_H
#define BQSYNC_CLI_ARGS_H

#include "base/config.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define ARGS_FLAGS_MAX 64

/* Switches that only some commands take; struct command lists them. */
enum args_switch {
    ARGS_JSON = 1 << 0,
    ARGS_QUIET = 1 << 1,
    ARGS_FULL = 1 << 2,
    ARGS_DRY_RUN = 1 << 3,
    ARGS_REPAIR = 1 << 4,
    ARGS_FORMAT = 1 << 5, /* takes a value */
    ARGS_VERBOSE = 1 << 6,
    ARGS_WHY = 1 << 7,
};

struct args {
    const char *command; /* NULL: none given */
    bool help;
    /* Of --help=man and its like, NULL for the ordinary help. */
    const char *help_format;
    bool version;
    unsigned switches;  /* those given */
    const char *format; /* of --format, NULL if not given */
    const char *env_file;
    struct config_flag flags[ARGS_FLAGS_MAX];
    size_t flag_count;
    const char *const *words; /* the words after the command that are not options */
    size_t word_count;
};

/* Parses; the array of argv is reordered so that the words are next to each other. Everything is
 * borrowed from argv. ERROR_USAGE names the wrong option and a similar one, if there is one; the
 * switches have ARGS_JSON then too if --json stands anywhere. */
MUST_CHECK bool args_parse(int argc, char **argv, struct args *out_args, struct error *err);

/* One switch as --help shows it. */
struct args_switch_help {
    enum args_switch bit;
    const char *name; /* without dashes */
    const char *help;
    const char *choices; /* of its value, "sql json merge"; NULL if it takes none */
};
const struct args_switch_help *args_switches(size_t *out_count);

#endif
