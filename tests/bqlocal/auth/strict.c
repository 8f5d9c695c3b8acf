#include "bqlocal/auth/strict.h"

#include "base/buffer.h"
#include "bqlocal/auth/jwt_verify.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/text_file.h"
#include "bqlocal/store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FORM_BYTES_MAX ((size_t)1 << 20)
#define TOKENS_MAX     1000

/* Google takes assertions that live at most an hour, from clocks that are off by a few minutes. */
#define ASSERTION_SECONDS_MAX 3600
#define CLOCK_SECONDS_OFF     300

#define GRANT_ASSERTION "urn:ietf:params:oauth:grant-type:jwt-bearer"

struct account {
    char *email;
    char *key_id; /* NULL: any */
    EVP_PKEY *key;
};

struct token {
    char text[80];
    char *account;
    int64_t issued_ms;
    int64_t expires_ms;
    bool revoked;
    int64_t uses;
};

struct strict {
    struct account *accounts;
    size_t account_count;
    cJSON *users; /* {"client_id", "client_secret", "refresh_token"} each; NULL if none */
    int64_t token_seconds;
    char *audience; /* NULL: any token endpoint of ours or Google's */
    bool self_signed;
    char *tls_key;
    char *tls_certificate;
    struct token tokens[TOKENS_MAX]; /* the oldest make room */
    size_t token_count;
};

/* A file that is named by another, in whose folder a relative name starts. */
static bool read_file(const char *beside, const char *name, char **out_text, struct error *err)
{
    const char *slash = strrchr(beside, '/');
    bool relative = name[0] != '/' && slash != NULL;
    char path[4096];

    snprintf(path, sizeof path, "%.*s%s", relative ? (int)(slash + 1 - beside) : 0, beside, name);
    return text_file_read(path, out_text, err);
}

static bool read_account(
    const cJSON *item, const char *path, struct account *account, struct error *err)
{
    const char *email = json_text(item, "client_email");
    const char *pem = json_text(item, "public_key");
    const char *file = json_text(item, "public_key_file");
    char *text = NULL;

    if (email == NULL || (pem == NULL) == (file == NULL))
        return error_set(
            err, ERROR_USAGE,
            "%s: an account needs client_email and one of public_key, public_key_file", path);
    if (file != NULL && !read_file(path, file, &text, err))
        return false;
    bool ok = jwt_key_read(pem != NULL ? pem : text, &account->key, err);
    free(text);
    if (!ok)
        return error_wrap(err, "%s: key of %s", path, email);
    account->email = strdup(email);
    account->key_id = json_text_copy(item, "private_key_id");
    return true;
}

static bool read_accounts(
    struct strict *strict, const cJSON *list, const char *path, struct error *err)
{
    const cJSON *item;

    strict->accounts = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *strict->accounts);
    if (strict->accounts == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for accounts");
    cJSON_ArrayForEach(item, list)
    {
        if (!read_account(item, path, &strict->accounts[strict->account_count++], err))
            return false;
    }
    return true;
}

static bool read_tls(struct strict *strict, const cJSON *tls, const char *path, struct error *err)
{
    const char *key = json_text(tls, "key_file");
    const char *certificate = json_text(tls, "certificate_file");

    if (tls == NULL)
        return true;
    if (key == NULL || certificate == NULL)
        return error_set(err, ERROR_USAGE, "%s: tls needs key_file and certificate_file", path);
    return read_file(path, key, &strict->tls_key, err) &&
           read_file(path, certificate, &strict->tls_certificate, err);
}

static bool check_keys(const cJSON *document, const char *path, struct error *err)
{
    static const char *const keys[] = {
        "accounts", "users", "token_lifetime", "audience", "self_signed", "tls",
    };
    const cJSON *item;

    if (!cJSON_IsObject(document))
        return error_set(err, ERROR_USAGE, "%s: expected an object", path);
    cJSON_ArrayForEach(item, document)
    {
        bool known = false;
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            known = known || strcmp(item->string, keys[i]) == 0;
        if (!known)
            return error_set(err, ERROR_USAGE, "%s: unknown key \"%.60s\"", path, item->string);
    }
    return true;
}

