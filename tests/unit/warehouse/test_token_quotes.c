/* An endpoint that quotes its request: nothing of it that is a secret comes into an error. */
#include "support/prelude.h"

#include "base/secrets.h"
#include "token_endpoint.h"
#include "warehouse/identity.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUBJECT "foreign.Subject-token/0123456789"
#define RUN     16

/* In what an endpoint may quote, with the message's other words, which have to stay. */
static const struct {
    const char *answer;
    const char *stays;
} forms[] = {
    {"400 {\"error\":\"invalid_grant\",\"error_description\":\"Bad @QUOTE@ seen\"}",
     "http 400 invalid_grant: Bad "},
    {"401 {\"error\":\"@QUOTE@\"}", "http 401 "},
    {"403 {\"error\":{\"status\":\"PERMISSION_DENIED\",\"message\":\"No: @QUOTE@\"}}",
     "http 403 PERMISSION_DENIED: No: "},
    {"403 {\"error\":{\"status\":\"@QUOTE@\",\"message\":\"\"}}", "http 403 "},
    {"500 {\"error\":\"server_error\",\"error_description\":\"@QUOTE@\"}", "http 500 server_error"},
};

#define FORMS (sizeof forms / sizeof forms[0])

/* No 16 characters of the secret in a row, and not all of a shorter one. */
static void expect_absent(const struct error *err, const char *secret)
{
    size_t length = strlen(secret);
    size_t run = length < RUN ? length : RUN;
    char part[RUN + 1];

    assert_true(length > 5);
    for (size_t at = 0; at + run <= length; at++) {
        snprintf(part, sizeof part, "%.*s", (int)run, secret + at);
        if (strstr(err->message, part) != NULL || strstr(err->reason, part) != NULL)
            fail_msg("%s: \"%s\"", part, err->message);
    }
}

/* The error that these credentials end with. quoted: the request that is quoted. */
static void refuse(
    struct endpoint *endpoint, const char *content, size_t form, unsigned quoted,
    struct error *out_err)
{
    struct credentials *credentials = open_content(endpoint, content);
    char *header = NULL;

    endpoint->answers[quoted] = forms[form].answer;
    if (credentials_authorization(credentials, NULL, &header, out_err))
        fail_msg("form %zu: no error", form);
    if (strstr(out_err->message, forms[form].stays) == NULL)
        fail_msg("form %zu: \"%s\"", form, out_err->message);
    if (strstr(out_err->message, "[secret]") == NULL)
        fail_msg("form %zu: nothing was cut out of \"%s\"", form, out_err->message);
    credentials_close(credentials);
}

static void with_each_form(void (*test)(struct endpoint *endpoint, size_t form))
{
    for (size_t form = 0; form < FORMS; form++) {
        void *state = NULL;
        setup(&state);
        test(state, form);
        teardown(&state);
    }
}

static void refuse_service_account(struct endpoint *endpoint, size_t form)
{
    struct error err = {0};

    refuse(endpoint, SERVICE_ACCOUNT, form, 0, &err);
    expect_absent(&err, strstr(endpoint->bodies[0], "assertion=") + strlen("assertion="));
}

static void refuse_user(struct endpoint *endpoint, size_t form)
{
    struct error err = {0};

    refuse(endpoint, USER, form, 0, &err);
    expect_absent(&err, CLIENT_SECRET);
    expect_absent(&err, REFRESH_TOKEN);
    expect_absent(&err, "s%26t-of-client");
    expect_absent(&err, "r%2F1-of-user");
}

static void refuse_external(struct endpoint *endpoint, size_t form)
{
    struct error err = {0};
    char content[700];
    char subject[120];

    snprintf(subject, sizeof subject, "%s/subject", endpoint->keys.folder);
    FILE *file = fopen(subject, "w");
    fputs(SUBJECT, file);
    fclose(file);
    snprintf(
        content, sizeof content,
        "{\"type\":\"external_account\",\"audience\":\"//iam/x\",\"subject_token_type\":\"jwt\","
        "\"token_url\":\"@URL@/sts\",\"client_id\":\"c\",\"client_secret\":\"" CLIENT_SECRET "\","
        "\"credential_source\":{\"file\":\"%s\"}}",
        subject);
    refuse(endpoint, content, form, 0, &err);
    expect_absent(&err, SUBJECT);
    expect_absent(&err, "foreign.Subject-token%2F0123456789");
    expect_absent(&err, "YzpzJnQtb2YtY2xpZW50"); // c:CLIENT_SECRET
    unlink(subject);
}

