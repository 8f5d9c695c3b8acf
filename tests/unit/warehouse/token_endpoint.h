/* token_endpoint: a token endpoint on loopback that keeps what it is sent, and credentials that
 * lead to it. */
#ifndef TESTS_UNIT_WAREHOUSE_TOKEN_ENDPOINT_H
#define TESTS_UNIT_WAREHOUSE_TOKEN_ENDPOINT_H

#include "support/prelude.h"

#include "base/clock.h"
#include "base/log.h"
#include "fixture.h"
#include "keys.h"
#include "support/http_server.h"
#include "support/printed.h"
#include "warehouse/credentials.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <pthread.h>

#define ANSWERS 8

#define CLIENT_SECRET "s&t-of-client"
#define REFRESH_TOKEN "r/1-of-user"
#define ACCESS_TOKEN  "access-granted-"

struct endpoint {
    struct keys keys;
    struct http_server *server;
    const char *answers[ANSWERS]; /* body, or "STATUS body"; the last one set is repeated */
    char heads[ANSWERS][2000];
    char bodies[ANSWERS][4000];
    pthread_mutex_t lock;
    unsigned requests;
    struct manual_clock clock;
};

/* More than a token may have. */
#define REPLY_SIZE 20000

/* Copies the text as a part of a JSON string. */
static inline char *copy_escaped(char *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("\"\\\r\n", *text) != NULL)
            *out++ = '\\';
        *out++ = (char)(*text == '\r' ? 'r' : *text == '\n' ? 'n' : *text);
    }
    return out;
}

/* The body of an answer: @QUOTE@ stands for the request, what was sent first. */
static inline void copy_quoting(char *out, const char *body, const char *head, const char *sent)
{
    while (*body != '\0') {
        bool quote = strncmp(body, "@QUOTE@", 7) == 0;
        if (quote)
            out = copy_escaped(copy_escaped(out, sent), head);
        else
            *out++ = *body;
        body += quote ? 7 : 1;
    }
    *out = '\0';
}

static inline void answer(
    void *context, const struct served_request *request, struct served_reply *out)
{
    static _Thread_local char reply[REPLY_SIZE + 200];
    static _Thread_local char quoting[REPLY_SIZE];
    struct endpoint *endpoint = context;
    unsigned index = request->number < ANSWERS ? request->number : ANSWERS - 1;
    const unsigned number = index;

    pthread_mutex_lock(&endpoint->lock);
    endpoint->requests++;
    snprintf(endpoint->heads[index], sizeof endpoint->heads[index], "%s", request->head);
    snprintf(
        endpoint->bodies[index], sizeof endpoint->bodies[index], "%.*s", (int)request->body_length,
        request->body);
    while (index > 0 && endpoint->answers[index] == NULL)
        index--;
    const char *body = endpoint->answers[index];
    copy_quoting(quoting, body, endpoint->heads[number], endpoint->bodies[number]);
    body = quoting;
    pthread_mutex_unlock(&endpoint->lock);
    int status = 200;
    if (isdigit((unsigned char)body[0])) {
        status = atoi(body);
        body += 4;
    }
    snprintf(
        reply, sizeof reply,
        "HTTP/1.1 %d X\r\nMetadata-Flavor: Google\r\nContent-Length: %zu\r\n\r\n%s", status,
        strlen(body), body);
    out->bytes = reply;
}

static inline int setup(void **state)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);

    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT);
    keys_init(&endpoint->keys);
    printed_secret("client_secret", CLIENT_SECRET);
    printed_secret("refresh_token", REFRESH_TOKEN);
    printed_secret("an access token", ACCESS_TOKEN);
    manual_clock_init(&endpoint->clock);
    pthread_mutex_init(&endpoint->lock, NULL);
    endpoint->server = http_server_start(answer, endpoint);
    *state = endpoint;
    return 0;
}

static inline int teardown(void **state)
{
    struct endpoint *endpoint = *state;

    http_server_stop(endpoint->server);
    keys_clear(&endpoint->keys);
    pthread_mutex_destroy(&endpoint->lock);
    free(endpoint);
    return 0;
}

#define ENDPOINT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static inline struct credentials *open_content(struct endpoint *endpoint, const char *content)
{
    struct credentials *credentials = NULL;
    struct error err = {0};

    keys_write(&endpoint->keys, content, http_server_url(endpoint->server));
    const struct credentials_options options = {
        .file = endpoint->keys.path,
        .clock = &endpoint->clock.clock,
        .allow_any_host = true,
    };
    expect_ok(credentials_open(&options, &credentials, &err));
    return credentials;
}

#define SERVICE_ACCOUNT                                                                            \
    "{\"type\":\"service_account\",\"client_email\":\"sync@p.iam.gserviceaccount.com\","           \
    "\"private_key_id\":\"k1\",\"private_key\":\"@KEY@\",\"token_uri\":\"@URL@/token\"}"
#define USER                                                                                       \
    "{\"type\":\"authorized_user\",\"client_id\":\"my id\",\"client_secret\":\"" CLIENT_SECRET     \
    "\","                                                                                          \
    "\"refresh_token\":\"" REFRESH_TOKEN "\",\"token_uri\":\"@URL@/token\"}"
#define TOKEN(value)                                                                               \
    "{\"access_token\":\"" ACCESS_TOKEN value "\",\"expires_in\":3600,\"token_type\":\"Bearer\"}"

static inline void expect_header(struct credentials *credentials, const char *expected)
{
    struct error err = {0};
    char *header = NULL;

    expect_ok(credentials_authorization(credentials, NULL, &header, &err));
    assert_string_equal(header, expected);
    credentials_wipe(header);
}

#endif
