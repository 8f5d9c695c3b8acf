/* Workload identity federation: a token of somebody else's is exchanged for one of Google's
 * (AIP-4117, RFC 8693). The foreign token is read afresh each time: it lives shortly. */
#include "warehouse/identity.h"

#include "base/base64.h"
#include "base/json_memory.h"
#include "base/json_strict.h"
#include "base/secrets.h"
#include "base/small_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_CEILING (1u << 16)
#define FORM_CEILING    (1u << 18)
#define EXCHANGE_GRANT  "urn:ietf:params:oauth:grant-type:token-exchange"
#define ACCESS_TOKEN    "urn:ietf:params:oauth:token-type:access_token"

static bool read_subject_file(const char *path, struct buffer *out, struct error *err)
{
    char words[SMALL_FILE_TEXT_SIZE];
    int reason = small_file_read(path, out);

    if (reason == ETIME)
        return error_set(
            err, ERROR_AUTH, "subject token file %s %s", path, small_file_text(reason, words));
    if (reason != 0)
        return error_set(
            err, small_file_code(reason, ERROR_AUTH), "subject token file %s cannot be read: %s",
            path, small_file_text(reason, words));
    return buffer_check(out, "a subject token", err);
}

static bool read_subject_url(
    const struct identity *identity, const struct oauth *oauth, struct buffer *out,
    struct error *err)
{
    struct http_answer answer;
    struct http_request request = {
        .method = "GET",
        .url = identity->subject_url,
        .connect_timeout_ms = OAUTH_CONNECT_MS,
        .stall_timeout_ms = OAUTH_STALL_MS,
        .no_proxy = true,
    };

    for (size_t i = 0; i < IDENTITY_MAX_HEADERS; i++)
        request.headers[i] = identity->subject_headers[i];
    http_answer_init_secret(&answer);
    bool ok = oauth_request(oauth, &request, &answer, err);
    if (ok) {
        buffer_append_slice(out, buffer_slice(&answer.body));
        ok = buffer_check(out, "a subject token", err);
    } else {
        error_wrap(err, "subject token");
    }
    http_answer_clear(&answer);
    return ok;
}

/* The text, or one field of the JSON document that it is; *out is owned. */
static bool extract_subject(
    const struct identity *identity, struct buffer *text, char **out, struct error *err)
{
    if (identity->subject_field != NULL) {
        cJSON *root = json_parse_answer(buffer_slice(text));
        const char *value = credential_file_optional(root, identity->subject_field, NULL);
        *out = value == NULL ? NULL : strdup(value);
        credential_file_wipe(root);
        return *out != NULL || error_set(
                                   err, ERROR_AUTH, "the subject token's document has no \"%s\"",
                                   identity->subject_field);
    }
    while (text->length > 0 && strchr(" \t\r\n", text->data[text->length - 1]) != NULL)
        text->length--;
    if (text->length == 0)
        return error_set(err, ERROR_AUTH, "the subject token is empty");
    *out = strdup(buffer_text(text));
    return *out != NULL || error_set(err, ERROR_MEMORY, "out of memory for a subject token");
}

static bool subject_token(
    const struct identity *identity, const struct oauth *oauth, char **out, struct error *err)
{
    struct buffer text;

    buffer_init_secret(&text, SUBJECT_CEILING);
    bool ok = identity->subject_file != NULL ? read_subject_file(identity->subject_file, &text, err)
                                             : read_subject_url(identity, oauth, &text, err);
    ok = ok && extract_subject(identity, &text, out, err);
    buffer_clear(&text);
    return ok;
}

/* Appends "Authorization: Basic ..." if the file names a client. */
static void add_client(const struct identity *identity, struct buffer *line)
{
    struct buffer pair;

    if (identity->client_id == NULL)
        return;
    buffer_init_secret(&pair, FORM_CEILING);
    buffer_printf(
        &pair, "%s:%s", identity->client_id,
        identity->client_secret == NULL ? "" : identity->client_secret);
    buffer_append_text(line, "Authorization: Basic ");
    base64_append(line, buffer_slice(&pair));
    if (pair.failure != BUFFER_OK)
        line->failure = pair.failure;
    buffer_clear(&pair);
}

static void add_options(const struct identity *identity, struct buffer *form)
{
    if (identity->user_project == NULL || identity->client_id != NULL)
        return;
    cJSON *options = cJSON_CreateObject();
    cJSON_AddStringToObject(options, "userProject", identity->user_project);
    char *text = json_print(options);
    if (text == NULL)
        form->failure = BUFFER_MEMORY;
    else
        oauth_add_field(form, "options", text);
    free(text);
    cJSON_Delete(options);
}

bool external_account_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err)
{
    struct buffer form;
    struct buffer line;
    char *subject = NULL;

    if (!subject_token(identity, oauth, &subject, err))
        return false;
    buffer_init_secret(&line, 2 * FORM_CEILING);
    add_client(identity, &line);
    buffer_init_secret(&form, FORM_CEILING);
    oauth_add_field(&form, "grant_type", EXCHANGE_GRANT);
    oauth_add_field(&form, "audience", identity->audience);
    oauth_add_field(&form, "scope", scope);
    oauth_add_field(&form, "requested_token_type", ACCESS_TOKEN);
    oauth_add_field(&form, "subject_token", subject);
    oauth_add_field(&form, "subject_token_type", identity->subject_token_type);
    add_options(identity, &form);
    const char *header = line.length > 0 ? buffer_text(&line) : NULL;
    secrets_keep(oauth->owner, subject);
    secrets_keep(oauth->owner, header == NULL ? NULL : strrchr(header, ' ') + 1);
    bool ok = buffer_check(&line, "a client's id and secret", err) &&
              oauth_post(oauth, identity->token_url, &form, header, out_token, err);
    buffer_clear(&form);
    buffer_clear(&line);
    oauth_wipe(subject);
    return ok;
}
