#include "service/serve.h"

#include "base/clock.h"
#include "base/config_value.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "service/error_reporter.h"
#include "service/follower.h"
#include "service/ledger.h"
#include "service/lock_schedule.h"
#include "service/notify.h"
#include "service/page.h"
#include "service/past_runs.h"
#include "service/routes.h"
#include "service/sandbox.h"
#include "service/scheduler.h"
#include "service/server.h"
#include "service/status.h"
#include "service/verifier.h"
#include "source/commits.h"
#include "source/lock.h"
#include "source/tracking.h"
#include "sync/scan_memory.h"
#include "sync/series.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* At the end of the process a running pass or verification gets this long to stop, then it is
 * abandoned. The next start handles the open intents of the pass, as after a crash; a verification
 * has none. With the time for closing the rest it is less than the documented 10 s. */
#define STOP_PATIENCE_MS 8000

/* What a service has open at its busiest: without passes and with some clients of the admin API,
 * and for each worker of a pass beside that (tests/e2e/test_serve.py tries the sum). */
#define DESCRIPTORS_OF_SERVICE 48

/* How long the main thread waits for a signal if there is no watchdog. */
#define IDLE_WAIT_MS 3600000

struct serve {
    struct deployment *deployment;
    struct commits *commits;
    struct series *series;
    struct scan_memory *scans;
    struct follower *follower;
    const struct serve_options *options;
    struct ledger ledger;
    struct status *status;
    struct scheduler *scheduler;
    struct verifier *verifier;
    struct server *server;
    struct error_reporter *reporter;
    char *policy;
    atomic_bool stopping;
    struct routes_context routes;
    struct bookmarks *bookmarks;
    sigset_t signals;
    struct lock lock;  /* says that the service runs */
    bool has_env_file; /* the settings in force come from a file too */
};

/* --- passes ------------------------------------------------------------------------------ */

static void run_pass(
    void *context, const struct pass_options *options, struct run_result *out_result)
{
    const struct serve *serve = context;

    pass_run(serve->deployment, options, out_result);
}

/* Tables that have used up the budget of the day fail in every pass until the next one. */
static void tell_waiting(const struct run_result *run)
{
    const struct error *why = NULL;
    int64_t waiting = 0;

    for (size_t i = 0; i < run->table_count; i++) {
        if (run->tables[i].error.code != ERROR_BUDGET)
            continue;
        why = &run->tables[i].error;
        waiting++;
    }
    if (why != NULL)
        log_warn(
            "tables wait for the next day", LOG_NUMBER("tables", waiting),
            LOG_TEXT("reason", why->message));
}

static void pass_ended(void *context, const struct run_result *run, bool postponed)
{
    struct serve *serve = context;

    status_invalidate(serve->status);
    follower_nudge(serve->follower);
    if (postponed) {
        ledger_add_postponed(&serve->ledger);
        return;
    }
    tell_waiting(run);
    ledger_add(&serve->ledger, run);
    error_reporter_run(serve->reporter, run);
}

static int64_t commit_since(void *context)
{
    const struct serve *serve = context;

    return commits_since_ms(serve->commits);
}

/* Read after each pass while commits are followed: the metrics and the status read more. */
static bool read_budget(void *context, struct spending *out_spending)
{
    const struct serve *serve = context;
    const struct deployment *deployment = serve->deployment;
    const struct clock *clock = deployment->clock;
    struct tracking tracking;
    struct error err;

    if (deployment->config->max_bytes_a_day == 0)
        return false;
    bool ok = tracking_open_read(deployment->config->state_path, &tracking, &err);
    if (ok) {
        ok = spending_read(
            deployment->config, &tracking, clock->wall_us(clock->context), out_spending, &err);
        tracking_close(&tracking);
    }
    if (!ok)
        log_warn("the day's budget is not known", LOG_TEXT("reason", err.message));
    return ok;
}

static void committed(void *context)
{
    const struct serve *serve = context;

    scheduler_committed(serve->scheduler);
}

/* --- verifications ----------------------------------------------------------------------- */

static bool run_verification(
    void *context, const struct table *const *tables, size_t count,
    const struct verify_watch *watch, struct verify_table **out_tables, struct error *err)
{
    const struct serve *serve = context;
    cJSON *pass = scheduler_running(serve->scheduler);

    // While a pass runs, the backoff of its failed requests holds for verifications too.
    if (pass == NULL)
        deployment_begin_pass(serve->deployment);
    cJSON_Delete(pass);
    return verify_run(serve->deployment, tables, count, watch, out_tables, err);
}

