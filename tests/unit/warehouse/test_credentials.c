/* Bad credentials: each kind has a message of its own that says which file, which field, and what
 * to do. The messages are compared whole. */
#include "support/prelude.h"

#include "base/clock.h"
#include "keys.h"
#include "warehouse/credentials.h"

#include <sys/stat.h>

#define SERVICE(fields)  "{\"type\":\"service_account\"," fields "}"
#define EMAIL            "\"client_email\":\"sync@p.iam.gserviceaccount.com\""
#define KEY              "\"private_key\":\"@KEY@\""
#define EXTERNAL(fields) "{\"type\":\"external_account\",\"audience\":\"//iam\"," fields "}"
#define JWT_TYPE         "\"subject_token_type\":\"urn:ietf:params:oauth:token-type:jwt\""
#define SOURCE(fields)   EXTERNAL(JWT_TYPE ",\"credential_source\":{" fields "}")

#define TOKEN_URI(url) SERVICE(EMAIL "," KEY ",\"token_uri\":\"" url "\"")

#define KEY_MEND                                                                                   \
    "create a key for the service account in the Cloud console and use the whole file as "         \
    "downloaded"
#define POOL_MEND "create the file with: gcloud iam workload-identity-pools create-cred-config"

/* The message stands behind "credentials file PATH: ". */
static const struct {
    const char *label;
    const char *content;
    const char *message;
} bad_files[] = {
    {"empty", " \n", "is empty; download or create the key again"},
    {"not JSON", "{\n\"type\": \"service_account\",\n\"x\": oops}",
     "is not JSON (line 3); it has to be the key file as Google gave it"},
    {"two keys", "{\"type\":\"x\"}\n{\"type\":\"x\"}",
     "is not JSON (line 2); it has to be the key file as Google gave it"},
    {"not an object", "[1]", "holds JSON, but not an object with a \"type\""},
    {"no type", "{\"client_email\":\"x\"}",
     "\"type\" is missing; it has to be the key file as Google gave it"},
    {"OAuth client", "{\"installed\":{\"client_id\":\"x\"}}",
     "is the secret of an OAuth client, not a credential; use a service account's key file, or "
     "run: gcloud auth application-default login"},
    {"unknown type", "{\"type\":\"gdch_service_account\"}",
     "\"type\" is \"gdch_service_account\"; known are service_account, authorized_user, "
     "external_account, impersonated_service_account"},
    {"no client_email", SERVICE(KEY),
     "\"client_email\" is missing (type service_account); " KEY_MEND},
    {"no private_key", SERVICE(EMAIL),
     "\"private_key\" is missing (type service_account); " KEY_MEND},
    {"broken private_key", SERVICE(EMAIL ",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\nMII\""),
     "\"private_key\" is not an RSA key in PEM form (is it cut, encrypted, or are its line breaks "
     "lost?); " KEY_MEND},
    {"token_uri in the clear",
     SERVICE(EMAIL "," KEY ",\"token_uri\":\"http://oauth2.googleapis.com/token\""),
     "\"token_uri\" is not https (http://oauth2.googleapis.com); secrets are not sent in the "
     "clear"},
    {"token_uri elsewhere",
     SERVICE(EMAIL "," KEY ",\"token_uri\":\"https://oauth2.googleapis.com.evil.example/token\""),
     "\"token_uri\" points to oauth2.googleapis.com.evil.example, which is not a Google host; "
     "secrets would go there. Get the file from Google again"},
    {"token_uri behind a user name",
     SERVICE(EMAIL "," KEY ",\"token_uri\":\"https://oauth2.googleapis.com@10.0.0.1/token\""),
     "\"token_uri\" has a user name in it, before the @; such a URL can look like that of another "
     "host. Get the file from Google again"},
    {"token_uri no URL", TOKEN_URI("token"),
     "\"token_uri\" is not a URL. Get the file from Google again"},
    {"token_uri with a backslash", TOKEN_URI("https://oauth2.googleapis.com\\\\@evil/token"),
     "\"token_uri\" holds a backslash, which no URL has. Get the file from Google again"},
    {"token_uri of two lines", TOKEN_URI("https://oauth2.googleapis.com/token\\r\\nX-Evil: 1"),
     "\"token_uri\" holds a blank, a line break or another character that no URL has. Get the file "
     "from Google again"},
    {"quota_project_id a number",
     TOKEN_URI("https://oauth2.googleapis.com/t\",\"quota_project_id\":7,\"x\":\""),
     "\"quota_project_id\" is not a text; it has to be the id of a project, or missing"},
    {"quota_project_id of two lines",
     TOKEN_URI("https://oauth2.googleapis.com/t\",\"quota_project_id\":\"q\\r\\nX-Evil: 1"),
     "\"quota_project_id\" holds a blank, a line break or another character that no project id "
     "has"},
    {"a header of two lines",
     SOURCE("\"url\":\"http://b\",\"headers\":{\"A\":\"b\\r\\nX-Evil: 1\"}"),
     "\"credential_source.headers\" holds a line break or another control character; take it out"},
    {"no refresh_token",
     "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\"}",
     "\"refresh_token\" is missing (type authorized_user); run: gcloud auth application-default "
     "login"},
    {"no audience", "{\"type\":\"external_account\"}",
     "\"audience\" is missing (type external_account); " POOL_MEND},
    {"no source", EXTERNAL(JWT_TYPE),
     "\"credential_source\" is missing (type external_account); " POOL_MEND},
    {"aws", SOURCE("\"environment_id\":\"aws1\""),
     "\"credential_source\" is of the kind aws, which bqsync does not support; use one with a file "
     "or a url, or a service account"},
    {"executable", SOURCE("\"executable\":{\"command\":\"x\"}"),
     "\"credential_source\" is of the kind executable, which bqsync does not support; use one with "
     "a file or a url, or a service account"},
    {"two sources", SOURCE("\"file\":\"/a\",\"url\":\"http://b\""),
     "\"credential_source\" has both \"file\" and \"url\"; it needs exactly one"},
    {"no kind of source", SOURCE("\"format\":{}"),
     "\"credential_source\" has neither of \"file\" and \"url\"; it needs exactly one"},
    {"source format", SOURCE("\"file\":\"/a\",\"format\":{\"type\":\"xml\"}"),
     "\"credential_source.format.type\" is \"xml\"; known are text and json"},
    {"source field", SOURCE("\"file\":\"/a\",\"format\":{\"type\":\"json\"}"),
     "\"subject_token_field_name\" is missing (type external_account); " POOL_MEND},
    {"token_url elsewhere", EXTERNAL(JWT_TYPE ",\"token_url\":\"https://sts.example/v1/token\""),
     "\"token_url\" points to sts.example, which is not a Google host; secrets would go there. Get "
     "the file from Google again"},
    {"impersonation elsewhere",
     EXTERNAL(JWT_TYPE ",\"credential_source\":{\"file\":\"/a\"},"
                       "\"service_account_impersonation_url\":\"https://iam.example/x\""),
     "\"service_account_impersonation_url\" points to iam.example, which is not a Google host; "
     "secrets would go there. Get the file from Google again"},
    {"lifetime",
     EXTERNAL(JWT_TYPE ",\"credential_source\":{\"file\":\"/a\"},"
                       "\"service_account_impersonation_url\":\"https://iamcredentials.googleapis."
                       "com/v1/projects/-/serviceAccounts/a@b:generateAccessToken\","
                       "\"service_account_impersonation\":{\"token_lifetime_seconds\":5}"),
     "\"service_account_impersonation.token_lifetime_seconds\" has to be from 600 to 43200"},
    {"no source_credentials",
     "{\"type\":\"impersonated_service_account\",\"service_account_impersonation_url\":\"x\"}",
     "\"source_credentials\" is missing (type impersonated_service_account); run: gcloud auth "
     "application-default login --impersonate-service-account=EMAIL"},
    {"chained impersonation",
     "{\"type\":\"impersonated_service_account\",\"service_account_impersonation_url\":\"x\","
     "\"source_credentials\":{\"type\":\"impersonated_service_account\"}}",
     "\"source_credentials\" is impersonated itself; use \"delegates\""},
};

