/* Good credentials: the requests they lead to, against a token endpoint on loopback that checks
 * them. */
#include "support/prelude.h"

#include "token_endpoint.h"

#include <openssl/evp.h>

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

static void test_a_token_of_any_life_is_used_until_it_is_old(void **state)
{
    struct endpoint *endpoint = *state;
    static const char *const answers[] = {
        "{\"access_token\":\"u\",\"expires_in\":1e300}",
        "{\"access_token\":\"u\",\"expires_in\":\"nan\"}",
        "{\"access_token\":\"u\",\"expires_in\":\"soon\"}",
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct credentials *credentials = open_content(endpoint, USER);
        unsigned before = endpoint->requests;
        endpoint->answers[before] = answers[i];
        expect_header(credentials, "Bearer u");
        expect_header(credentials, "Bearer u");
        assert_int_equal(endpoint->requests, before + 1);
        credentials_close(credentials);
    }
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

static void test_a_client_is_named_however_long_its_secret_is(void **state)
{
    struct endpoint *endpoint = *state;
    char content[2000];
    char secret[1201];

    memset(secret, 's', sizeof secret - 1);
    secret[sizeof secret - 1] = '\0';
    snprintf(
        content, sizeof content,
        "{\"type\":\"external_account\",\"audience\":\"aud\",\"subject_token_type\":\"jwt\","
        "\"token_url\":\"@URL@/sts\",\"client_id\":\"id\",\"client_secret\":\"%s\","
        "\"credential_source\":{\"url\":\"@URL@/subject\"}}",
        secret);
    struct credentials *credentials = open_content(endpoint, content);
    endpoint->answers[0] = "foreign";
    endpoint->answers[1] = TOKEN("x");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "x");

    assert_non_null(strstr(endpoint->heads[1], "Authorization: Basic aWQ6c3Nz"));
    credentials_close(credentials);
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

/* Each would end the line of its header, or is larger than any token. */
static void test_what_cannot_be_a_token_is_refused(void **state)
{
    struct endpoint *endpoint = *state;
    static char large[17000];
    const struct {
        const char *answer;
        const char *message;
    } cases[] = {
        {"{\"access_token\":\"x\\r\\nX-Evil: 1\"}", "holds a line break or another character"},
        {"{\"access_token\":\"x y\"}", "holds a line break or another character"},
        {"{\"access_token\":\"x\\u00e9\"}", "holds a line break or another character"},
        {large, "the access token has 16385 bytes, more than 16384"},
    };

    size_t length = (size_t)snprintf(large, sizeof large, "{\"access_token\":\"");
    memset(large + length, 'x', 16385);
    snprintf(large + length + 16385, sizeof large - length - 16385, "\"}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct credentials *credentials = open_content(endpoint, USER);
        struct error err = {0};
        char *header = NULL;
        endpoint->answers[endpoint->requests] = cases[i].answer;
        expect_error(
            credentials_authorization(credentials, NULL, &header, &err), ERROR_AUTH,
            cases[i].message);
        assert_null(strstr(err.message, "X-Evil"));
        credentials_close(credentials);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENDPOINT_TEST(test_a_service_account_signs_an_assertion_for_an_hour),
        ENDPOINT_TEST(test_what_cannot_be_a_token_is_refused),
        ENDPOINT_TEST(test_outside_of_googles_universe_the_assertion_is_the_token),
        ENDPOINT_TEST(test_a_user_refreshes_by_form),
        ENDPOINT_TEST(test_a_token_of_any_life_is_used_until_it_is_old),
        ENDPOINT_TEST(test_a_foreign_token_from_a_file_is_exchanged),
        ENDPOINT_TEST(test_a_client_is_named_however_long_its_secret_is),
        ENDPOINT_TEST(test_a_foreign_token_from_a_url_leads_to_another_account),
        ENDPOINT_TEST(test_a_user_may_act_as_an_account_through_delegates),
        ENDPOINT_TEST(test_a_machine_of_googles_has_a_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