static void refuse_impersonation(struct endpoint *endpoint, size_t form)
{
    struct error err = {0};

    endpoint->answers[0] = TOKEN("user");
    refuse(
        endpoint,
        "{\"type\":\"impersonated_service_account\","
        "\"service_account_impersonation_url\":\"@URL@/sa/a@b:generateAccessToken\","
        "\"source_credentials\":" USER "}",
        form, 1, &err);
    expect_absent(&err, ACCESS_TOKEN "user");
}

static void refuse_subject_url(struct endpoint *endpoint, size_t form)
{
    struct error err = {0};

    refuse(
        endpoint,
        "{\"type\":\"external_account\",\"audience\":\"aud\",\"subject_token_type\":\"jwt\","
        "\"token_url\":\"@URL@/sts\",\"credential_source\":{\"url\":\"@URL@/subject\","
        "\"headers\":{\"X-Identity\":\"identity-of-machine-1\"}}}",
        form, 0, &err);
    expect_absent(&err, "identity-of-machine-1");
}

#define QUOTING_TEST(name, refusal)                                                                \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        with_each_form(refusal);                                                                   \
    }

QUOTING_TEST(test_no_assertion_comes_back, refuse_service_account)
QUOTING_TEST(test_no_refresh_token_comes_back, refuse_user)
QUOTING_TEST(test_no_subject_token_comes_back, refuse_external)
QUOTING_TEST(test_no_token_of_the_source_comes_back, refuse_impersonation)
QUOTING_TEST(test_no_header_comes_back, refuse_subject_url)

/* Once nobody has them, nothing of them is kept to be compared with. */
static void test_closed_credentials_leave_nothing_behind(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    bool marks[40] = {false};

    endpoint->answers[0] = TOKEN("u");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "u");
    secrets_mark(ACCESS_TOKEN "u", strlen(ACCESS_TOKEN "u"), marks);
    assert_true(marks[0]);
    credentials_close(credentials);
    memset(marks, 0, sizeof marks);
    secrets_mark(ACCESS_TOKEN "u", strlen(ACCESS_TOKEN "u"), marks);
    secrets_mark(REFRESH_TOKEN, strlen(REFRESH_TOKEN), marks);
    assert_false(marks[0]);
}

static void test_headers_that_are_no_secret_are_not_kept(void **state)
{
    static const char *const lines[] = {
        "Accept: application/json", "content-type: application/json", "Metadata: true-true-true",
        "User-Agent: application/json"};
    static const char value[] = "application/json true-true-true";
    bool marks[40] = {false};
    char line[100];

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(line, sizeof line, "%s", lines[i]);
        struct identity identity = {.subject_headers = {line}};
        identity_keep_secrets(&identity);
        secrets_mark(value, strlen(value), marks);
        assert_null(memchr(marks, true, sizeof marks));
        secrets_forget(&identity);
    }
    snprintf(line, sizeof line, "Authorization: application/json");
    struct identity identity = {.subject_headers = {line}};
    identity_keep_secrets(&identity);
    secrets_mark(value, strlen(value), marks);
    assert_true(marks[0]);
    secrets_forget(&identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_assertion_comes_back),
        cmocka_unit_test(test_no_refresh_token_comes_back),
        cmocka_unit_test(test_no_subject_token_comes_back),
        cmocka_unit_test(test_no_token_of_the_source_comes_back),
        cmocka_unit_test(test_no_header_comes_back),
        cmocka_unit_test(test_headers_that_are_no_secret_are_not_kept),
        ENDPOINT_TEST(test_closed_credentials_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
