/* bqlocal: a local stand-in for the BigQuery v2 REST API. Options, start and stop; nothing else. */
#include "bqlocal/jobs/avro_file.h"
#include "bqlocal/server/local_server.h"

#include "base/config.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "bqlocal: a local stand-in for the BigQuery v2 REST API\n"
    "\n"
    "usage: bqlocal [options]\n"
    "\n"
    "  --listen HOST:PORT   where to listen; port 0 picks a free one (127.0.0.1:9050)\n"
    "  --port-file FILE     write the port's number there once it listens\n"
    "  --data FILE          keep everything in this SQLite file (one that vanishes)\n"
    "  --project P          the project id to answer with (local)\n"
    "  --dataset D          make this dataset at start; may be given several times\n"
    "  --location L         where datasets are unless they say so (US)\n"
    "  --job-latency TIME   how long jobs take: 150ms, 2s (0)\n"
    "  --load-modes MODE    strict: a load into REQUIRED columns needs the job's schema; lenient: "
    "the\n"
    "                       file's own modes suffice (strict)\n"
    "  --json-numbers MODE  what a load does with a number that JSON cannot hold exactly: round "
    "or\n"
    "                       refuse (round)\n"
    "  --avro-codecs LIST   the codecs that loads of Avro read: null, deflate, zstandard (all)\n"
    "  --discard            accept loads, count their rows and forget them\n"
    "  --faults FILE        start with the fault rules in this JSON file\n"
    "  --strict FILE        ask for credentials as this JSON file says\n"
    "  --help               this text\n"
    "  --version            the version\n"
    "\n"
    "It prints one line, its URL, when it is ready, and ends on SIGTERM or SIGINT.\n";

static const struct option long_options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"port-file", required_argument, NULL, 'f'},
    {"data", required_argument, NULL, 'd'},
    {"project", required_argument, NULL, 'p'},
    {"dataset", required_argument, NULL, 's'},
    {"location", required_argument, NULL, 'o'},
    {"job-latency", required_argument, NULL, 'j'},
    {"load-modes", required_argument, NULL, 'm'},
    {"json-numbers", required_argument, NULL, 'n'},
    {"avro-codecs", required_argument, NULL, 'c'},
    {"discard", no_argument, NULL, 'x'},
    {"faults", required_argument, NULL, 'u'},
    {"strict", required_argument, NULL, 't'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

/* "150ms", "2s", "1m"; a bare 0 too. */
static bool parse_duration(const char *text, int64_t *out_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    char *end;
    long long number = strtoll(text, &end, 10);

    if (end == text || number < 0 || number > 1000000)
        return false;
    if (number == 0 && *end == '\0') {
        *out_ms = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].unit) == 0) {
            *out_ms = number * units[i].ms;
            return true;
        }
    return false;
}

/* One of two words. */
static bool parse_choice(
    const char *option, const char *value, const char *off, const char *on, bool *out_on,
    struct error *err)
{
    *out_on = strcmp(value, on) == 0;
    return *out_on || strcmp(value, off) == 0 ||
           error_set(err, ERROR_USAGE, "%s %s: expected %s or %s", option, value, off, on);
}

static bool add_dataset(struct server_options *options, const char *dataset)
{
    const char **grown = realloc(options->datasets, (options->dataset_count + 1) * sizeof *grown);

    if (grown == NULL)
        return false;
    options->datasets = grown;
    options->datasets[options->dataset_count++] = dataset;
    return true;
}

static bool set_option(
    struct server_options *options, int letter, const char *value, struct error *err)
{
    switch (letter) {
    case 'l':
        options->listen = value;
        return true;
    case 'f':
        options->port_file = value;
        return true;
    case 'd':
        options->data = value;
        return true;
    case 'p':
        options->project = value;
        return true;
    case 's':
        return add_dataset(options, value) || error_set(err, ERROR_MEMORY, "out of memory");
    case 'o':
        options->location = value;
        return true;
    case 'j':
        return parse_duration(value, &options->job_latency_ms) ||
               error_set(
                   err, ERROR_USAGE, "--job-latency %s: expected a time like 150ms or 2s", value);
    case 'm':
        return parse_choice(
            "--load-modes", value, "strict", "lenient", &options->lenient_modes, err);
    case 'n':
        return parse_choice(
            "--json-numbers", value, "round", "refuse", &options->refuse_json_numbers, err);
    case 'c':
        return avro_codecs_parse(value, &options->avro_codecs) ||
               error_set(
                   err, ERROR_USAGE,
                   "--avro-codecs %s: expected some of null, deflate and zstandard with commas in "
                   "between",
                   value);
    case 'x':
        options->discard = true;
        return true;
    case 'u':
        options->faults = value;
        return true;
    case 't':
        options->strict = value;
        return true;
    default:
        return error_set(err, ERROR_USAGE, "see bqlocal --help");
    }
}

/* Whether an argument is an option by its whole name; getopt_long takes beginnings of names too. An
 * argument that is no option ends the options. */
static bool check_name(const char *argument, struct error *err)
{
    const char *names[sizeof long_options / sizeof long_options[0]];
    char name[64];
    size_t count = 0;

    if (strncmp(argument, "--", 2) != 0)
        return error_set(err, ERROR_USAGE, "unexpected argument %s", argument);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    for (; long_options[count].name != NULL; count++) {
        names[count] = long_options[count].name;
        if (strcmp(name, names[count]) == 0)
            return true;
    }
    names[count] = NULL;
    const char *nearest = config_nearest(name, names);
    if (nearest == NULL)
        return error_set(err, ERROR_USAGE, "unknown option --%s: see bqlocal --help", name);
    return error_set(err, ERROR_USAGE, "unknown option --%s (did you mean --%s?)", name, nearest);
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct server_options *options, struct error *err)
{
    while (optind < argc) {
        if (!check_name(argv[optind], err))
            return 2;
        int letter = getopt_long(argc, argv, "", long_options, NULL);
        if (letter == 'h' || letter == 'v') {
            fputs(letter == 'h' ? help : "bqlocal " BQSYNC_VERSION "\n", stdout);
            return 0;
        }
        if (!set_option(options, letter, optarg, err))
            return 2;
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct server *server = NULL;
    struct server_options options = {
        .listen = "127.0.0.1:9050",
        .project = "local",
        .location = "US",
        .avro_codecs = AVRO_CODECS_ALL};
    struct error err = {0};
    sigset_t ending;
    int number;

    int status = parse_options(argc, argv, &options, &err);
    if (status >= 0)
        goto cleanup;

    // Blocked before any thread exists, so that only sigwait sees them.
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!server_start(&options, &server, &err)) {
        status = error_exit_status(err.code);
        goto cleanup;
    }
    puts(server_url(server));
    fflush(stdout);
    sigwait(&ending, &number);
    server_stop(server);
    status = 0;

cleanup:
    if (status != 0)
        fprintf(stderr, "bqlocal: %s\n", err.message);
    free(options.datasets);
    return status;
}