static void table_judged(void *context, const struct verify_table *table)
{
    struct serve *serve = context;
    const struct clock *clock = serve->deployment->clock;

    ledger_verified(
        &serve->ledger, table->table, verify_report_differences(table),
        clock->wall_us(clock->context));
}

/* --- settings ---------------------------------------------------------------------------- */

static bool check_listen(const struct config *config, struct error *err)
{
    if (config->admin_listen == NULL || config->admin_token != NULL ||
        config_value_is_loopback(config->admin_listen))
        return true;
    return error_set(
        err, ERROR_CONFIG,
        "BQ_ADMIN_LISTEN: %s can be reached from other machines: set BQ_ADMIN_TOKEN, or listen on "
        "127.0.0.1",
        config->admin_listen);
}

/* Settings that passes and threads keep pointers to can't change while they run. */
static void warn_of_restart(const struct config *old, const struct config *new)
{
    size_t count;
    const struct config_option *options = config_options(&count);

    for (size_t i = 0; i < count; i++)
        if (!options[i].reloads && !config_same(old, new, &options[i]))
            log_warn("setting needs a restart", LOG_TEXT("variable", options[i].variable));
}

static bool follow(struct serve *serve, int64_t delay_ms, struct error *err)
{
    if (delay_ms > 0)
        log_info(
            "following commits", LOG_NUMBER("within_ms", delay_ms),
            LOG_TEXT("source", serve->deployment->config->sqlite_path));
    return follower_set(serve->follower, delay_ms, err);
}

static bool apply_settings(struct serve *serve, const struct config *config, struct error *err)
{
    // The listening address does not change, so the rule for its token is checked with the old one.
    struct config judged = *config;
    judged.admin_listen = serve->deployment->config->admin_listen;

    if (!check_listen(&judged, err) || !scheduler_reload(serve->scheduler, config, err) ||
        !follow(serve, config->sync_follow_ms, err))
        return false;
    lock_schedule_write(&serve->lock, config, serve->deployment->config);
    log_configure(config->log_level, config->log_format);
    if (serve->server != NULL)
        server_set_token(serve->server, config->admin_token);
    error_reporter_configure(serve->reporter, config);
    return true;
}

static void reload(struct serve *serve)
{
    const struct serve_options *options = serve->options;
    const char *env_file = options->env_file;
    struct config config;
    struct error err;

    // The token or another guard may stand in the file alone, so one that was there has to be.
    if (env_file == NULL && serve->has_env_file)
        env_file = CONFIG_ENV_FILE;
    notify_send("RELOADING=1");
    if (!config_load(env_file, options->flags, options->flag_count, &config, &err)) {
        log_error("settings not reloaded", LOG_TEXT("error", err.message));
        notify_ready("settings not reloaded");
        return;
    }
    warn_of_restart(serve->deployment->config, &config);
    if (apply_settings(serve, &config, &err)) {
        serve->has_env_file = config.has_env_file;
        log_info("settings reloaded", LOG_NUMBER("interval_ms", config.sync_interval_ms));
    } else {
        log_error("settings not reloaded", LOG_TEXT("error", err.message));
    }
    config_clear(&config);
    notify_ready("running");
}

/* --- start ------------------------------------------------------------------------------- */

/* Reads from the records of past runs since when tables are fresh. Without them the service
 * starts anyway, and the first pass reports the error. */
static int64_t read_past_runs(struct serve *serve)
{
    const char *path = serve->deployment->config->state_path;
    int64_t full_since_us = SCHEDULE_NEVER;
    struct tracking tracking;
    struct error err;

    if (access(path, F_OK) != 0)
        return full_since_us;
    if (!tracking_open_read(path, &tracking, &err)) {
        log_warn("past runs not read", LOG_TEXT("reason", err.message));
        return full_since_us;
    }
    cJSON *idle = past_runs_idle(path);
    if (!ledger_seed(&serve->ledger, &tracking, idle, &full_since_us, &err))
        log_warn("past runs not read", LOG_TEXT("reason", err.message));
    cJSON_Delete(idle);
    tracking_close(&tracking);
    return full_since_us;
}

/* Every thread inherits the mask, so these signals are only delivered to the main thread, which
 * waits for them. */
