#include "warehouse/credentials.h"

#include "base/log.h"
#include "base/secrets.h"
#include "warehouse/adc.h"
#include "warehouse/http_url.h"
#include "warehouse/identity.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long before its end a token is renewed. The metadata server gives out the same one until
 * about four minutes before, so that asking earlier would bring nothing new. */
#define MARGIN_US ((int64_t)225 * 1000000)
/* How long after a failed renewal the next one is tried. */
#define AGAIN_US ((int64_t)10 * 1000000)

struct credentials {
    struct identity *identity;
    char *quota_project; /* NULL: none */
    char *endpoint;
    char *description;
    const struct clock *clock;

    struct http_client *client; /* used by the one that refreshes */
    uint64_t random;

    pthread_mutex_t lock;
    pthread_cond_t refreshed;
    bool refreshing;
    uint64_t round;        /* counts refreshes that ended */
    struct error failure;  /* of the latest, ERROR_NONE if it went well */
    int64_t not_before_us; /* of the next renewal while the token holds */
    struct token token;    /* value NULL: none */
    char *header;          /* "Bearer ..." */
};

static bool set_text(char **out, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool set_text(char **out, struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vasprintf(out, format, args);
    va_end(args);
    if (length >= 0)
        return true;
    *out = NULL;
    return error_set(err, ERROR_MEMORY, "out of memory for credentials");
}

/* The universe of the file, unless the environment names one; the two may not disagree. */
static bool settle_universe(
    const struct credential_source *source, const char **out_universe, struct error *err)
{
    const char *wanted = adc_setting("GOOGLE_CLOUD_UNIVERSE_DOMAIN");

    if (wanted != NULL && strcmp(wanted, source->universe) != 0)
        return credential_file_error(
            source, err,
            "is of the universe %s, but GOOGLE_CLOUD_UNIVERSE_DOMAIN says %s; use a file of that "
            "universe or unset the variable",
            source->universe, wanted);
    *out_universe = source->universe;
    return true;
}

/* What the project of the quota is called in the file; NULL: it is not. */
static bool read_quota_project(
    const struct credential_source *source, const cJSON *root, const char **out_project,
    struct error *err)
{
    static const char field[] = "quota_project_id";
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(root, field);

    *out_project = credential_file_optional(root, field, NULL);
    if (value != NULL && !cJSON_IsString(value) && !cJSON_IsNull(value))
        return credential_file_error(
            source, err, "\"%s\" is not a text; it has to be the id of a project, or missing",
            field);
    if (*out_project != NULL && !http_is_word(*out_project))
        return credential_file_error(
            source, err,
            "\"%s\" holds a blank, a line break or another character that no project id has",
            field);
    return true;
}

static bool finish(
    struct credentials *credentials, const char *universe, const char *quota_project,
    const char *origin, struct error *err)
{
    const char *wanted = adc_setting("GOOGLE_CLOUD_QUOTA_PROJECT");

    if (wanted != NULL && !http_is_word(wanted))
        return error_set(
            err, ERROR_CONFIG,
            "GOOGLE_CLOUD_QUOTA_PROJECT holds a blank, a line break or another character that no "
            "project id has; set it to the id alone, or unset it");
    if (wanted != NULL)
        quota_project = wanted;
    return (quota_project == NULL ||
            set_text(&credentials->quota_project, err, "%s", quota_project)) &&
           set_text(&credentials->endpoint, err, "https://bigquery.%s", universe) &&
           set_text(
               &credentials->description, err, "%s (%s)", credentials->identity->label, origin);
}

/* value: a path, or the key itself. */
static bool read_file(
    struct credentials *credentials, const char *value, bool allow_any_host, struct error *err)
{
    const char *path = credential_file_is_key(value) ? NULL : value;
    struct credential_source source = {.path = path, .allow_any_host = allow_any_host};
    const char *universe = NULL;
    const char *quota_project = NULL;
    char origin[600] = "the key in GOOGLE_APPLICATION_CREDENTIALS";
    cJSON *root = NULL;

    if (!credential_file_load(&source, value, &root, err))
        return false;
    source.universe = credential_file_optional(root, "universe_domain", "googleapis.com");
    if (path != NULL)
        snprintf(origin, sizeof origin, "file %s", path);
    bool ok = settle_universe(&source, &universe, err) &&
              identity_read(&source, root, &credentials->identity, err) &&
              read_quota_project(&source, root, &quota_project, err) &&
              finish(credentials, universe, quota_project, origin, err);
    credential_file_wipe(root);
    return ok;
}

static struct oauth oauth_of(struct credentials *credentials)
{
    return (struct oauth){
        .http = http_client_ops(credentials->client),
        .clock = credentials->clock,
        .random = &credentials->random,
        .owner = credentials,
    };
}

/* Application Default Credentials, behind the environment variable. */
static bool search(struct credentials *credentials, bool allow_any_host, struct error *err)
{
    char path[600] = "";
    char root[300];
    const struct oauth oauth = oauth_of(credentials);
    bool gcloud = adc_gcloud_file(path, sizeof path);

    if (gcloud && access(path, F_OK) == 0)
        return read_file(credentials, path, allow_any_host, err);
    if (!adc_find_metadata(&oauth, root, sizeof root))
        return error_set(
            err, ERROR_AUTH,
            "no credentials found: GOOGLE_APPLICATION_CREDENTIALS is not set, %s does not exist, "
            "and this is not a Google machine (no metadata server). Set "
            "GOOGLE_APPLICATION_CREDENTIALS to a service account's key file, or run: gcloud auth "
            "application-default login",
            gcloud ? path : "gcloud's file (there is no HOME)");
    credentials->identity = identity_new_metadata(root);
    if (credentials->identity == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for credentials");
    const char *universe = adc_setting("GOOGLE_CLOUD_UNIVERSE_DOMAIN");
    return finish(
        credentials, universe == NULL ? "googleapis.com" : universe, NULL, "metadata server", err);
}

bool credentials_open(
    const struct credentials_options *options, struct credentials **out_credentials,
    struct error *err)
{
    struct credentials *credentials = calloc(1, sizeof *credentials);

    if (credentials == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for credentials");
    pthread_mutex_init(&credentials->lock, NULL);
    pthread_cond_init(&credentials->refreshed, NULL);
    credentials->clock = options->clock;
    credentials->random = retry_seed();
    bool ok =
        http_client_open(&credentials->client, err) &&
        (options->file != NULL ? read_file(credentials, options->file, options->allow_any_host, err)
                               : search(credentials, options->allow_any_host, err));
    if (!ok) {
        credentials_close(credentials);
        return false;
    }
    *out_credentials = credentials;
    return true;
}

void credentials_close(struct credentials *credentials)
{
    if (credentials == NULL)
        return;
    identity_free(credentials->identity);
    secrets_forget(credentials);
    token_clear(&credentials->token);
    oauth_wipe(credentials->header);
    http_client_close(credentials->client);
    pthread_mutex_destroy(&credentials->lock);
    pthread_cond_destroy(&credentials->refreshed);
    free(credentials->quota_project);
    free(credentials->endpoint);
    free(credentials->description);
    free(credentials);
}

/* --- the cached token -------------------------------------------------------------------- */

static bool is_fresh(const struct credentials *credentials)
{
    int64_t now = credentials->clock->wall_us(credentials->clock->context);

    if (credentials->header == NULL || now >= credentials->token.expires_us)
        return false;
    return now < credentials->token.expires_us - MARGIN_US || now < credentials->not_before_us;
}

static void drop_token(struct credentials *credentials)
{
    oauth_wipe(credentials->header);
    credentials->header = NULL;
    token_clear(&credentials->token);
}

/* Called with the lock held; lets go of it while the request is under way. */
static void refresh(struct credentials *credentials, struct traffic *traffic)
{
    struct oauth oauth = oauth_of(credentials);
    struct token token = {0};
    struct error err = {0};
    char *header = NULL;

    oauth.traffic = traffic;
    credentials->refreshing = true;
    pthread_mutex_unlock(&credentials->lock);
    bool ok = identity_token(credentials->identity, &oauth, OAUTH_SCOPE, &token, &err) &&
              set_text(&header, &err, "Bearer %s", token.value);
    if (!ok)
        error_wrap(&err, "credentials: %s", credentials->description);
    pthread_mutex_lock(&credentials->lock);

    int64_t now = credentials->clock->wall_us(credentials->clock->context);
    if (ok) {
        drop_token(credentials);
        credentials->token = token;
        credentials->header = header;
    } else {
        token_clear(&token);
        if (credentials->header != NULL && now >= credentials->token.expires_us)
            drop_token(credentials);
        if (credentials->header != NULL)
            log_warn("token not renewed, the old one still holds", LOG_TEXT("error", err.message));
    }
    credentials->not_before_us = now + AGAIN_US;
    credentials->failure = ok ? (struct error){0} : err;
    credentials->refreshing = false;
    credentials->round++;
    pthread_cond_broadcast(&credentials->refreshed);
}

/* Whether asking for a token is useless now: there is none, and the endpoint refused one a moment
 * ago after all tries. Without this each of many tables would repeat those tries. */
static bool is_futile(const struct credentials *credentials)
{
    return credentials->header == NULL && credentials->failure.code != ERROR_NONE &&
           credentials->clock->wall_us(credentials->clock->context) < credentials->not_before_us;
}

bool credentials_authorization(
    struct credentials *credentials, struct traffic *traffic, char **out_header, struct error *err)
{
    bool ok = true;

    pthread_mutex_lock(&credentials->lock);
    if (!is_fresh(credentials) && !is_futile(credentials)) {
        // Whoever waited for a refresh takes its result, good or bad, instead of trying again.
        if (credentials->refreshing) {
            uint64_t round = credentials->round;
            while (credentials->round == round)
                pthread_cond_wait(&credentials->refreshed, &credentials->lock);
        } else {
            refresh(credentials, traffic);
        }
    }
    if (credentials->header == NULL) {
        *err = credentials->failure;
        ok = false;
    } else {
        *out_header = strdup(credentials->header);
        ok = *out_header != NULL || error_set(err, ERROR_MEMORY, "out of memory for a token");
    }
    pthread_mutex_unlock(&credentials->lock);
    return ok;
}

void credentials_invalidate(struct credentials *credentials, const char *refused_header)
{
    pthread_mutex_lock(&credentials->lock);
    // Another thread may have renewed it since: its new token is not to blame.
    if (credentials->header != NULL && strcmp(credentials->header, refused_header) == 0)
        drop_token(credentials);
    pthread_mutex_unlock(&credentials->lock);
}

void credentials_wipe(char *header)
{
    oauth_wipe(header);
}

const char *credentials_quota_project(const struct credentials *credentials)
{
    return credentials->quota_project;
}

const char *credentials_endpoint(const struct credentials *credentials)
{
    return credentials->endpoint;
}

const char *credentials_subject_file(const struct credentials *credentials)
{
    const struct identity *identity = credentials->identity;

    while (identity->source != NULL)
        identity = identity->source;
    return identity->subject_file;
}

const char *credentials_member(const struct credentials *credentials)
{
    return credentials->identity->member;
}

const char *credentials_describe(const struct credentials *credentials)
{
    return credentials->description;
}