static bool read_settings(
    struct strict *strict, const cJSON *document, const char *path, struct error *err)
{
    const cJSON *users = json_at(document, "users");

    strict->token_seconds = json_number(document, "token_lifetime", 3600);
    strict->self_signed = json_bool(document, "self_signed", true);
    strict->audience = json_text_copy(document, "audience");
    strict->users = users == NULL ? NULL : cJSON_Duplicate(users, true);
    return check_keys(document, path, err) &&
           read_accounts(strict, json_at(document, "accounts"), path, err) &&
           read_tls(strict, json_at(document, "tls"), path, err);
}

bool strict_new(const char *path, struct strict **out_strict, struct error *err)
{
    struct strict *strict = calloc(1, sizeof *strict);
    cJSON *document = NULL;

    if (strict == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for credentials");
    bool ok =
        text_file_read_json(path, &document, err) && read_settings(strict, document, path, err);
    cJSON_Delete(document);
    if (!ok) {
        strict_free(strict);
        return false;
    }
    *out_strict = strict;
    return true;
}

void strict_free(struct strict *strict)
{
    if (strict == NULL)
        return;
    for (size_t i = 0; i < strict->account_count; i++) {
        free(strict->accounts[i].email);
        free(strict->accounts[i].key_id);
        EVP_PKEY_free(strict->accounts[i].key);
    }
    for (size_t i = 0; i < strict->token_count; i++)
        free(strict->tokens[i].account);
    free(strict->accounts);
    cJSON_Delete(strict->users);
    free(strict->audience);
    free(strict->tls_key);
    free(strict->tls_certificate);
    free(strict);
}

bool strict_tls(const struct strict *strict, const char **out_key, const char **out_certificate)
{
    if (strict == NULL || strict->tls_key == NULL)
        return false;
    *out_key = strict->tls_key;
    *out_certificate = strict->tls_certificate;
    return true;
}

/* The account whose key signed the token; ERROR_AUTH with Google's words otherwise. */
static const struct account *find_signer(
    const struct strict *strict, const char *token, const cJSON *header, const cJSON *claims,
    struct error *err)
{
    const char *algorithm = json_text(header, "alg");
    const char *key_id = json_text(header, "kid");
    const char *issuer = json_text(claims, "iss");
    bool known = false;

    if (algorithm == NULL || strcmp(algorithm, "RS256") != 0) {
        error_set(err, ERROR_AUTH, "Invalid JWT: alg has to be RS256");
        return NULL;
    }
    for (size_t i = 0; i < strict->account_count; i++) {
        const struct account *account = &strict->accounts[i];
        if (issuer == NULL || strcmp(account->email, issuer) != 0)
            continue;
        // Without an id any key of the account may have signed (RFC 7515, section 4.1.4).
        bool named =
            account->key_id == NULL || key_id == NULL || strcmp(account->key_id, key_id) == 0;
        if (named && jwt_is_signed_by(token, account->key))
            return account;
        known = known || named;
    }
    error_set(
        err, ERROR_AUTH, known ? "Invalid JWT Signature." : "Invalid grant: account not found");
    return NULL;
}

static bool check_times(const struct store *store, const cJSON *claims, struct error *err)
{
    int64_t now = store_now_ms(store) / 1000;
    int64_t issued = json_number(claims, "iat", -1);
    int64_t expires = json_number(claims, "exp", -1);

    if (issued < 0 || expires < 0 || issued > now + CLOCK_SECONDS_OFF || expires <= now ||
        expires - issued > ASSERTION_SECONDS_MAX)
        return error_set(
            err, ERROR_AUTH,
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
            "timeframe. Check your iat and exp values in the JWT claim.");
    return true;
}

static bool has_scope(const cJSON *claims)
{
    const char *scope = json_text(claims, "scope");

    return scope != NULL && (strstr(scope, "/auth/bigquery") != NULL ||
                             strstr(scope, "/auth/cloud-platform") != NULL);
}

static bool check_audience(
    const struct strict *strict, const struct request *request, const cJSON *claims,
    struct error *err)
{
    const char *audience = json_text(claims, "aud");
    bool good = false;

    if (audience != NULL && strict->audience != NULL) {
        good = strcmp(audience, strict->audience) == 0;
    } else if (audience != NULL) {
        size_t length = strlen(request->origin);
        good = strcmp(audience, "https://oauth2.googleapis.com/token") == 0 ||
               (strncmp(audience, request->origin, length) == 0 &&
                strcmp(audience + length, "/token") == 0);
    }
    return good || error_set(err, ERROR_AUTH, "Invalid JWT: Failed audience check.");
}

/* A token endpoint's error (RFC 6749), which is not Google's API error. */
static bool answer_grant_error(
    struct request *request, int status, const char *error, const char *description)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "error", error);
    cJSON_AddStringToObject(body, "error_description", description);
    return answer_json(&request->answer, status, body);
}

