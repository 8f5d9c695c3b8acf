#include "warehouse/identity.h"

#include "base/secrets.h"
#include "warehouse/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FORM_CEILING (1u << 16)
#define JWT_GRANT    "urn:ietf:params:oauth:grant-type:jwt-bearer"
/* AIP-4111: exactly an hour; longer ones are refused. */
#define ASSERTION_LIFE_S 3600
/* A clock that runs a little fast would have signed in the future. */
#define BACKDATE_S 10
/* A header's value of fewer characters ("Metadata: true") is no token. */
#define HEADER_LEAST 12

struct identity *identity_new_metadata(const char *root)
{
    struct identity *identity = calloc(1, sizeof *identity);

    if (identity == NULL)
        return NULL;
    identity->kind = IDENTITY_METADATA;
    identity->metadata_root = strdup(root);
    identity->label = strdup("service account of this machine");
    if (identity->metadata_root == NULL || identity->label == NULL) {
        identity_free(identity);
        return NULL;
    }
    return identity;
}

/* Headers that say what is sent or wanted: answers are full of such words. */
static bool is_plain_header(const char *line)
{
    static const char *const names[] = {
        "Accept:", "Content-Type:", "Metadata:", "Metadata-Flavor:", "User-Agent:"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

void identity_keep_secrets(const struct identity *identity)
{
    secrets_keep(identity, identity->client_secret);
    secrets_keep(identity, identity->refresh_token);
    for (size_t i = 0; i < IDENTITY_MAX_HEADERS && identity->subject_headers[i] != NULL; i++) {
        const char *value = strstr(identity->subject_headers[i], ": ");
        if (value != NULL && !is_plain_header(identity->subject_headers[i]) &&
            strlen(value + 2) >= HEADER_LEAST)
            secrets_keep(identity, value + 2);
    }
}

void identity_free(struct identity *identity)
{
    if (identity == NULL)
        return;
    char *const texts[] = {
        identity->label,
        identity->member,
        identity->client_email,
        identity->key_id,
        identity->client_id,
        identity->client_secret,
        identity->refresh_token,
        identity->token_url,
        identity->audience,
        identity->subject_token_type,
        identity->subject_file,
        identity->subject_url,
        identity->subject_field,
        identity->user_project,
        identity->impersonation_url,
        identity->delegates,
        identity->metadata_root,
        identity->subject_headers[0],
        identity->subject_headers[1],
        identity->subject_headers[2],
        identity->subject_headers[3],
    };

    secrets_forget(identity);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        oauth_wipe(texts[i]);
    EVP_PKEY_free(identity->key);
    identity_free(identity->source);
    free(identity);
}

static int64_t wall_s(const struct oauth *oauth)
{
    return oauth->clock->wall_us(oauth->clock->context) / 1000000;
}

static bool assertion(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct buffer *out, struct error *err)
{
    int64_t issued = wall_s(oauth) - BACKDATE_S;
    const struct jwt_claims claims = {
        .issuer = identity->client_email,
        .subject = identity->self_signed ? identity->client_email : NULL,
        .audience = identity->self_signed ? NULL : identity->token_url,
        .scope = scope,
        .issued_s = issued,
        .expires_s = issued + ASSERTION_LIFE_S,
    };

    return jwt_sign(identity->key, identity->key_id, &claims, out, err);
}

/* What a refused assertion mostly means, by what Google writes about it. */
static void explain_assertion(const struct oauth *oauth, struct error *err)
{
    char now[CLOCK_TEXT_SIZE];

    if (strcmp(err->reason, "invalid_grant") != 0)
        return;
    if (strstr(err->message, "Invalid JWT Signature") != NULL ||
        strstr(err->message, "ccount not found") != NULL)
        error_note(err, "the key or its account was deleted or disabled; create a new key");
    else
        error_note(
            err, "if the key is in order, this machine's clock is wrong; it says %s",
            clock_format(oauth->clock->wall_us(oauth->clock->context), now));
}

static bool service_account_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err)
{
    struct buffer jwt;
    struct buffer form;

    buffer_init_secret(&jwt, FORM_CEILING);
    buffer_init_secret(&form, FORM_CEILING);
    bool ok = assertion(identity, oauth, scope, &jwt, err);
    secrets_keep(oauth->owner, buffer_text(&jwt));
    if (ok && identity->self_signed) {
        out_token->expires_us = (wall_s(oauth) - BACKDATE_S + ASSERTION_LIFE_S) * 1000000;
        out_token->value = strdup(buffer_text(&jwt));
        ok = out_token->value != NULL || error_set(err, ERROR_MEMORY, "out of memory for a token");
    } else if (ok) {
        oauth_add_field(&form, "grant_type", JWT_GRANT);
        oauth_add_field(&form, "assertion", buffer_text(&jwt));
        ok = oauth_post(oauth, identity->token_url, &form, NULL, out_token, err);
        if (!ok)
            explain_assertion(oauth, err);
    }
    buffer_clear(&form);
    buffer_clear(&jwt);
    return ok;
}

static bool authorized_user_token(
    const struct identity *identity, const struct oauth *oauth, struct token *out_token,
    struct error *err)
{
    struct buffer form;

    buffer_init_secret(&form, FORM_CEILING);
    oauth_add_field(&form, "grant_type", "refresh_token");
    oauth_add_field(&form, "client_id", identity->client_id);
    oauth_add_field(&form, "client_secret", identity->client_secret);
    oauth_add_field(&form, "refresh_token", identity->refresh_token);
    bool ok = oauth_post(oauth, identity->token_url, &form, NULL, out_token, err);
    buffer_clear(&form);
    if (!ok && strcmp(err->reason, "invalid_grant") == 0)
        error_note(err, "the login has ended; run: gcloud auth application-default login");
    return ok;
}

bool identity_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err)
{
    switch (identity->kind) {
    case IDENTITY_SERVICE_ACCOUNT:
        return service_account_token(identity, oauth, scope, out_token, err);
    case IDENTITY_AUTHORIZED_USER:
        return authorized_user_token(identity, oauth, out_token, err);
    case IDENTITY_EXTERNAL_ACCOUNT:
        return external_account_token(identity, oauth, scope, out_token, err);
    case IDENTITY_IMPERSONATED:
        return impersonation_token(identity, oauth, scope, out_token, err);
    case IDENTITY_METADATA:
        break;
    }
    return metadata_token(identity, oauth, scope, out_token, err);
}
