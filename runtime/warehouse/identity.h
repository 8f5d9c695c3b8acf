/* identity: one kind of credentials with what it needs, read from a checked file, and how it gets a
 * token (AIP-4111 to 4117). An impersonated identity has the one it starts from inside. Immutable
 * once read; requests go through struct oauth. For the files of this group. */
#ifndef BQSYNC_WAREHOUSE_IDENTITY_H
#define BQSYNC_WAREHOUSE_IDENTITY_H

#include "warehouse/credential_file.h"
#include "warehouse/oauth.h"

#include <openssl/evp.h>

#define IDENTITY_MAX_HEADERS 4

/* The kinds of credentials that a file or a machine of Google's can give. */
enum identity_kind {
    IDENTITY_SERVICE_ACCOUNT,
    IDENTITY_AUTHORIZED_USER,
    IDENTITY_EXTERNAL_ACCOUNT,
    IDENTITY_IMPERSONATED,
    IDENTITY_METADATA,
};

/* All texts are owned and wiped by identity_free; what a kind does not use is NULL. */
struct identity {
    enum identity_kind kind;
    /* for people: "service account x@y" */
    char *label;
    /* in IAM's words, NULL if not known: "serviceAccount:x@y" */
    char *member;

    /* service account */
    EVP_PKEY *key;
    char *client_email;
    char *key_id;
    /* the assertion is the token: no exchange */
    bool self_signed;

    /* authorized user; optional for an external account */
    char *client_id;
    char *client_secret;
    char *refresh_token;

    /* all but metadata and impersonated */
    char *token_url;

    /* external account */
    char *audience;
    char *subject_token_type;
    /* exactly one of file and url */
    char *subject_file;
    char *subject_url;
    char *subject_headers[IDENTITY_MAX_HEADERS];
    /* of a JSON document; NULL: the text is the token */
    char *subject_field;
    char *user_project;

    /* impersonated */
    struct identity *source;
    char *impersonation_url;
    /* a JSON array as text, NULL: none */
    char *delegates;
    int64_t lifetime_s;

    /* metadata server: "http://host" */
    char *metadata_root;
};

/* Reads the object of a file. *out_identity is owned. ERROR_AUTH names the file, the field and the
 * fix. */
MUST_CHECK bool identity_read(
    const struct credential_source *source, const cJSON *object, struct identity **out_identity,
    struct error *err);
/* The metadata server at root. NULL without memory. */
struct identity *identity_new_metadata(const char *root);
/* Keeps what it sends as a secret, so that no answer brings it into a message (base/secrets.h).
 * Called once its texts are complete. */
void identity_keep_secrets(const struct identity *identity);
/* Wipes its texts and the key, and frees it with the identity inside. NULL is fine. */
void identity_free(struct identity *identity);

/* Gets a token for the scope. *out_token is owned (token_clear). */
MUST_CHECK bool identity_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err);

/* The kinds that are implemented in a file of their own; called by identity_token alone. Errors:
 * ERROR_AUTH for a refusal or a bad file, ERROR_UNREACHABLE without an answer. */
MUST_CHECK bool external_account_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err);
MUST_CHECK bool impersonation_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err);
MUST_CHECK bool metadata_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err);

#endif
