/* oauth: one request to a token endpoint and the token in its answer (RFC 6749, RFC 8693), with the
 * few retries that such endpoints deserve. For the files of this group. */
#ifndef BQSYNC_WAREHOUSE_OAUTH_H
#define BQSYNC_WAREHOUSE_OAUTH_H

#include "base/clock.h"
#include "base/error.h"
#include "warehouse/http.h"
#include "warehouse/retry.h"
#include "warehouse/traffic.h"

#include <cjson/cJSON.h>

#define OAUTH_SCOPE     "https://www.googleapis.com/auth/bigquery"
#define OAUTH_SCOPE_IAM "https://www.googleapis.com/auth/iam"

/* Of requests to token endpoints and the like, which answer at once or not at all. */
#define OAUTH_CONNECT_MS 5000
#define OAUTH_STALL_MS   10000

/* What requests are made with. */
struct oauth {
    const struct http_ops *http;
    const struct clock *clock;
    uint64_t *random;
    struct traffic *traffic; /* where repeated requests are counted, NULL: nowhere */
    const void *owner;       /* of the tokens that are sent and received (base/secrets.h) */
};

/* An access token and the moment when it expires (wall clock). */
struct token {
    char *value; /* owned; token_clear wipes it */
    int64_t expires_us;
};
/* Wipes and frees the value; the struct may be used again. */
void token_clear(struct token *token);

/* Wipes and frees a text of ours that may be a secret; NULL is fine. */
void oauth_wipe(char *text);

/* Appends "name=value" with a & in front unless it is the first. */
void oauth_add_field(struct buffer *form, const char *name, const char *value);

/* Sends the request until an answer is good; *answer is initialised and cleared by the caller. On
 * failure err names the endpoint's host and holds OAuth's word in reason, its description in the
 * message. */
MUST_CHECK bool oauth_request(
    const struct oauth *oauth, const struct http_request *request, struct http_answer *answer,
    struct error *err);

/* POSTs the form to url and reads the token of the answer. authorization: that header's whole line,
 * NULL for none. *out_token is owned (token_clear); errors as oauth_request, or ERROR_AUTH for an
 * answer without a token. */
MUST_CHECK bool oauth_post(
    const struct oauth *oauth, const char *url, struct buffer *form, const char *authorization,
    struct token *out_token, struct error *err);

/* Keeps the text of an access token that came from the server of that name. ERROR_AUTH if it is
 * none: too long, or with characters that no header takes. */
MUST_CHECK bool oauth_keep_token(
    const char *value, const char *server, struct token *out_token, struct error *err);

/* Reads {"access_token", "expires_in"} of an answer; url is for messages. *out_token is owned
 * (token_clear). */
MUST_CHECK bool oauth_read_token(
    const struct oauth *oauth, const struct http_answer *answer, const char *url,
    struct token *out_token, struct error *err);

#endif
