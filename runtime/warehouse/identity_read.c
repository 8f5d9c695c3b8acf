/* The fields of each type of credentials file. */
#include "warehouse/http_url.h"
#include "warehouse/identity.h"

#include "base/json_memory.h"
#include "base/secrets.h"
#include "base/text_fit.h"
#include "warehouse/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MEND                                                                                   \
    "create a key for the service account in the Cloud console and use the whole file as "         \
    "downloaded"
#define LOGIN_MEND "run: gcloud auth application-default login"
#define POOL_MEND  "create the file with: gcloud iam workload-identity-pools create-cred-config"
#define IMPERSONATE_MEND                                                                           \
    "run: gcloud auth application-default login --impersonate-service-account=EMAIL"

#define GOOGLE_TOKEN_URL "https://oauth2.googleapis.com/token"
#define GOOGLE_STS_URL   "https://sts.googleapis.com/v1/token"

static bool keep(char **out, const char *text, struct error *err)
{
    if (text == NULL)
        return true;
    *out = strdup(text);
    return *out != NULL || error_set(err, ERROR_MEMORY, "out of memory for credentials");
}

/* "serviceAccount:x@y", nothing if we do not know who. */
static bool keep_member(char **out, const char *kind, const char *who, struct error *err)
{
    char member[600];

    snprintf(member, sizeof member, "%s:%s", kind, who);
    return who[0] == '\0' || keep(out, member, err);
}

static bool keep_label(char **out, const char *what, const char *who, struct error *err)
{
    char label[600];

    snprintf(label, sizeof label, "%s%s%s", what, who[0] == '\0' ? "" : " ", who);
    return keep(out, label, err);
}

/* A required field, copied. */
static bool take(
    const struct credential_source *source, const cJSON *object, const char *field, const char *fix,
    char **out, struct error *err)
{
    const char *text = NULL;

    return credential_file_require(source, object, field, fix, &text, err) && keep(out, text, err);
}

/* A URL that gets secrets: copied and its host checked. */
static bool take_url(
    const struct credential_source *source, const cJSON *object, const char *field,
    const char *fallback, char **out, struct error *err)
{
    const char *url = credential_file_optional(object, field, fallback);

    return credential_file_check_url(source, field, url, err) && keep(out, url, err);
}

static bool read_service_account(
    const struct credential_source *source, const cJSON *object, struct identity *identity,
    struct error *err)
{
    const char *pem = NULL;

    if (!take(source, object, "client_email", KEY_MEND, &identity->client_email, err) ||
        !credential_file_require(source, object, "private_key", KEY_MEND, &pem, err))
        return false;
    secrets_keep(identity, pem);
    identity->key = jwt_key_read(pem);
    if (identity->key == NULL)
        return credential_file_error(
            source, err,
            "\"private_key\" is not an RSA key in PEM form (is it cut, encrypted, or are its line "
            "breaks lost?); %s",
            KEY_MEND);
    identity->self_signed = strcmp(source->universe, "googleapis.com") != 0;
    return keep(&identity->key_id, credential_file_optional(object, "private_key_id", NULL), err) &&
           take_url(source, object, "token_uri", GOOGLE_TOKEN_URL, &identity->token_url, err) &&
           keep_member(&identity->member, "serviceAccount", identity->client_email, err) &&
           keep_label(&identity->label, "service account", identity->client_email, err);
}

static bool read_authorized_user(
    const struct credential_source *source, const cJSON *object, struct identity *identity,
    struct error *err)
{
    return take(source, object, "client_id", LOGIN_MEND, &identity->client_id, err) &&
           take(source, object, "client_secret", LOGIN_MEND, &identity->client_secret, err) &&
           take(source, object, "refresh_token", LOGIN_MEND, &identity->refresh_token, err) &&
           take_url(source, object, "token_uri", GOOGLE_TOKEN_URL, &identity->token_url, err) &&
           keep_member(
               &identity->member, "user", credential_file_optional(object, "account", ""), err) &&
           keep_label(
               &identity->label, "user", credential_file_optional(object, "account", ""), err);
}

/* --- external_account -------------------------------------------------------------------- */

static bool read_source_format(
    const struct credential_source *source, const cJSON *from, struct identity *identity,
    struct error *err)
{
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(from, "format");
    const char *type = credential_file_optional(format, "type", "text");

    if (strcmp(type, "text") == 0)
        return true;
    if (strcmp(type, "json") != 0)
        return credential_file_error(
            source, err, "\"credential_source.format.type\" is \"%s\"; known are text and json",
            type);
    return take(
        source, format, "subject_token_field_name", POOL_MEND, &identity->subject_field, err);
}

