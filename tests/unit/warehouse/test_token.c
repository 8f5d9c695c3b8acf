/* Good credentials: the requests they lead to, against a token endpoint on loopback that checks
 * them. */
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

static void answer(void *context, const struct served_request *request, struct served_reply *out)
{
    static _Thread_local char reply[3000];
    struct endpoint *endpoint = context;
    unsigned index = request->number < ANSWERS ? request->number : ANSWERS - 1;

    pthread_mutex_lock(&endpoint->lock);
    endpoint->requests++;
    snprintf(endpoint->heads[index], sizeof endpoint->heads[index], "%s", request->head);
    snprintf(
        endpoint->bodies[index], sizeof endpoint->bodies[index], "%.*s", (int)request->body_length,
        request->body);
    while (index > 0 && endpoint->answers[index] == NULL)
        index--;
    const char *body = endpoint->answers[index];
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

static int setup(void **state)
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

static int teardown(void **state)
{
    struct endpoint *endpoint = *state;

    http_server_stop(endpoint->server);
    keys_clear(&endpoint->keys);
    pthread_mutex_destroy(&endpoint->lock);
    free(endpoint);
    return 0;
}

#define ENDPOINT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct credentials *open_content(struct endpoint *endpoint, const char *content)
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

static void expect_header(struct credentials *credentials, const char *expected)
{
    struct error err = {0};
    char *header = NULL;

    expect_ok(credentials_authorization(credentials, NULL, &header, &err));
    assert_string_equal(header, expected);
    credentials_wipe(header);
}

/* --- assertions -------------------------------------------------------------------------- */

/* base64url to bytes; returns their number. */
static size_t decode(const char *text, size_t length, unsigned char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned have = 0;
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        const char *digit = strchr(digits, text[i]);
        assert_non_null(digit);
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[count++] = (unsigned char)(bits >> have);
        }
    }
    return count;
}

/* Checks the signature with the public half, and returns the claims as JSON. */
static cJSON *verified_claims(EVP_PKEY *key, const char *jwt, cJSON **out_header)
{
    unsigned char header[1000];
    unsigned char claims[2000];
    unsigned char signature[1000];
    const char *first = strchr(jwt, '.');
    const char *second = strchr(first + 1, '.');
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    size_t header_length = decode(jwt, (size_t)(first - jwt), header);
    size_t claims_length = decode(first + 1, (size_t)(second - first - 1), claims);
    size_t signature_length = decode(second + 1, strlen(second + 1), signature);
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestVerify(
            context, signature, signature_length, (const unsigned char *)jwt,
            (size_t)(second - jwt)),
        1);
    EVP_MD_CTX_free(context);
    *out_header = cJSON_ParseWithLength((const char *)header, header_length);
    return cJSON_ParseWithLength((const char *)claims, claims_length);
}

static void expect_claim(const cJSON *claims, const char *name, const char *expected)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(claims, name));

    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text, expected);
}

static void test_a_service_account_signs_an_assertion_for_an_hour(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, SERVICE_ACCOUNT);
    const char *prefix =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    char audience[100];
    cJSON *header = NULL;

    endpoint->answers[0] = TOKEN("t1");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");

    assert_memory_equal(endpoint->bodies[0], prefix, strlen(prefix));
    assert_non_null(strstr(endpoint->heads[0], "POST /token "));
    assert_non_null(
        strstr(endpoint->heads[0], "Content-Type: application/x-www-form-urlencoded\r\n"));
    cJSON *claims =
        verified_claims(endpoint->keys.key, endpoint->bodies[0] + strlen(prefix), &header);
    snprintf(audience, sizeof audience, "%s/token", http_server_url(endpoint->server));
    expect_claim(header, "alg", "RS256");
    expect_claim(header, "typ", "JWT");
    expect_claim(header, "kid", "k1");
    expect_claim(claims, "iss", "sync@p.iam.gserviceaccount.com");
    expect_claim(claims, "sub", NULL);
    expect_claim(claims, "aud", audience);
    expect_claim(claims, "scope", "https://www.googleapis.com/auth/bigquery");
    double issued = cJSON_GetNumberValue(cJSON_GetObjectItem(claims, "iat"));
    assert_int_equal((int64_t)issued, MANUAL_CLOCK_START_S - 10);
    assert_int_equal(
        (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(claims, "exp")),
        MANUAL_CLOCK_START_S - 10 + 3600);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    credentials_close(credentials);
}

