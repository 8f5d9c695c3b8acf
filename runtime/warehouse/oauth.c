#include "warehouse/oauth.h"

#include "base/json_strict.h"
#include "base/json_text.h"
#include "base/secrets.h"
#include "base/text_fit.h"
#include "warehouse/foreign_text.h"
#include "warehouse/http_url.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Together less than the 30 s in which a command has to end when nothing answers. */
#define BUDGET_MS 20000
#define TRIES     3
/* Google promises at most 2,048 bytes of an access token, and 12 KB of a federated one ("Access
 * token size"); what is longer is no token. */
#define TOKEN_MAX 16384
/* When an answer does not say how long its token lives. */
#define DEFAULT_LIFE_S 3600
/* No token lives longer (IAM: 12 hours). */
#define LIFE_MAX_S 86400

void oauth_wipe(char *text)
{
    if (text == NULL)
        return;
    OPENSSL_cleanse(text, strlen(text));
    free(text);
}

void token_clear(struct token *token)
{
    oauth_wipe(token->value);
    *token = (struct token){0};
}

void oauth_add_field(struct buffer *form, const char *name, const char *value)
{
    if (form->length > 0)
        buffer_append_byte(form, '&');
    buffer_append_text(form, name);
    buffer_append_byte(form, '=');
    http_escape(form, value);
}

/* OAuth says {"error": "word", "error_description": "..."}, Google's APIs {"error": {...}}. */
static void read_refusal(const struct http_answer *answer, const char *host, struct error *err)
{
    cJSON *root = json_parse_answer(buffer_slice(&answer->body));
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
    const char *word =
        cJSON_IsObject(error) ? json_text_of(error, "status", "") : json_text_of(root, "error", "");
    const char *why = cJSON_IsObject(error) ? json_text_of(error, "message", "")
                                            : json_text_of(root, "error_description", "");
    char shown_word[500];
    char shown[500];

    // An endpoint may quote what it was sent.
    foreign_text(shown_word, sizeof shown_word, word);
    foreign_text(shown, sizeof shown, why);
    error_set(
        err, ERROR_AUTH, "%s: http %d%s%s%s%s", host, answer->status, word[0] == '\0' ? "" : " ",
        shown_word, why[0] == '\0' ? "" : ": ", shown);
    err->http_status = answer->status;
    err->retry_after_ms = answer->retry_after_ms;
    foreign_reason(err->reason, sizeof err->reason, word);
    cJSON_Delete(root);
}

bool oauth_request(
    const struct oauth *oauth, const struct http_request *request, struct http_answer *answer,
    struct error *err)
{
    struct retry retry;
    char host[256] = "";

    http_host(request->url, host, sizeof host);
    retry_begin(&retry, oauth->clock, BUDGET_MS, oauth->random);
    for (;;) {
        bool answered = oauth->http->perform(oauth->http->context, request, answer, err);
        if (answered && answer->status >= 200 && answer->status < 300)
            return true;
        if (answered)
            read_refusal(answer, host, err);
        const struct retry_event event = {
            .place = RETRY_TOKEN,
            .failure = answer->failure,
            .status = answer->status,
            .reason = answered ? err->reason : "",
            .message = err->message,
        };
        enum error_code code = err->code;
        enum retry_action action = retry_decide(&event, &code);
        // No answer at all is "unreachable" whatever broke on the way.
        if (answer->failure == HTTP_BROKEN)
            code = ERROR_UNREACHABLE;
        if (answer->failure != HTTP_LOCAL)
            err->code = code;
        int64_t pause = retry_next(
            &retry, answer->failure == HTTP_NOT_SENT, answered ? err->retry_after_ms : 0);
        if (action != RETRY_AGAIN || pause < 0 || retry.attempts >= TRIES)
            return false;
        if (oauth->traffic != NULL)
            oauth->traffic->retries[TRAFFIC_TOKEN]++;
        if (!retry_sleep(&retry, pause, err))
            return false;
    }
}

/* How long the token of the answer lives. */
static int64_t read_life_s(const cJSON *answer)
{
    const cJSON *life = cJSON_GetObjectItemCaseSensitive(answer, "expires_in");
    double seconds = cJSON_IsNumber(life) ? life->valuedouble : -1;
    char *end = NULL;

    if (cJSON_IsString(life)) {
        seconds = strtod(life->valuestring, &end);
        if (end == life->valuestring)
            seconds = -1;
    }
    // NaN is refused as well.
    if (!(seconds >= 0))
        return DEFAULT_LIFE_S;
    return seconds < LIFE_MAX_S ? (int64_t)seconds : LIFE_MAX_S;
}

bool oauth_keep_token(
    const char *value, const char *server, struct token *out_token, struct error *err)
{
    size_t length = strlen(value);

    if (length > TOKEN_MAX)
        return error_set(
            err, ERROR_AUTH, "%s: the access token has %zu bytes, more than %d: it is none", server,
            length, TOKEN_MAX);
    if (!http_is_word(value))
        return error_set(
            err, ERROR_AUTH,
            "%s: the access token holds a line break or another character that no token has, and "
            "is not used; does a proxy on the way answer for it?",
            server);
    out_token->value = strdup(value);
    return out_token->value != NULL || error_set(err, ERROR_MEMORY, "out of memory for a token");
}

bool oauth_read_token(
    const struct oauth *oauth, const struct http_answer *answer, const char *url,
    struct token *out_token, struct error *err)
{
    char host[256] = "";
    cJSON *root = json_parse_answer(buffer_slice(&answer->body));
    cJSON *value = cJSON_GetObjectItemCaseSensitive(root, "access_token");
    bool ok = cJSON_IsString(value) && value->valuestring[0] != '\0';

    http_host(url, host, sizeof host);
    if (ok) {
        ok = oauth_keep_token(value->valuestring, host, out_token, err);
        out_token->expires_us =
            oauth->clock->wall_us(oauth->clock->context) + read_life_s(root) * 1000000;
        secrets_keep(oauth->owner, value->valuestring);
        OPENSSL_cleanse(value->valuestring, strlen(value->valuestring));
    } else {
        error_set(err, ERROR_AUTH, "%s: the answer holds no access_token", host);
    }
    cJSON_Delete(root);
    return ok;
}

bool oauth_post(
    const struct oauth *oauth, const char *url, struct buffer *form, const char *authorization,
    struct token *out_token, struct error *err)
{
    struct http_answer answer;
    const struct http_request request = {
        .method = "POST",
        .url = url,
        .headers =
            {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json",
             authorization},
        .body = buffer_slice(form),
        .connect_timeout_ms = OAUTH_CONNECT_MS,
        .stall_timeout_ms = OAUTH_STALL_MS,
    };

    if (!buffer_check(form, "a token request", err))
        return false;
    http_answer_init_secret(&answer);
    bool ok = oauth_request(oauth, &request, &answer, err) &&
              oauth_read_token(oauth, &answer, url, out_token, err);
    http_answer_clear(&answer);
    return ok;
}