static bool read_source_headers(
    const struct credential_source *source, const cJSON *from, struct identity *identity,
    struct error *err)
{
    const cJSON *header = NULL;
    size_t count = 0;

    cJSON_ArrayForEach(header, cJSON_GetObjectItemCaseSensitive(from, "headers"))
    {
        char line[1024];
        if (!cJSON_IsString(header) || count == IDENTITY_MAX_HEADERS)
            return credential_file_error(
                source, err, "\"credential_source.headers\" may hold %d texts, and nothing else",
                IDENTITY_MAX_HEADERS);
        snprintf(line, sizeof line, "%s: %s", header->string, header->valuestring);
        if (!http_is_line(line))
            return credential_file_error(
                source, err,
                "\"credential_source.headers\" holds a line break or another control character; "
                "take it out");
        if (!keep(&identity->subject_headers[count++], line, err))
            return false;
    }
    return true;
}

static bool refuse_source(
    const struct credential_source *source, const char *what, struct error *err)
{
    return credential_file_error(
        source, err,
        "\"credential_source\" is of the kind %s, which bqsync does not support; use one with a "
        "file or a url, or a service account",
        what);
}

static bool read_subject_source(
    const struct credential_source *source, const cJSON *object, struct identity *identity,
    struct error *err)
{
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(object, "credential_source");
    const char *file = credential_file_optional(from, "file", NULL);
    const char *url = credential_file_optional(from, "url", NULL);

    if (!cJSON_IsObject(from))
        return credential_file_error(
            source, err, "\"credential_source\" is missing (type external_account); %s", POOL_MEND);
    if (cJSON_GetObjectItemCaseSensitive(from, "environment_id") != NULL)
        return refuse_source(source, "aws", err);
    if (cJSON_GetObjectItemCaseSensitive(from, "executable") != NULL)
        return refuse_source(source, "executable", err);
    if (cJSON_GetObjectItemCaseSensitive(from, "certificate") != NULL)
        return refuse_source(source, "certificate", err);
    if ((file == NULL) == (url == NULL))
        return credential_file_error(
            source, err, "\"credential_source\" has %s \"file\" and \"url\"; it needs exactly one",
            file == NULL ? "neither of" : "both");
    return keep(&identity->subject_file, file, err) && keep(&identity->subject_url, url, err) &&
           read_source_format(source, from, identity, err) &&
           read_source_headers(source, from, identity, err);
}

static bool read_external_account(
    const struct credential_source *source, const cJSON *object, struct identity *identity,
    struct error *err)
{
    return take(source, object, "audience", POOL_MEND, &identity->audience, err) &&
           take(
               source, object, "subject_token_type", POOL_MEND, &identity->subject_token_type,
               err) &&
           take_url(source, object, "token_url", GOOGLE_STS_URL, &identity->token_url, err) &&
           read_subject_source(source, object, identity, err) &&
           keep(&identity->client_id, credential_file_optional(object, "client_id", NULL), err) &&
           keep(
               &identity->client_secret, credential_file_optional(object, "client_secret", NULL),
               err) &&
           keep(
               &identity->user_project,
               credential_file_optional(object, "workforce_pool_user_project", NULL), err) &&
           keep_label(&identity->label, "external account of", identity->audience, err);
}

/* --- impersonation ----------------------------------------------------------------------- */

/* ".../serviceAccounts/EMAIL:generateAccessToken" */
static bool label_impersonated(struct identity *identity, struct error *err)
{
    const char *email = strrchr(identity->impersonation_url, '/') + 1;
    char who[400];

    snprintf(who, sizeof who, "%.*s", (int)strcspn(email, ":"), email);
    return keep_member(&identity->member, "serviceAccount", who, err) &&
           keep_label(&identity->label, "impersonated service account", who, err);
}

static bool read_lifetime(
    const struct credential_source *source, const cJSON *object, struct identity *identity,
    struct error *err)
{
    const cJSON *options =
        cJSON_GetObjectItemCaseSensitive(object, "service_account_impersonation");
    const cJSON *life = cJSON_GetObjectItemCaseSensitive(options, "token_lifetime_seconds");

    identity->lifetime_s = cJSON_IsNumber(life) ? (int64_t)life->valuedouble : 3600;
    if (identity->lifetime_s >= 600 && identity->lifetime_s <= 43200)
        return true;
    return credential_file_error(
        source, err,
        "\"service_account_impersonation.token_lifetime_seconds\" has to be from 600 to 43200");
}

