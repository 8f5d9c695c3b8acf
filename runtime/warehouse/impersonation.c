/* Acting as another service account: generateAccessToken of the IAM Credentials API, with the token
 * of the identity we start from. */
#include "warehouse/identity.h"

#include "base/json_memory.h"
#include "base/json_strict.h"
#include "base/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_CEILING (1u << 16)

static char *request_body(const struct identity *identity, const char *scope)
{
    cJSON *body = cJSON_CreateObject();
    char life[24];

    snprintf(life, sizeof life, "%llds", (long long)identity->lifetime_s);
    if (identity->delegates != NULL)
        cJSON_AddItemToObject(body, "delegates", cJSON_Parse(identity->delegates));
    cJSON *scopes = cJSON_AddArrayToObject(body, "scope");
    cJSON_AddItemToArray(scopes, cJSON_CreateString(scope));
    cJSON_AddStringToObject(body, "lifetime", life);
    char *text = json_print(body);
    cJSON_Delete(body);
    return text;
}

/* "2026-01-02T03:04:05Z" as microseconds; 0 if the text is not such a time. */
static int64_t parse_time(const char *text)
{
    struct tm parts = {0};

    if (strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) == NULL)
        return 0;
    return (int64_t)timegm(&parts) * 1000000;
}

static bool read_answer(
    const struct identity *identity, const struct oauth *oauth, const struct http_answer *answer,
    struct token *out_token, struct error *err)
{
    cJSON *root = json_parse_answer(buffer_slice(&answer->body));
    const char *value = credential_file_optional(root, "accessToken", NULL);
    int64_t expires = parse_time(credential_file_optional(root, "expireTime", ""));

    secrets_keep(oauth->owner, value);
    bool ok =
        value == NULL
            ? error_set(err, ERROR_AUTH, "%s: the answer holds no accessToken", identity->label)
            : oauth_keep_token(value, identity->label, out_token, err);
    if (expires == 0)
        expires = oauth->clock->wall_us(oauth->clock->context) + identity->lifetime_s * 1000000;
    out_token->expires_us = expires;
    credential_file_wipe(root);
    return ok;
}

static void explain_refusal(const struct identity *identity, struct error *err)
{
    if (err->http_status != 403 && err->http_status != 404)
        return;
    error_note(
        err, "%s has to have roles/iam.serviceAccountTokenCreator on it", identity->source->label);
}

bool impersonation_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err)
{
    struct token source = {0};
    struct http_answer answer;
    struct buffer line;

    if (!identity_token(identity->source, oauth, OAUTH_SCOPE_IAM, &source, err))
        return error_wrap(err, "%s", identity->source->label);
    buffer_init_secret(&line, LINE_CEILING);
    buffer_printf(&line, "Authorization: Bearer %s", source.value);
    char *body = request_body(identity, scope);
    const struct http_request request = {
        .method = "POST",
        .url = identity->impersonation_url,
        .headers = {"Content-Type: application/json", buffer_text(&line)},
        .body = slice_of(body == NULL ? "" : body),
        .connect_timeout_ms = OAUTH_CONNECT_MS,
        .stall_timeout_ms = OAUTH_STALL_MS,
    };
    http_answer_init_secret(&answer);
    bool ok = body != NULL || error_set(err, ERROR_MEMORY, "out of memory for a token request");
    ok = ok && buffer_check(&line, "a token", err);
    if (ok && !oauth_request(oauth, &request, &answer, err)) {
        explain_refusal(identity, err);
        ok = false;
    }
    ok = ok && read_answer(identity, oauth, &answer, out_token, err);
    http_answer_clear(&answer);
    buffer_clear(&line);
    cJSON_free(body);
    token_clear(&source);
    return ok;
}