static int setup(void **state)
{
    struct keys *keys = calloc(1, sizeof *keys);

    keys_init(keys);
    *state = keys;
    unsetenv("GOOGLE_CLOUD_QUOTA_PROJECT");
    unsetenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN");
    return 0;
}

static int teardown(void **state)
{
    keys_clear(*state);
    free(*state);
    return 0;
}

static bool open_file(const char *path, struct credentials **out, struct error *err)
{
    const struct credentials_options options = {.file = path, .clock = clock_system()};

    return credentials_open(&options, out, err);
}

static void test_each_bad_file_has_a_message_of_its_own(void **state)
{
    struct keys *keys = *state;
    const size_t count = sizeof bad_files / sizeof bad_files[0];

    for (size_t i = 0; i < count; i++) {
        struct credentials *credentials = NULL;
        struct error err = {0};
        char expected[1024];
        keys_write(keys, bad_files[i].content, "");
        snprintf(
            expected, sizeof expected, "credentials file %s: %s", keys->path, bad_files[i].message);
        if (open_file(keys->path, &credentials, &err))
            fail_msg("%s: accepted", bad_files[i].label);
        assert_int_equal(err.code, ERROR_AUTH);
        if (strcmp(err.message, expected) != 0)
            fail_msg("%s:\n  %s\ninstead of\n  %s", bad_files[i].label, err.message, expected);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(bad_files[i].message, bad_files[j].message);
    }
}