static void block_signals(struct serve *serve)
{
    sigemptyset(&serve->signals);
    sigaddset(&serve->signals, SIGTERM);
    sigaddset(&serve->signals, SIGINT);
    sigaddset(&serve->signals, SIGHUP);
    sigaddset(&serve->signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &serve->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool start_scheduler(struct serve *serve, struct error *err)
{
    const struct deployment *deployment = serve->deployment;
    int64_t full_since_us = read_past_runs(serve);

    return scheduler_new(
        &(struct scheduler_options){
            .ops =
                {.context = serve,
                 .run = run_pass,
                 .ended = pass_ended,
                 .commit_since_ms = commit_since,
                 .budget = read_budget},
            .clock = deployment->clock,
            .config = deployment->config,
            .tables = deployment->tables,
            .table_count = deployment->table_count,
            .full_since_us = full_since_us,
        },
        &serve->scheduler, err);
}

/* Whether a table is scanned whatever its shape in SQLite. */
static bool will_scan(const struct deployment *deployment)
{
    bool scans = !deployment->config->state_is_source;

    for (size_t i = 0; i < deployment->table_count; i++)
        scans = scans || deployment->tables[i]->capture == CAPTURE_SCAN;
    return scans;
}

static bool make_memory(struct serve *serve, struct error *err)
{
    struct deployment *deployment = serve->deployment;

    if (!series_new(
            deployment->clock, deployment->tables, deployment->table_count, &serve->series, err) ||
        !scan_memory_new(
            deployment->tables, deployment->table_count, will_scan(deployment), &serve->scans, err))
        return false;
    deployment->series = serve->series;
    deployment->scans = serve->scans;
    return true;
}

static bool make_follower(struct serve *serve, struct error *err)
{
    const struct config *config = serve->deployment->config;
    const struct clock *clock = serve->deployment->clock;

    if (!commits_new(clock, config->sqlite_path, config->state_is_source, &serve->commits, err))
        return false;
    serve->deployment->commits = serve->commits;
    return follower_new(
        &(struct follower_options){
            .commits = serve->commits,
            .path = config->sqlite_path,
            .clock = clock,
            .committed = committed,
            .context = serve,
        },
        &serve->follower, err);
}

static bool make_verifier(struct serve *serve, struct error *err)
{
    const struct deployment *deployment = serve->deployment;

    return verifier_new(
        &(struct verifier_options){
            .run = run_verification,
            .judged = table_judged,
            .context = serve,
            .clock = deployment->clock,
            .tables = deployment->tables,
            .table_count = deployment->table_count,
        },
        &serve->verifier, err);
}

static bool start_server(struct serve *serve, struct error *err)
{
    const struct config *config = serve->deployment->config;

    if (config->admin_listen == NULL)
        return true;
    if (!page_policy(&serve->policy, err) || !bookmarks_new(&serve->bookmarks, err))
        return false;
    serve->routes = (struct routes_context){
        .deployment = serve->deployment,
        .scheduler = serve->scheduler,
        .verifier = serve->verifier,
        .status = serve->status,
        .ledger = &serve->ledger,
        .bookmarks = serve->bookmarks,
        .page_policy = serve->policy,
        .started_us = serve->deployment->clock->wall_us(serve->deployment->clock->context),
        .stopping = &serve->stopping,
    };
    if (!server_start(
            config->admin_listen, config->admin_token, &serve->routes, &serve->server, err))
        return false;
    log_info("admin api listening", LOG_TEXT("url", server_url(serve->server)));
    return true;
}

/* Two services on one state database would fail each other's passes. A lock file that cannot be
 * made is no reason to stop: its folder may come back, as the database may. */
static bool announce(struct serve *serve, struct error *err)
{
    const char *state_path = serve->deployment->config->state_path;

    if (lock_acquire_service(state_path, &serve->lock, err)) {
        lock_schedule_write(&serve->lock, serve->deployment->config, serve->deployment->config);
        return true;
    }
    if (err->code == ERROR_LOCKED || err->code == ERROR_STOPPED)
        return false;
    log_warn("status cannot show this service", LOG_TEXT("reason", err->message));
    return true;
}

static bool check_descriptors(const struct deployment *deployment, struct error *err)
{
    size_t workers = (size_t)deployment->config->parallel;

    if (workers > deployment->table_count)
        workers = deployment->table_count;
    return descriptors_check(
        "serve", DESCRIPTORS_OF_SERVICE + DESCRIPTORS_OF_WORKER * workers, deployment->table_count,
        ERROR_LIMIT, err);
}

static bool start(struct serve *serve, struct error *err)
{
    const struct deployment *deployment = serve->deployment;

    return check_descriptors(deployment, err) && check_listen(deployment->config, err) &&
           announce(serve, err) &&
           ledger_init(&serve->ledger, deployment->tables, deployment->table_count, err) &&
           status_new(
               deployment->config, deployment->tables, deployment->table_count, &serve->status,
               err) &&
           error_reporter_new(deployment->config, &serve->reporter, err) &&
           make_memory(serve, err) && make_follower(serve, err) && start_scheduler(serve, err) &&
           make_verifier(serve, err) && verifier_start(serve->verifier, err) &&
           start_server(serve, err) && follow(serve, deployment->config->sync_follow_ms, err) &&
           scheduler_start(serve->scheduler, err);
}

/* --- run and stop ------------------------------------------------------------------------ */

static void wait_for_signals(struct serve *serve)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    int64_t wait_ms = watchdog_ms > 0 ? watchdog_ms : IDLE_WAIT_MS;
    const struct timespec timeout = {
        .tv_sec = (time_t)(wait_ms / 1000), .tv_nsec = (long)(wait_ms % 1000) * 1000000};

    for (;;) {
        int signal = sigtimedwait(&serve->signals, NULL, &timeout);
        switch (signal) {
        case SIGTERM:
        case SIGINT:
            log_info("stopping", LOG_TEXT("signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"));
            return;
        case SIGHUP:
            reload(serve);
            break;
        case SIGUSR1:
            log_info("sync asked for", LOG_TEXT("signal", "SIGUSR1"));
            scheduler_sync_now(serve->scheduler);
            break;
        default:
            if (watchdog_ms > 0)
                notify_send("WATCHDOG=1");
        }
    }
}

/* Stops both before it waits for either, so that they share the time limit. */
static void stop_work(struct serve *serve)
{
    const struct clock *clock = serve->deployment->clock;
    int64_t until_ms = clock->monotonic_ms(clock->context) + STOP_PATIENCE_MS;

    if (serve->scheduler != NULL)
        scheduler_stop(serve->scheduler);
    if (serve->verifier != NULL)
        verifier_stop(serve->verifier);
    bool pass = serve->scheduler != NULL && !scheduler_join(serve->scheduler, STOP_PATIENCE_MS);
    int64_t left_ms = until_ms - clock->monotonic_ms(clock->context);
    bool verification =
        serve->verifier != NULL && !verifier_join(serve->verifier, left_ms > 0 ? left_ms : 0);
    if (!pass && !verification)
        return;
    log_warn(
        pass ? "pass abandoned" : "verification abandoned",
        LOG_NUMBER("waited_ms", STOP_PATIENCE_MS));
    log_flush();
    // The thread still uses the memory, so it is not freed.
    _exit(0);
}

static void stop(struct serve *serve)
{
    atomic_store(&serve->stopping, true);
    notify_send("STOPPING=1");
    clock_stop();
    stop_work(serve);
    server_stop(serve->server);
    verifier_free(serve->verifier);
    follower_free(serve->follower);
    scheduler_free(serve->scheduler);
    error_reporter_free(serve->reporter);
    status_free(serve->status);
    // The last to close the source, because it removes the -wal file as the application would.
    serve->deployment->commits = NULL;
    commits_free(serve->commits);
    serve->deployment->series = NULL;
    series_free(serve->series);
    serve->deployment->scans = NULL;
    scan_memory_free(serve->scans);
    ledger_clear(&serve->ledger);
    free(serve->policy);
    bookmarks_free(serve->bookmarks);
    lock_release(&serve->lock);
}

bool serve_run(
    struct deployment *deployment, const struct serve_options *options, struct error *err)
{
    struct serve serve = {
        .deployment = deployment,
        .options = options,
        .lock = {.fd = -1},
        .has_env_file = deployment->config->has_env_file};

    atomic_init(&serve.stopping, false);
    block_signals(&serve);
    sandbox_enter(deployment, options->env_file != NULL ? options->env_file : CONFIG_ENV_FILE);
    bool ok = start(&serve, err);
    if (ok) {
        log_info(
            "serving", LOG_NUMBER("tables", deployment->table_count),
            LOG_TEXT("version", BQSYNC_VERSION));
        notify_ready("running");
        wait_for_signals(&serve);
    }
    stop(&serve);
    log_flush();
    if (ok)
        log_info("stopped", LOG_NUMBER("pid", getpid()));
    return ok;
}