static bool answer_token(const struct parts *in, struct request *request, const char *account)
{
    struct strict *strict = in->strict;
    int64_t now = store_now_ms(in->store);
    unsigned char random[16];

    if (strict->token_count == TOKENS_MAX) {
        free(strict->tokens[0].account);
        memmove(
            &strict->tokens[0], &strict->tokens[1], (TOKENS_MAX - 1) * sizeof strict->tokens[0]);
        strict->token_count--;
    }
    struct token *token = &strict->tokens[strict->token_count++];
    *token = (struct token){
        .account = strdup(account),
        .issued_ms = now,
        .expires_ms = now + strict->token_seconds * 1000,
    };
    strcpy(token->text, "ya29.bqlocal-");
    sqlite3_randomness(sizeof random, random);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(token->text + 13 + 2 * i, 3, "%02x", random[i]);

    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "access_token", token->text);
    cJSON_AddNumberToObject(body, "expires_in", (double)strict->token_seconds);
    cJSON_AddStringToObject(body, "token_type", "Bearer");
    return answer_json(&request->answer, 200, body);
}

/* A value of a form (application/x-www-form-urlencoded), decoded and owned; NULL if it is not
 * there. */
static char *form_value(struct buffer *form, const char *name)
{
    size_t length = strlen(name);
    const char *at = buffer_text(form);
    struct buffer out;

    while (at != NULL && (strncmp(at, name, length) != 0 || at[length] != '=')) {
        at = strchr(at, '&');
        at = at == NULL ? NULL : at + 1;
    }
    if (at == NULL)
        return NULL;
    buffer_init(&out, FORM_BYTES_MAX);
    for (at += length + 1; *at != '\0' && *at != '&'; at++) {
        unsigned code;
        if (*at == '%' && sscanf(at + 1, "%2x", &code) == 1 && at[2] != '\0') {
            buffer_append_byte(&out, (uint8_t)code);
            at += 2;
        } else {
            buffer_append_byte(&out, *at == '+' ? ' ' : (uint8_t)*at);
        }
    }
    return buffer_take(&out);
}