static void test_outside_of_googles_universe_the_assertion_is_the_token(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(
        endpoint, "{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":"
                  "\"@KEY@\",\"universe_domain\":\"apis.example\"}");
    struct error err = {0};
    char *token = NULL;
    cJSON *header = NULL;

    expect_ok(credentials_authorization(credentials, NULL, &token, &err));

    assert_memory_equal(token, "Bearer ", 7);
    cJSON *claims = verified_claims(endpoint->keys.key, token + 7, &header);
    expect_claim(claims, "iss", "a@b");
    expect_claim(claims, "sub", "a@b");
    expect_claim(claims, "aud", NULL);
    expect_claim(claims, "scope", "https://www.googleapis.com/auth/bigquery");
    assert_int_equal(endpoint->requests, 0);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    credentials_wipe(token);
    credentials_close(credentials);
}

/* --- the other kinds --------------------------------------------------------------------- */

static void test_a_user_refreshes_by_form(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);

    endpoint->answers[0] = "{\"access_token\":\"u\",\"expires_in\":\"3599\"}";
    expect_header(credentials, "Bearer u");

    assert_string_equal(
        endpoint->bodies[0], "grant_type=refresh_token&client_id=my%20id&client_secret=s%26t-of-"
                             "client&refresh_token=r%2F1-of-user");
    credentials_close(credentials);
}

static void test_a_foreign_token_from_a_file_is_exchanged(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = NULL;
    char content[700];
    char subject[120];

    snprintf(subject, sizeof subject, "%s/subject", endpoint->keys.folder);
    FILE *file = fopen(subject, "w");
    fputs("{\"id_token\":\"foreign\"}", file);
    fclose(file);
    snprintf(
        content, sizeof content,
        "{\"type\":\"external_account\",\"audience\":\"//iam/x\",\"subject_token_type\":\"jwt\","
        "\"token_url\":\"@URL@/sts\",\"client_id\":\"c\",\"client_secret\":\"s\","
        "\"credential_source\":{\"file\":\"%s\",\"format\":{\"type\":\"json\","
        "\"subject_token_field_name\":\"id_token\"}}}",
        subject);
    credentials = open_content(endpoint, content);
    endpoint->answers[0] = TOKEN("x");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "x");

    assert_string_equal(
        endpoint->bodies[0],
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=%2F%2Fiam%"
        "2Fx"
        "&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fbigquery&requested_token_type=urn%3Aietf%"
        "3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&subject_token=foreign&subject_token_type="
        "jwt");
    assert_non_null(strstr(endpoint->heads[0], "Authorization: Basic Yzpz\r\n"));
    credentials_close(credentials);
    unlink(subject);
}

static void test_a_foreign_token_from_a_url_leads_to_another_account(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(
        endpoint,
        "{\"type\":\"external_account\",\"audience\":\"aud\",\"subject_token_type\":\"jwt\","
        "\"token_url\":\"@URL@/sts\",\"service_account_impersonation_url\":"
        "\"@URL@/v1/projects/-/serviceAccounts/a@b:generateAccessToken\","
        "\"credential_source\":{\"url\":\"@URL@/subject\",\"headers\":{\"Metadata\":\"True\"}}}");

    endpoint->answers[0] = "foreign\n";
    endpoint->answers[1] = TOKEN("middle");
    endpoint->answers[2] = "{\"accessToken\":\"final\",\"expireTime\":\"2026-01-02T04:04:05Z\"}";
    expect_header(credentials, "Bearer final");

    assert_non_null(strstr(endpoint->heads[0], "GET /subject "));
    assert_non_null(strstr(endpoint->heads[0], "Metadata: True\r\n"));
    assert_non_null(strstr(endpoint->bodies[1], "&subject_token=foreign&"));
    assert_non_null(strstr(endpoint->bodies[1], "auth%2Fiam"));
    assert_non_null(strstr(endpoint->heads[2], "Authorization: Bearer " ACCESS_TOKEN "middle\r\n"));
    assert_string_equal(
        endpoint->bodies[2],
        "{\"scope\":[\"https://www.googleapis.com/auth/bigquery\"],\"lifetime\":\"3600s\"}");
    assert_non_null(strstr(credentials_describe(credentials), "impersonated service account a@b"));
    credentials_close(credentials);
}