static void test_no_message_holds_key_material(void **state)
{
    struct keys *keys = *state;

    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        struct credentials *credentials = NULL;
        struct error err = {0};
        keys_write(keys, bad_files[i].content, "");
        assert_false(open_file(keys->path, &credentials, &err));
        assert_null(strstr(err.message, "BEGIN"));
        assert_null(strstr(err.message, "MII"));
    }
}

/* What a shell's command makes of the file $K that keys_write wrote; to be freed. */
static char *content_of(const struct keys *keys, const char *command)
{
    char *text = calloc(1, 16384);

    setenv("K", keys->path, 1);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_true(fread(text, 1, 16383, pipe) > 0);
    pclose(pipe);
    return text;
}

static void test_the_variable_may_hold_the_key_itself(void **state)
{
    static const char *const commands[] = {
        "cat $K", "base64 $K", "base64 -w0 $K",
        "base64 -w0 $K | tr +/ -_ | tr -d =", "echo; cat $K"};
    struct keys *keys = *state;

    keys_write(keys, SERVICE(EMAIL "," KEY), "");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct credentials *credentials = NULL;
        struct error err = {0};
        char *value = content_of(keys, commands[i]);

        expect_ok(open_file(value, &credentials, &err));
        free(value);

        assert_string_equal(
            credentials_describe(credentials),
            "service account sync@p.iam.gserviceaccount.com (the key in "
            "GOOGLE_APPLICATION_CREDENTIALS)");
        credentials_close(credentials);
    }
}

/* Cut at either end, in each form, and with a character that no base64 has. */
static void test_no_message_holds_a_byte_of_a_damaged_key(void **state)
{
    static const char *const commands[] = {
        "head -c 900 $K",
        "tail -c 900 $K",
        "head -c 900 $K | base64 -w0",
        "base64 -w0 $K | tail -c 900",
        "base64 -w0 $K | sed s/./*/1001",
        "base64 $K | sed s/./*/51",
        "(printf x:; base64 -w0 $K)",
        "sed s/service_account/serv/ $K",
        "sed s/type/typo/ $K",
    };
    struct keys *keys = *state;

    keys_write(keys, SERVICE(EMAIL "," KEY), "");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct credentials *credentials = NULL;
        struct error err = {0};
        char *value = content_of(keys, commands[i]);

        assert_false(open_file(value, &credentials, &err));

        assert_int_equal(err.code, ERROR_AUTH);
        assert_null(strstr(err.message, "MII"));
        // No eight characters of the value in a row.
        for (size_t at = 0; at + 8 <= strlen(value); at++) {
            char part[9] = "";
            memcpy(part, value + at, 8);
            if (strstr(err.message, part) != NULL &&
                strstr("service_account \"type\"", part) == NULL)
                fail_msg("%s: %s", commands[i], err.message);
        }
        free(value);
    }
}

