/* main: parses the command line, finds the command and its tables, reads the configuration, sets up
 * what the command needs, runs it and returns its exit status. What a command does is in cmd_*.c.
 */
#include "base/clock.h"
#include "base/config.h"
#include "base/descriptors.h"
#include "base/json_memory.h"
#include "base/log.h"
#include "base/text_fit.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "registry.h"
#include "sync/deployment.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <malloc.h>
#include <stdio_ext.h>
#include <sys/prctl.h>
#endif

/* Enough for thousands of tables, each with its file, rejects and scan. */
#define DESCRIPTORS 65536

/* What a command has open beside its workers (tests/e2e/test_bad_cases.py tries the sum). */
#define DESCRIPTORS_OF_COMMAND 24

static void on_stop(int signal)
{
    (void)signal;
    clock_stop();
}

static void watch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop};

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    // A write beyond a limit of the size of files fails then, and says so.
    signal(SIGXFSZ, SIG_IGN);
}

/* A pass holds a few descriptors for each table that it reads, and the service one for each client.
 * The usual soft limit of 1,024 exists for programs that use select(2), which this one does not. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_debug("descriptor limit not raised", LOG_NUMBER("errno", errno));
}

static bool check_switches(
    const struct command *command, const struct args *args, struct error *err)
{
    size_t count = 0;
    const struct args_switch_help *switches = args_switches(&count);

    for (size_t i = 0; i < count; i++)
        if ((args->switches & (unsigned)switches[i].bit) != 0 &&
            (command->switches & (unsigned)switches[i].bit) == 0)
            return error_set(
                err, ERROR_USAGE, "bqsync %s takes no --%s", command->name, switches[i].name);
    return true;
}

/* That it takes no words may be forgotten: "serve users" would otherwise sync all tables. */
static bool check_words(const struct command *command, const struct args *args, struct error *err)
{
    return command->words != WORDS_NONE || args->word_count == 0 ||
           error_set(
               err, ERROR_USAGE,
               "bqsync %s takes no table (%s): it works on all that are compiled in", command->name,
               text_or_quotes(args->words[0]));
}

static const struct table *find_table(const char *name, struct error *err)
{
    const char **names = calloc(registry_count + 1, sizeof *names);
    const struct table *found = NULL;

    for (size_t i = 0; i < registry_count; i++) {
        if (strcmp(registry_tables[i]->name, name) == 0)
            found = registry_tables[i];
        if (names != NULL)
            names[i] = registry_tables[i]->name;
    }
    if (found == NULL) {
        const char *nearest = names == NULL ? NULL : config_nearest(name, names);
        if (nearest != NULL)
            error_set(err, ERROR_USAGE, "unknown table %s (did you mean %s?)", name, nearest);
        else
            error_set(
                err, ERROR_USAGE, "unknown table %s; bqsync tables lists them",
                text_or_quotes(name));
    }
    free(names);
    return found;
}

static bool names_tables(const struct command *command)
{
    return command->words == WORDS_TABLES || command->words == WORDS_TABLE_FIRST;
}

/* The tables named on the command line, each once, or all tables of the registry. Returned owned.
 */