static void test_a_user_may_act_as_an_account_through_delegates(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(
        endpoint, "{\"type\":\"impersonated_service_account\",\"delegates\":[\"d@e\"],"
                  "\"service_account_impersonation_url\":\"@URL@/sa/a@b:generateAccessToken\","
                  "\"source_credentials\":" USER "}");
    struct error err = {0};
    char *header = NULL;

    endpoint->answers[0] = TOKEN("user");
    endpoint->answers[1] = "403 {\"error\":{\"status\":\"PERMISSION_DENIED\",\"message\":\"no\"}}";
    expect_error(
        credentials_authorization(credentials, NULL, &header, &err), ERROR_AUTH,
        "PERMISSION_DENIED: no (user has to have roles/iam.serviceAccountTokenCreator on it)");

    assert_non_null(strstr(endpoint->bodies[1], "\"delegates\":[\"d@e\"]"));
    credentials_close(credentials);
}

static void test_a_machine_of_googles_has_a_token(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = NULL;
    const struct credentials_options options = {.clock = &endpoint->clock.clock};
    struct error err = {0};

    setenv("CLOUDSDK_CONFIG", endpoint->keys.folder, 1);
    setenv("GCE_METADATA_HOST", http_server_url(endpoint->server) + strlen("http://"), 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    bool ok = credentials_open(&options, &credentials, &err);
    endpoint->answers[0] = TOKEN("m");
    if (ok)
        expect_header(credentials, "Bearer " ACCESS_TOKEN "m");
    unsetenv("http_proxy");
    unsetenv("CLOUDSDK_CONFIG");
    unsetenv("GCE_METADATA_HOST");

    expect_ok(ok);
    assert_non_null(strstr(
        endpoint->heads[0],
        "GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2F"));
    assert_non_null(strstr(endpoint->heads[0], "Metadata-Flavor: Google\r\n"));
    credentials_close(credentials);
}

/* --- the cache --------------------------------------------------------------------------- */

static void test_a_token_is_kept_until_shortly_before_its_end(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);

    endpoint->answers[0] = TOKEN("t1");
    endpoint->answers[1] = TOKEN("t2");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    endpoint->clock.ms += 3300 * 1000;
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    assert_int_equal(endpoint->requests, 1);
    endpoint->clock.ms += 100 * 1000;
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t2");
    credentials_close(credentials);
}

static void test_a_failed_renewal_uses_the_old_token_to_its_end(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct error err = {0};
    char *header = NULL;

    endpoint->answers[0] = TOKEN("t1");
    endpoint->answers[1] = "400 {\"error\":\"invalid_grant\",\"error_description\":\"gone\"}";
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    endpoint->clock.ms += 3500 * 1000;
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    assert_int_equal(endpoint->requests, 2);
    endpoint->clock.ms += 101 * 1000;
    expect_error(
        credentials_authorization(credentials, NULL, &header, &err), ERROR_AUTH, "invalid_grant");
    credentials_close(credentials);
}

static void test_an_endpoint_that_refuses_is_not_asked_again_at_once(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct error err = {0};
    char *header = NULL;

    endpoint->answers[0] = "400 {\"error\":\"invalid_grant\",\"error_description\":\"gone\"}";
    endpoint->answers[1] = TOKEN("t1");
    for (int i = 0; i < 3; i++)
        expect_error(
            credentials_authorization(credentials, NULL, &header, &err), ERROR_AUTH,
            "invalid_grant");
    assert_int_equal(endpoint->requests, 1);

    endpoint->clock.ms += 10 * 1000;
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    credentials_close(credentials);
}

static void test_only_the_refused_token_is_dropped(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);

    endpoint->answers[0] = TOKEN("t1");
    endpoint->answers[1] = TOKEN("t2");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    credentials_invalidate(credentials, "Bearer older");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    credentials_invalidate(credentials, "Bearer " ACCESS_TOKEN "t1");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t2");
    credentials_invalidate(credentials, "Bearer " ACCESS_TOKEN "t1");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t2");
    credentials_close(credentials);
}

static void *ask(void *context)
{
    struct error err = {0};
    char *header = NULL;

    if (credentials_authorization(context, NULL, &header, &err))
        return header;
    return NULL;
}

static void test_many_threads_lead_to_one_refresh(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    pthread_t threads[8];

    endpoint->answers[0] = TOKEN("t1");
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, credentials), 0);
    for (size_t i = 0; i < 8; i++) {
        void *header = NULL;
        pthread_join(threads[i], &header);
        assert_non_null(header);
        assert_string_equal(header, "Bearer " ACCESS_TOKEN "t1");
        credentials_wipe(header);
    }

    assert_int_equal(endpoint->requests, 1);
    credentials_close(credentials);
}

/* --- refusals ---------------------------------------------------------------------------- */

