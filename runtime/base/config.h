/* config: every setting, from one table of options: flags over environment over the .env file over
 * defaults. The table feeds the parser, --help, the documentation and `check`. Filled once at
 * start. */
#ifndef BQSYNC_BASE_CONFIG_H
#define BQSYNC_BASE_CONFIG_H

#include "base/config_env.h"
#include "base/config_option.h"
#include "base/error.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What BigQuery bills a MERGE at least: 10 MB for each table that it names ("BigQuery pricing":
 * on-demand compute). That is the target alone where the rows travel in the statement. */
#define CONFIG_LEAST_BILLED_BYTES INT64_C(10485760)

/* Read from the working directory unless another file is named. */
#define CONFIG_ENV_FILE ".env"

struct config {
    char *credentials; /* path of a key file, or the key; NULL: search; secret */
    char *project;
    char *dataset;
    char *location; /* NULL: the dataset's */
    bool create_dataset;
    char *emulator_host; /* as a root URL, NULL: Google */
    char *sqlite_path;
    char *state_path; /* equals sqlite_path unless set */
    bool state_is_source;
    int64_t sync_interval_ms; /* 0: off */
    int64_t sync_follow_ms;   /* 0: off */
    int daily_minute;         /* minute of the day, -1: off */
    char *timezone;
    char *admin_listen; /* NULL: off */
    char *admin_token;  /* NULL: none; secret */
    int parallel;
    enum log_level log_level;
    enum log_format log_format;
    char *bugsnag_api_key; /* secret */
    char *bugsnag_endpoint;
    char *sentry_dsn; /* secret */
    char *environment;
    int64_t retry_budget_ms;  /* -1: 30 s for commands, 5 minutes for serve */
    int64_t job_timeout_ms;   /* how long a job is waited for, 0: until it ends */
    int64_t max_bytes_billed; /* 0: no cap */
    int64_t price_per_tib;    /* millionths of a US dollar, 0: not known */
    int64_t max_bytes_a_day;  /* of all queries of a UTC day, 0: no cap */
    bool capture_manual;      /* BQ_CAPTURE=manual */
    bool sync_atomic;         /* BQ_SYNC_ATOMIC=1 */
    bool sandbox;             /* BQ_SANDBOX */
    bool allow_any_host;      /* BQ_ALLOW_ANY_TOKEN_HOST=1, for tests of credentials */
    bool has_env_file;        /* a .env file was read; no setting itself */
    struct config_env others; /* of that file, until config_export; no setting itself */
};

/* The table and its length. */
const struct config_option *config_options(size_t *out_count);

/* One value given by a flag on the command line, by variable name; both borrowed. */
struct config_flag {
    const char *variable;
    const char *value;
};

/* Reads everything. env_file NULL: `.env` in the working directory if it is there. A malformed
 * value is ERROR_CONFIG naming variable, where it was set (flag, environment, file:line), value
 * (unless secret) and what is expected; several are reported at once, a line for each. An empty
 * value counts as not set. An unknown BQ_ variable in the file or the environment is logged as a
 * warning with the nearest name, also if values are malformed. Does not check that required
 * settings are there: config_require. out_config is written on success only; config_clear frees.
 * Any thread may call it. */
MUST_CHECK bool config_load(
    const char *env_file, const struct config_flag *flags, size_t flag_count,
    struct config *out_config, struct error *err);
void config_clear(struct config *config);

/* Puts the variables of the file that config_load has read, if they are not settings of ours (keys
 * of hmac_sha256, proxies), into the environment unless they are there already, and forgets them.
 * The file is not read again: a pipe gives what it has once. Called once, before other threads
 * exist, because they may read the environment ("getenv(3)"). */
MUST_CHECK bool config_export(struct config *config, struct error *err);

/* Whether the setting has the same value in both. */
bool config_same(
    const struct config *one, const struct config *other, const struct config_option *option);

/* ERROR_CONFIG naming the variable and what to do if one of BQ_PROJECT_NAME, BQ_DATASET_NAME
 * (warehouse) or BQ_SQLITE_PATH (source) is needed and not set. */
MUST_CHECK bool config_require(
    const struct config *config, bool warehouse, bool source, struct error *err);

/* The name of `names` (NULL-terminated) nearest to `name` by edit distance, or NULL if none is
 * near. */
const char *config_nearest(const char *name, const char *const *names);

#endif
