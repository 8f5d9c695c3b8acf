/* args: the command line, parsed. `bqsync COMMAND [options] [TABLE...]`; every setting of the
 * option table is also a flag (--sqlite-path FILE or --sqlite-path=FILE). Pure: reads argv, touches
 * nothing. */
#ifndef BQSYNC_CLI_ARGS_H
#define BQSYNC_CLI_ARGS_H

#include "base/config.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define ARGS_FLAGS_MAX 64

/* Switches that only some commands take; a command lists its own. */
enum args_switch {
    ARGS_JSON = 1 << 0,
    ARGS_QUIET = 1 << 1,
    ARGS_FULL = 1 << 2,
    ARGS_DRY_RUN = 1 << 3,
    ARGS_REPAIR = 1 << 4,
    ARGS_FORMAT = 1 << 5, /* takes a value */
};

struct args {
    const char *command; /* NULL: none given */
    bool help;
    const char *help_format; /* of --help=man and its like, NULL for the ordinary help */
    bool version;
    unsigned switches;  /* those given */
    const char *format; /* of --format, NULL if not given */
    const char *env_file;
    struct config_flag flags[ARGS_FLAGS_MAX];
    size_t flag_count;
    const char *const *words; /* what follows the command and is no option */
    size_t word_count;
};

/* Parses; argv's array is reordered so that words stand together. Everything is borrowed from argv.
 * ERROR_USAGE names the option and, when one is near, what was probably meant. */
MUST_CHECK bool args_parse(int argc, char **argv, struct args *out_args, struct error *err);

/* One switch as --help shows it. */
struct args_switch_help {
    enum args_switch bit;
    const char *name; /* without dashes */
    const char *help;
};
const struct args_switch_help *args_switches(size_t *out_count);

#endif