static void test_refusals_of_the_endpoint_say_what_to_do(void **state)
{
    static const struct {
        const char *content;
        const char *answer;
        const char *message;
    } cases[] = {
        {SERVICE_ACCOUNT,
         "400 {\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
         "127.0.0.1: http 400 invalid_grant: Invalid JWT Signature. (the key or its account was "
         "deleted or disabled; create a new key)"},
        {SERVICE_ACCOUNT,
         "400 {\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT: Token must be a "
         "short-lived token and in a reasonable timeframe.\"}",
         "(if the key is in order, this machine's clock is wrong; it says 2026-01-02T03:04:05"},
        {USER,
         "400 {\"error\":\"invalid_grant\",\"error_description\":\"Token has been revoked.\"}",
         "Token has been revoked. (the login has ended; run: gcloud auth application-default "
         "login)"},
        {USER, "401 {\"error\":\"invalid_client\"}", "127.0.0.1: http 401 invalid_client"},
        {USER, "{\"token\":1}", "127.0.0.1: the answer holds no access_token"},
        {USER, "<html>", "127.0.0.1: the answer holds no access_token"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        char *header = NULL;
        void *fresh = NULL;
        assert_int_equal(setup(&fresh), 0);
        struct endpoint *endpoint = fresh;
        struct credentials *credentials = open_content(endpoint, cases[i].content);
        endpoint->answers[0] = cases[i].answer;
        expect_error(
            credentials_authorization(credentials, NULL, &header, &err), ERROR_AUTH,
            cases[i].message);
        assert_int_equal(endpoint->requests, 1);
        assert_memory_equal(err.message, "credentials: ", 13);
        credentials_close(credentials);
        teardown(&fresh);
    }
    (void)state;
}

static void test_a_token_endpoint_in_trouble_is_asked_three_times(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct error err = {0};
    char *header = NULL;

    endpoint->answers[0] = "503 busy";
    endpoint->answers[1] = "400 {\"error\":\"temporarily_unavailable\"}";
    endpoint->answers[2] = TOKEN("t");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t");
    assert_int_equal(endpoint->clock.sleep_count, 2);

    credentials_invalidate(credentials, "Bearer " ACCESS_TOKEN "t");
    endpoint->answers[3] = "500 x";
    struct traffic traffic = {0};
    expect_error(
        credentials_authorization(credentials, &traffic, &header, &err), ERROR_TRANSIENT, "500");
    assert_int_equal(endpoint->requests, 6);
    assert_int_equal(traffic.retries[TRAFFIC_TOKEN], 2);
    credentials_close(credentials);
}

static void test_nobody_at_the_token_endpoint_is_unreachable(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(
        endpoint, "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
                  "\"refresh_token\":\"r\",\"token_uri\":\"http://127.0.0.1:1/token\"}");
    struct error err = {0};
    char *header = NULL;

    expect_error(
        credentials_authorization(credentials, NULL, &header, &err), ERROR_UNREACHABLE,
        "http://127.0.0.1:1");
    credentials_close(credentials);
}

/* --- with BigQuery ----------------------------------------------------------------------- */

static void test_a_refused_token_is_renewed_once_and_the_call_repeated_once(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct fixture fixture = {.bigquery = NULL};
    struct error err = {0};
    cJSON *table = NULL;

    manual_clock_init(&fixture.clock);
    fake_http_init(&fixture.http);
    struct bigquery_options options = fixture_options(&fixture);
    options.credentials = credentials;
    expect_ok(bigquery_open(&options, &fixture.bigquery, &err));
    endpoint->answers[0] = TOKEN("t1");
    endpoint->answers[1] = TOKEN("t2");
    FAKE_HTTP_SCRIPT(&fixture.http, {.status = 401}, {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_get(fixture.bigquery, "t", &table, &err));
    cJSON_Delete(table);
    assert_string_equal(
        fake_http_header(&fixture.http.requests[0], "Authorization"), "Bearer " ACCESS_TOKEN "t1");
    assert_string_equal(
        fake_http_header(&fixture.http.requests[1], "Authorization"), "Bearer " ACCESS_TOKEN "t2");
    assert_int_equal(fixture.clock.sleep_count, 0);

    FAKE_HTTP_SCRIPT(&fixture.http, {.status = 401});
    expect_error(bigquery_table_get(fixture.bigquery, "t", &table, &err), ERROR_AUTH, "http 401");
    assert_int_equal(fixture.http.request_count, 2);
    struct traffic traffic = bigquery_counters(fixture.bigquery).traffic;
    assert_int_equal(traffic.retries[TRAFFIC_TOKEN], 2);
    assert_int_equal(count_retries(&traffic), 2);
    bigquery_close(fixture.bigquery);
    fake_http_clear(&fixture.http);
    credentials_close(credentials);
}

static void test_the_quota_project_goes_with_every_request(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(
        endpoint, "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
                  "\"refresh_token\":\"r\",\"token_uri\":\"@URL@/t\",\"quota_project_id\":\"q1\"}");
    struct fixture fixture = {.bigquery = NULL};
    struct error err = {0};
    cJSON *table = NULL;

    manual_clock_init(&fixture.clock);
    fake_http_init(&fixture.http);
    struct bigquery_options options = fixture_options(&fixture);
    options.credentials = credentials;
    expect_ok(bigquery_open(&options, &fixture.bigquery, &err));
    endpoint->answers[0] = TOKEN("t1");
    FAKE_HTTP_SCRIPT(&fixture.http, {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_get(fixture.bigquery, "t", &table, &err));

    assert_string_equal(fake_http_header(&fixture.http.requests[0], "x-goog-user-project"), "q1");
    cJSON_Delete(table);
    bigquery_close(fixture.bigquery);
    fake_http_clear(&fixture.http);
    credentials_close(credentials);
}

static void elsewhere(
    void *context, const struct fake_request *request, struct fake_reply *out_reply)
{
    (void)context;
    *out_reply = strstr(request->url, "/upload/") != NULL
                     ? (struct fake_reply){.status = 200, .location = "http://other.example/s"}
                     : (struct fake_reply){.status = 201, .body = "{}"};
}

static void test_a_session_elsewhere_does_not_see_the_token(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct fixture fixture = {.bigquery = NULL};
    struct error err = {0};
    struct spool *file = NULL;
    uint64_t sent = 0;

    manual_clock_init(&fixture.clock);
    fake_http_init(&fixture.http);
    struct bigquery_options options = fixture_options(&fixture);
    options.credentials = credentials;
    options.upload_multipart_bytes = 1;
    expect_ok(bigquery_open(&options, &fixture.bigquery, &err));
    expect_ok(spool_new(100, &file, &err));
    expect_ok(spool_write(file, slice_of("bytes"), &err));
    endpoint->answers[0] = TOKEN("t1");
    fake_http_script(&fixture.http, NULL, 0);
    fixture.http.handler = elsewhere;
    const struct load_request request = {.job_id = "j", .table = "t", .file = file};
    expect_ok(bigquery_load(fixture.bigquery, &request, &sent, &err));

    assert_string_equal(
        fake_http_header(&fixture.http.requests[0], "Authorization"), "Bearer " ACCESS_TOKEN "t1");
    assert_null(fake_http_header(&fixture.http.requests[1], "Authorization"));
    spool_free(file);
    bigquery_close(fixture.bigquery);
    fake_http_clear(&fixture.http);
    credentials_close(credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENDPOINT_TEST(test_a_service_account_signs_an_assertion_for_an_hour),
        ENDPOINT_TEST(test_outside_of_googles_universe_the_assertion_is_the_token),
        ENDPOINT_TEST(test_a_user_refreshes_by_form),
        ENDPOINT_TEST(test_a_foreign_token_from_a_file_is_exchanged),
        ENDPOINT_TEST(test_a_foreign_token_from_a_url_leads_to_another_account),
        ENDPOINT_TEST(test_a_user_may_act_as_an_account_through_delegates),
        ENDPOINT_TEST(test_a_machine_of_googles_has_a_token),
        ENDPOINT_TEST(test_a_token_is_kept_until_shortly_before_its_end),
        ENDPOINT_TEST(test_a_failed_renewal_uses_the_old_token_to_its_end),
        ENDPOINT_TEST(test_an_endpoint_that_refuses_is_not_asked_again_at_once),
        ENDPOINT_TEST(test_only_the_refused_token_is_dropped),
        ENDPOINT_TEST(test_many_threads_lead_to_one_refresh),
        cmocka_unit_test(test_refusals_of_the_endpoint_say_what_to_do),
        ENDPOINT_TEST(test_a_token_endpoint_in_trouble_is_asked_three_times),
        ENDPOINT_TEST(test_nobody_at_the_token_endpoint_is_unreachable),
        ENDPOINT_TEST(test_a_refused_token_is_renewed_once_and_the_call_repeated_once),
        ENDPOINT_TEST(test_the_quota_project_goes_with_every_request),
        ENDPOINT_TEST(test_a_session_elsewhere_does_not_see_the_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