static const struct table **resolve_tables(
    const struct command *command, const struct args *args, size_t *out_count, struct error *err)
{
    const struct table **tables = calloc(registry_count + args->word_count + 1, sizeof *tables);
    size_t count = 0;

    if (tables == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    size_t named = args->word_count;
    if (command->words == WORDS_TABLE_FIRST && named > 1)
        named = 1;
    bool all = named == 0 || !names_tables(command);
    for (size_t i = 0; i < registry_count && all; i++)
        tables[count++] = registry_tables[i];
    for (size_t i = 0; i < named && !all; i++) {
        const struct table *table = find_table(args->words[i], err);
        if (table == NULL) {
            free(tables);
            return NULL;
        }
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || tables[j] == table;
        if (!known)
            tables[count++] = table;
    }
    *out_count = count;
    return tables;
}

/* A person at a terminal reads results: of the log only what went wrong, unless more was asked for.
 */
static enum log_level level_for(
    const struct command *command, const struct args *args, const struct config *config)
{
    bool service = (command->needs & NEEDS_SERVICE_BUDGET) != 0;
    bool verbose = (args->switches & ARGS_VERBOSE) != 0;

    if (service || verbose || config->log_level != LOG_LEVEL_INFO || !isatty(STDERR_FILENO))
        return config->log_level;
    return LOG_LEVEL_WARN;
}

/* Without them libcurl cannot connect, which looks like a network that is down, and is retried. The
 * service says what it needs itself. */
static bool check_descriptors(
    const struct command *command, const struct config *config, struct error *err)
{
    size_t workers = (size_t)config->parallel;

    if ((command->needs & NEEDS_SERVICE_BUDGET) != 0)
        return true;
    if (workers > registry_count)
        workers = registry_count;
    return descriptors_check(
        command->name, DESCRIPTORS_OF_COMMAND + DESCRIPTORS_OF_WORKER * workers, registry_count,
        ERROR_SOURCE, err);
}

static bool prepare(
    const struct command *command, const struct args *args, struct config *config,
    struct deployment *deployment, struct error *err)
{
    if (command->needs_no_settings)
        return true;
    if (!config_load(args->env_file, args->flags, args->flag_count, config, err) ||
        !config_export(config, err))
        return false;
    config->log_level = level_for(command, args, config);
    log_configure(config->log_level, config->log_format);
    if (!config_require(
            config, (command->needs & NEEDS_WAREHOUSE) != 0, (command->needs & NEEDS_SOURCE) != 0,
            err))
        return false;
    if ((command->needs & NEEDS_CREDENTIALS) == 0)
        return true;
    if (!check_descriptors(command, config, err))
        return false;
    int64_t budget = (command->needs & NEEDS_SERVICE_BUDGET) != 0 ? COMMANDS_SERVICE_BUDGET_MS
                                                                  : COMMANDS_RETRY_BUDGET_MS;
    return deployment_init(deployment, config, registry_tables, registry_count, budget, err);
}

static int run(const struct command *command, const struct args *args)
{
    struct config config = {0};
    struct deployment deployment = {.tables = registry_tables, .table_count = registry_count};
    struct error err = {0};
    struct invocation in = {.args = args, .config = &config, .deployment = &deployment};
    const struct table **tables = NULL;
    int status;

    if (!check_switches(command, args, &err) || !check_words(command, args, &err) ||
        (tables = resolve_tables(command, args, &in.table_count, &err)) == NULL ||
        !prepare(command, args, &config, &deployment, &err)) {
        status = command_fail(&in, &err);
    } else {
        in.tables = tables;
        in.all_tables = args->word_count == 0 || !names_tables(command);
        deployment.config = &config;
        deployment.clock = clock_system();
        status = command->run(&in);
    }
    if (deployment.quota != NULL)
        deployment_clear(&deployment);
    config_clear(&config);
    free(tables);
    return status;
}

/* The command line up to what it asks for; returns the exit status. */
static int answer(int argc, char **argv)
{
    struct args args;
    struct error err = {0};
    struct invocation in = {.args = &args};

    raise_descriptor_limit();
    if (!args_parse(argc, argv, &args, &err))
        return command_fail(&in, &err);
    if (args.version) {
        printf("bqsync %s\n", BQSYNC_VERSION);
        return 0;
    }
    if (args.help_format != NULL) {
        if (manual_print(args.help_format))
            return 0;
        error_set(
            &err, ERROR_USAGE, "--help takes man, markdown, bash, zsh or fish, not %s",
            args.help_format);
        return command_fail(&in, &err);
    }
    if (args.command == NULL) {
        help_print_commands(args.help ? stdout : stderr);
        return args.help ? 0 : error_exit_status(ERROR_USAGE);
    }
    const struct command *command = command_find(args.command, &err);
    if (command == NULL)
        return command_fail(&in, &err);
    if (args.help) {
        help_print_command(command);
        return 0;
    }

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(&err, ERROR_MEMORY, "libcurl cannot be initialised");
        return command_fail(&in, &err);
    }
    int status = run(command, &args);
    log_flush();
    curl_global_cleanup();
    return status;
}

/* Whether stdout is a pipe or socket that nobody reads any more: `bqsync check | head -1`. */
static bool reader_left(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};

    return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

/* Output is buffered, so that a full disk may show only here. A command whose output is lost has
 * failed, unless its reader had seen enough. A process that was started without stdout is fine as
 * long as it prints nothing. */
static int close_output(int status)
{
    bool pending = __fpending(stdout) > 0;
    bool lost = ferror(stdout) != 0;
    bool left = reader_left();
    bool closed = fclose(stdout) == 0;

    if (left || (!lost && (closed || errno == EPIPE || (errno == EBADF && !pending))))
        return status;
    struct error err;
    error_set(
        &err, ERROR_DISK, "the output cannot be written: %s",
        lost ? "a part of it was refused (is the disk full, or the file too large?)"
             : strerror(errno));
    command_complain(err.message);
    return status == 0 ? 1 : status;
}

/* Memory holds keys, tokens and rows. It is neither written to a disk when the process dies, nor
 * open to other processes of the same user; root can still look. A sanitizer looks for leaks from a
 * process of its own. */
static void keep_memory_private(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
#ifdef __linux__
    // Also where a program takes cores, which no limit of their size keeps from it.
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
#endif
}

/* Each thread of glibc's gets an arena of its own, up to eight a core, which keeps what the thread
 * has freed. Most threads wait for BigQuery, so two arenas serve them all. */
static void share_memory(void)
{
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 2);
#endif
}

/* SQLite counts the memory that it uses, behind a lock, for limits that nobody sets here: a tenth
 * of what it takes to parse a schema. */
static void count_no_memory(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Ends the process. All that it has to say is written and all files are closed, so that nothing is
 * left but what the libraries would give back to themselves, in pages that the process has not
 * touched since its start. A sanitizer looks for leaks then. */
static int leave(int status)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    _exit(status);
#endif
    return status;
}

int main(int argc, char **argv)
{
    keep_memory_private();
    share_memory();
    count_no_memory();
    watch_signals();
    json_memory_watch();
    return leave(close_output(answer(argc, argv)));
}