/* Secrets that are no key file at all. A path shows in a message only if it can be one. */
static void test_no_message_shows_a_value_that_is_no_path(void **state)
{
    static const char *const secrets[] = {
        "ya29.hunter22hunter22",     "Bearer ya29.hunter22",
        "AIzaSyhunter22hunter22",    "hunter22/2Q+abKq/YjVnE9Xh",
        "/hunter22Q+abKqYjVnE9Xh==", "MIIEvhunter22ADANBgkqhkiG9w0BAQ=",
        "private_key: hunter22",     "0hunter22",
    };

    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        struct credentials *credentials = NULL;
        struct error err = {0};
        char expected[400];

        snprintf(
            expected, sizeof expected,
            "the key in GOOGLE_APPLICATION_CREDENTIALS: is neither JSON nor base64 of JSON, and no "
            "file has this name (%zu bytes, not shown as they may be secret); it has to be the "
            "whole key file as Google gave it, or its path",
            strlen(secrets[i]));
        expect_error(open_file(secrets[i], &credentials, &err), ERROR_AUTH, expected);
        assert_null(strstr(err.message, "hunter22"));
    }
}

static void test_files_that_cannot_be_read_say_why(void **state)
{
    struct keys *keys = *state;
    struct credentials *credentials = NULL;
    struct error err = {0};
    char loop[120];

    expect_error(
        open_file("/nowhere/key.json", &credentials, &err), ERROR_AUTH,
        "credentials file /nowhere/key.json: there is no such file; set "
        "GOOGLE_APPLICATION_CREDENTIALS to the path of a key file, or unset it to use gcloud's "
        "credentials");
    snprintf(loop, sizeof loop, "%s/missing", keys->folder);
    expect_error(
        open_file(loop, &credentials, &err), ERROR_AUTH, "/missing: there is no such file; set");
    expect_error(
        open_file(keys->folder, &credentials, &err), ERROR_AUTH,
        "is a directory; GOOGLE_APPLICATION_CREDENTIALS has to name a file");
    snprintf(loop, sizeof loop, "%s/pipe", keys->folder);
    assert_int_equal(mkfifo(loop, 0600), 0);
    expect_error(
        open_file(loop, &credentials, &err), ERROR_AUTH,
        "/pipe: is a named pipe, and nobody wrote into it");
    unlink(loop);
    snprintf(loop, sizeof loop, "%s/loop", keys->folder);
    assert_int_equal(symlink(loop, loop), 0);
    expect_error(
        open_file(loop, &credentials, &err), ERROR_AUTH,
        "cannot be read: Too many levels of symbolic links; give the user that runs bqsync the "
        "right to read it");
    unlink(loop);
}

static void test_a_file_of_another_universe_is_refused(void **state)
{
    struct keys *keys = *state;
    struct credentials *credentials = NULL;
    struct error err = {0};

    keys_write(keys, SERVICE(EMAIL "," KEY), "");
    setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "apis.example", 1);
    bool ok = open_file(keys->path, &credentials, &err);
    unsetenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN");

    expect_error(
        ok, ERROR_AUTH,
        "is of the universe googleapis.com, but GOOGLE_CLOUD_UNIVERSE_DOMAIN says apis.example; "
        "use "
        "a file of that universe or unset the variable");
}

static void test_without_any_credentials_the_search_is_told(void **state)
{
    struct keys *keys = *state;
    struct credentials *credentials = NULL;
    struct error err = {0};
    char expected[1024];
    char *home = strdup(getenv("HOME") == NULL ? "/" : getenv("HOME"));

    setenv("HOME", keys->folder, 1);
    setenv("NO_GCE_CHECK", "true", 1);
    unsetenv("CLOUDSDK_CONFIG");
    bool ok = open_file(NULL, &credentials, &err);
    setenv("HOME", home, 1);
    unsetenv("NO_GCE_CHECK");
    free(home);

    snprintf(
        expected, sizeof expected,
        "no credentials found: GOOGLE_APPLICATION_CREDENTIALS is not set, "
        "%s/.config/gcloud/application_default_credentials.json does not exist, and this is not a "
        "Google machine (no metadata server). Set GOOGLE_APPLICATION_CREDENTIALS to a service "
        "account's key file, or run: gcloud auth application-default login",
        keys->folder);
    expect_error(ok, ERROR_AUTH, expected);
}