static bool grant_assertion(const struct parts *in, struct request *request, const char *assertion)
{
    const struct account *account = NULL;
    cJSON *header = NULL;
    cJSON *claims = NULL;
    struct error err;

    if (assertion == NULL)
        return answer_grant_error(request, 400, "invalid_request", "Missing parameter: assertion");
    bool ok = jwt_parse(assertion, &header, &claims, &err) &&
              (account = find_signer(in->strict, assertion, header, claims, &err)) != NULL &&
              check_times(in->store, claims, &err) &&
              check_audience(in->strict, request, claims, &err);
    bool scoped = ok && has_scope(claims);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    if (!ok)
        return answer_grant_error(request, 400, "invalid_grant", err.message);
    if (!scoped)
        return answer_grant_error(
            request, 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    return answer_token(in, request, account->email);
}

static bool same_value(struct buffer *form, const cJSON *user, const char *key)
{
    const char *wanted = json_text(user, key);
    char *given = form_value(form, key);
    bool same = wanted != NULL && given != NULL && strcmp(wanted, given) == 0;

    free(given);
    return same;
}

static bool grant_refresh(const struct parts *in, struct request *request)
{
    const cJSON *user;

    cJSON_ArrayForEach(user, in->strict->users)
    {
        if (same_value(&request->body, user, "client_id") &&
            same_value(&request->body, user, "client_secret") &&
            same_value(&request->body, user, "refresh_token"))
            return answer_token(in, request, json_text(user, "client_id"));
    }
    return answer_grant_error(request, 400, "invalid_grant", "Token has been expired or revoked.");
}

bool strict_token(const struct parts *in, struct request *request, struct error *err)
{
    char *grant;
    char *assertion;
    bool ok;

    if (in->strict == NULL)
        return failure_set(err, "notFound", "bqlocal hands out tokens with --strict only");
    grant = form_value(&request->body, "grant_type");
    assertion = form_value(&request->body, "assertion");
    if (grant != NULL && strcmp(grant, GRANT_ASSERTION) == 0)
        ok = grant_assertion(in, request, assertion);
    else if (grant != NULL && strcmp(grant, "refresh_token") == 0)
        ok = grant_refresh(in, request);
    else
        ok = answer_grant_error(request, 400, "unsupported_grant_type", "Invalid grant_type");
    free(grant);
    free(assertion);
    return ok;
}

static bool unauthorized(struct error *err, const char *what)
{
    return failure_set(
        err, "authError",
        "Request %s. Expected OAuth 2 access token, login cookie or other valid authentication "
        "credential.",
        what);
}

/* A token that an account has signed itself, instead of exchanging an assertion for it. */
static bool check_self_signed(const struct parts *in, const char *token, struct error *err)
{
    cJSON *header = NULL;
    cJSON *claims = NULL;
    struct error why;

    if (!in->strict->self_signed || !jwt_parse(token, &header, &claims, &why))
        return unauthorized(err, "had invalid authentication credentials");
    const char *issuer = json_text(claims, "iss");
    const char *subject = json_text(claims, "sub");
    const char *audience = json_text(claims, "aud");
    // Either the audience or scopes, never both (AIP-4111).
    bool for_us = audience != NULL && json_text(claims, "scope") == NULL
                      ? strcmp(audience, "https://bigquery.googleapis.com/") == 0
                      : audience == NULL && has_scope(claims);
    bool good = issuer != NULL && subject != NULL && strcmp(issuer, subject) == 0 && for_us &&
                find_signer(in->strict, token, header, claims, &why) != NULL &&
                check_times(in->store, claims, &why);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    return good || unauthorized(err, "had invalid authentication credentials");
}

bool strict_allows(const struct parts *in, const struct request *request, struct error *err)
{
    const char *header = request_header(request, "Authorization");
    struct strict *strict = in->strict;

    if (strict == NULL)
        return true;
    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
        return unauthorized(err, "is missing required authentication credential");
    const char *text = header + 7;
    for (size_t i = 0; i < strict->token_count; i++) {
        struct token *token = &strict->tokens[i];
        if (strcmp(token->text, text) != 0)
            continue;
        if (token->revoked || token->expires_ms <= store_now_ms(in->store))
            return unauthorized(err, "had invalid authentication credentials");
        token->uses++;
        return true;
    }
    return check_self_signed(in, text, err);
}

bool strict_describe(const struct parts *in, struct request *request, struct error *err)
{
    const struct strict *strict = in->strict;
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "tokens");
    (void)err;

    for (size_t i = 0; strict != NULL && i < strict->token_count; i++) {
        const struct token *token = &strict->tokens[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "account", token->account);
        cJSON_AddNumberToObject(item, "issued_ms", (double)token->issued_ms);
        cJSON_AddNumberToObject(item, "expires_ms", (double)token->expires_ms);
        cJSON_AddBoolToObject(item, "revoked", token->revoked);
        cJSON_AddNumberToObject(item, "uses", (double)token->uses);
        cJSON_AddItemToArray(list, item);
    }
    return answer_json(&request->answer, 200, body);
}

bool strict_revoke(const struct parts *in, struct request *request, struct error *err)
{
    struct strict *strict = in->strict;
    (void)err;

    for (size_t i = 0; strict != NULL && i < strict->token_count; i++)
        strict->tokens[i].revoked = true;
    return answer_empty(&request->answer, 204);
}