/* Wraps the identity that *inout_identity is in one that acts as another account. */
static bool wrap_impersonated(
    const struct credential_source *source, const cJSON *object, struct identity **inout_identity,
    struct error *err)
{
    struct identity *outer = calloc(1, sizeof *outer);
    const cJSON *delegates = cJSON_GetObjectItemCaseSensitive(object, "delegates");

    if (outer == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for credentials");
    outer->kind = IDENTITY_IMPERSONATED;
    outer->source = *inout_identity;
    *inout_identity = outer;
    if (cJSON_GetArraySize(delegates) > 0) {
        outer->delegates = json_print(delegates);
        if (outer->delegates == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory for credentials");
    }
    return take_url(
               source, object, "service_account_impersonation_url", "", &outer->impersonation_url,
               err) &&
           label_impersonated(outer, err) && read_lifetime(source, object, outer, err);
}

/* --- by type ----------------------------------------------------------------------------- */

static const struct {
    const char *type;
    enum identity_kind kind;
    bool (*read)(
        const struct credential_source *source, const cJSON *object, struct identity *identity,
        struct error *err);
} types[] = {
    {"service_account", IDENTITY_SERVICE_ACCOUNT, read_service_account},
    {"authorized_user", IDENTITY_AUTHORIZED_USER, read_authorized_user},
    {"external_account", IDENTITY_EXTERNAL_ACCOUNT, read_external_account},
};

static bool unknown_type(
    const struct credential_source *source, const cJSON *object, const char *type,
    struct error *err)
{
    if (type != NULL)
        return credential_file_error(
            source, err,
            "\"type\" is \"%.*s\"; known are service_account, authorized_user, external_account, "
            "impersonated_service_account",
            TEXT_FIT(type, 60));
    if (cJSON_GetObjectItemCaseSensitive(object, "installed") != NULL ||
        cJSON_GetObjectItemCaseSensitive(object, "web") != NULL)
        return credential_file_error(
            source, err,
            "is the secret of an OAuth client, not a credential; use a service account's key file, "
            "or %s",
            LOGIN_MEND);
    return credential_file_error(
        source, err, "\"type\" is missing; it has to be the key file as Google gave it");
}

static bool read_impersonated(
    const struct credential_source *source, const cJSON *object, struct identity **out_identity,
    struct error *err)
{
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(object, "source_credentials");
    const char *url = NULL;
    const char *type = credential_file_optional(inner, "type", "");

    if (!cJSON_IsObject(inner))
        return credential_file_error(
            source, err, "\"source_credentials\" is missing (type %s); %s", source->type,
            IMPERSONATE_MEND);
    if (!credential_file_require(
            source, object, "service_account_impersonation_url", IMPERSONATE_MEND, &url, err))
        return false;
    if (strcmp(type, "impersonated_service_account") == 0)
        return credential_file_error(
            source, err, "\"source_credentials\" is impersonated itself; use \"delegates\"");
    return identity_read(source, inner, out_identity, err) &&
           wrap_impersonated(source, object, out_identity, err);
}

bool identity_read(
    const struct credential_source *source, const cJSON *object, struct identity **out_identity,
    struct error *err)
{
    const char *type = credential_file_optional(object, "type", NULL);
    struct credential_source typed = *source;
    struct identity *identity = NULL;
    bool known = false;
    bool ok = false;

    typed.type = type;
    if (type != NULL && strcmp(type, "impersonated_service_account") == 0) {
        known = true;
        ok = read_impersonated(&typed, object, &identity, err);
    }
    for (size_t i = 0; !known && type != NULL && i < sizeof types / sizeof types[0]; i++) {
        known = strcmp(type, types[i].type) == 0;
        if (!known)
            continue;
        identity = calloc(1, sizeof *identity);
        if (identity == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory for credentials");
        identity->kind = types[i].kind;
        ok = types[i].read(&typed, object, identity, err);
        identity_keep_secrets(identity);
        if (ok && identity->kind == IDENTITY_EXTERNAL_ACCOUNT &&
            credential_file_optional(object, "service_account_impersonation_url", NULL) != NULL)
            ok = wrap_impersonated(&typed, object, &identity, err);
    }
    if (!known)
        return unknown_type(source, object, type, err);
    if (!ok) {
        identity_free(identity);
        return false;
    }
    *out_identity = identity;
    return true;
}