static void test_gclouds_file_is_found_in_its_folder(void **state)
{
    struct keys *keys = *state;
    struct credentials *credentials = NULL;
    struct error err = {0};
    char path[200];
    char described[300];

    keys_write(
        keys,
        "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
        "\"refresh_token\":\"r\",\"quota_project_id\":\"q\"}",
        "");
    snprintf(path, sizeof path, "%s/application_default_credentials.json", keys->folder);
    assert_int_equal(rename(keys->path, path), 0);
    setenv("CLOUDSDK_CONFIG", keys->folder, 1);
    bool ok = open_file(NULL, &credentials, &err);
    unsetenv("CLOUDSDK_CONFIG");
    unlink(path);

    expect_ok(ok);
    snprintf(described, sizeof described, "user (file %s)", path);
    assert_string_equal(credentials_describe(credentials), described);
    assert_null(credentials_member(credentials));
    assert_string_equal(credentials_quota_project(credentials), "q");
    assert_string_equal(credentials_endpoint(credentials), "https://bigquery.googleapis.com");
    credentials_close(credentials);
}

static void test_a_good_key_file_is_described_without_its_key(void **state)
{
    struct keys *keys = *state;
    struct credentials *credentials = NULL;
    struct error err = {0};
    char described[300];

    keys_write(
        keys,
        SERVICE(EMAIL "," KEY ",\"token_uri\":\"https://accounts.google.com/o/oauth2/token\""), "");
    setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "other", 1);
    expect_ok(open_file(keys->path, &credentials, &err));
    unsetenv("GOOGLE_CLOUD_QUOTA_PROJECT");

    snprintf(
        described, sizeof described, "service account sync@p.iam.gserviceaccount.com (file %s)",
        keys->path);
    assert_string_equal(credentials_describe(credentials), described);
    assert_string_equal(
        credentials_member(credentials), "serviceAccount:sync@p.iam.gserviceaccount.com");
    assert_string_equal(credentials_quota_project(credentials), "other");
    credentials_close(credentials);
}

static void test_a_quota_project_of_two_lines_is_refused(void **state)
{
    struct keys *keys = *state;
    struct credentials *credentials = NULL;
    struct error err = {0};

    keys_write(keys, SERVICE(EMAIL "," KEY), "");
    setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "q\r\nX-Evil: 1", 1);
    bool ok = open_file(keys->path, &credentials, &err);
    unsetenv("GOOGLE_CLOUD_QUOTA_PROJECT");

    expect_error(ok, ERROR_CONFIG, "GOOGLE_CLOUD_QUOTA_PROJECT holds a blank, a line break");
}

static void test_a_universe_of_its_own_has_its_own_endpoint(void **state)
{
    struct keys *keys = *state;
    struct credentials *credentials = NULL;
    struct error err = {0};

    keys_write(
        keys,
        SERVICE(EMAIL "," KEY ",\"universe_domain\":\"apis.example\",\"token_uri\":"
                      "\"https://oauth2.apis.example/token\""),
        "");
    expect_ok(open_file(keys->path, &credentials, &err));

    assert_string_equal(credentials_endpoint(credentials), "https://bigquery.apis.example");
    credentials_close(credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_bad_file_has_a_message_of_its_own),
        cmocka_unit_test(test_no_message_holds_key_material),
        cmocka_unit_test(test_the_variable_may_hold_the_key_itself),
        cmocka_unit_test(test_no_message_holds_a_byte_of_a_damaged_key),
        cmocka_unit_test(test_no_message_shows_a_value_that_is_no_path),
        cmocka_unit_test(test_files_that_cannot_be_read_say_why),
        cmocka_unit_test(test_a_file_of_another_universe_is_refused),
        cmocka_unit_test(test_without_any_credentials_the_search_is_told),
        cmocka_unit_test(test_gclouds_file_is_found_in_its_folder),
        cmocka_unit_test(test_a_good_key_file_is_described_without_its_key),
        cmocka_unit_test(test_a_quota_project_of_two_lines_is_refused),
        cmocka_unit_test(test_a_universe_of_its_own_has_its_own_endpoint),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
