#include "support/prelude.h"

#include "base/secrets.h"
#include "fixture.h"

#include <stdio.h>

static void test_the_dataset_tells_its_location(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct dataset dataset;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = "{\"location\":\"asia-south1\"}"});
    expect_ok(bigquery_dataset_get(fixture->bigquery, &dataset, &err));

    assert_string_equal(dataset.location, "asia-south1");
    assert_string_equal(
        fixture->http.requests[0].url,
        "http://bq.test/bigquery/v2/projects/p/datasets/d?prettyPrint=false");
    assert_string_equal(fixture->http.requests[0].method, "GET");
}

/* A secret as short as a location is no reason to store "[secret]". */
static void test_a_location_is_taken_as_it_is_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct dataset dataset;

    secrets_keep(fixture, "asia-south1");
    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{\"location\":\"asia-south1\"}"},
        {.status = 200, .body = "{\"location\":\"asia south1\"}"});
    expect_ok(bigquery_dataset_get(fixture->bigquery, &dataset, &err));
    assert_string_equal(dataset.location, "asia-south1");
    assert_false(bigquery_dataset_get(fixture->bigquery, &dataset, &err));
    assert_string_equal(
        err.message, "BigQuery: datasets.get d: the location in the answer is none");
    secrets_forget(fixture);
}

/* Half of two answers is not all of one. */
static void test_an_answer_that_is_not_one_document_is_asked_for_again(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct dataset dataset;

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{\"location\":\"US\"}{\"location\":\"EU\"}"},
        {.status = 200, .body = "{\"location\":\"US\",\"location\":\"EU\"}"},
        {.status = 200, .body = "[]"}, {.status = 200, .body = "\"OK\""},
        {.status = 200, .body = "{\"location\":\"asia-south1\"}\r\n"});
    expect_ok(bigquery_dataset_get(fixture->bigquery, &dataset, &err));

    assert_string_equal(dataset.location, "asia-south1");
    assert_int_equal(fixture->http.request_count, 5);
}

static bool never(void *context, const struct listed_table *table)
{
    (void)context;
    fail_msg("visited %s", table->name);
    return false;
}

static void test_a_missing_dataset_says_how_to_create_it(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 404, .body = REFUSAL(404, "notFound", "Not found: Dataset p:d")});
    expect_error(
        bigquery_tables_list(fixture->bigquery, never, NULL, &err), ERROR_CONFIG,
        "dataset p:d does not exist; create it (bq mk --dataset p:d), or let the next sync create "
        "it (BQ_CREATE_DATASET=1)");

    assert_int_equal(fixture->http.request_count, 1);
}

static void test_a_missing_project_is_not_taken_for_a_missing_dataset(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 404, .body = REFUSAL(404, "notFound", "Not found: Project p")});
    expect_error(
        bigquery_tables_list(fixture->bigquery, never, NULL, &err), ERROR_CONFIG,
        "project p does not exist, or you may not see it: is BQ_PROJECT_NAME right?");
}

static void test_a_dataset_cannot_be_made_in_a_missing_project(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 404, .body = REFUSAL(404, "notFound", "Not found: Project p")});
    expect_error(
        bigquery_dataset_insert(fixture->bigquery, "EU", &err), ERROR_CONFIG,
        "project p does not exist, or you may not see it: is BQ_PROJECT_NAME right?");
}

/* A dataset is known in one place before it is in all. */
static void test_a_dataset_that_was_just_made_is_looked_for_again(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct quota *quota = quota_new(&fixture->clock.clock);
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery;
    struct dataset dataset;

    options.quota = quota;
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{}"},
        {.status = 404, .body = REFUSAL(404, "notFound", "Not found: Dataset p:d")},
        {.status = 200, .body = "{\"location\":\"EU\"}"});
    expect_ok(bigquery_dataset_insert(bigquery, "EU", &err));
    expect_ok(bigquery_dataset_get(bigquery, &dataset, &err));

    assert_string_equal(dataset.location, "EU");
    bigquery_close(bigquery);
    quota_free(quota);
}

static void test_a_missing_permission_on_the_quota_project_is_told_in_google_s_words(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 403,
         .body = REFUSAL(
             403, "forbidden",
             "Caller does not have required permission to use project q. Grant the caller "
             "serviceusage.services.use")});
    assert_false(bigquery_tables_list(fixture->bigquery, never, NULL, &err));
    assert_null(strstr(err.message, "needs bigquery.tables.list"));
}

static void test_a_dataset_that_exists_is_created_already(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 409, .body = REFUSAL(409, "duplicate", "Already Exists")});
    expect_ok(bigquery_dataset_insert(fixture->bigquery, "EU", &err));

    assert_string_equal(
        fixture->http.requests[0].body,
        "{\"datasetReference\":{\"projectId\":\"p\",\"datasetId\":\"d\"},\"location\":\"EU\"}");
}

struct seen {
    char text[400];
};

static bool note(void *context, const struct listed_table *table)
{
    struct seen *seen = context;
    const char *label =
        cJSON_GetStringValue(cJSON_GetObjectItem(table->labels, "bqsync_generation"));
    size_t length = strlen(seen->text);

    snprintf(
        seen->text + length, sizeof seen->text - length, "%s=%s%s%s%s;", table->name,
        label == NULL ? "-" : label, table->expires ? ", expires" : "",
        table->forgets ? ", forgets" : "", table->is_table ? "" : ", no table");
    return true;
}

static void test_a_list_is_read_page_by_page(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {""};

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body =
             "{\"nextPageToken\":\"a b\",\"tables\":[{\"tableReference\":{\"tableId\":\"x\"},"
             "\"labels\":{\"bqsync_generation\":\"7\"}},{\"tableReference\":{\"tableId\":\"y\"},"
             "\"type\":\"VIEW\"}"
             "]}"},
        {.status = 200,
         .body = "{\"tables\":[{\"tableReference\":{\"tableId\":\"z\"},\"type\":\"TABLE\","
                 "\"expirationTime\":\"1\","
                 "\"timePartitioning\":{\"expirationMs\":\"1\"}}]}"});
    expect_ok(bigquery_tables_list(fixture->bigquery, note, &seen, &err));

    assert_string_equal(seen.text, "x=7;y=-, no table;z=-, expires, forgets;");
    assert_int_equal(fixture->http.request_count, 2);
    assert_non_null(strstr(fixture->http.requests[1].url, "&pageToken=a%20b"));
}

static void test_pages_that_go_in_a_circle_are_left(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{\"nextPageToken\":\"a\"}"},
        {.status = 200, .body = "{\"nextPageToken\":\"b\"}"},
        {.status = 200, .body = "{\"nextPageToken\":\"a\"}"},
        {.status = 200, .body = "{\"nextPageToken\":\"b\"}"},
        {.status = 200, .body = "{\"nextPageToken\":\"a\"}"},
        {.status = 200, .body = "{\"nextPageToken\":\"b\"}"});
    expect_error(
        bigquery_tables_list(fixture->bigquery, never, NULL, &err), ERROR_TRANSIENT,
        "names a next page that was read before");
}

static void test_an_empty_dataset_lists_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = "{\"totalItems\":0}"});
    expect_ok(bigquery_tables_list(fixture->bigquery, never, NULL, &err));
}

static void test_a_missing_table_is_an_answer(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 404, .body = REFUSAL(404, "notFound", "no")});
    expect_ok(bigquery_table_get(fixture->bigquery, "t", &table, &err));

    assert_null(table);
}

static void test_a_created_table_gets_its_reference_and_no_collation(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *resource = cJSON_Parse("{\"description\":\"d\"}");

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_insert(fixture->bigquery, "t", resource, NULL, &err));

    assert_string_equal(fixture->http.requests[0].method, "POST");
    assert_string_equal(
        fixture->http.requests[0].body,
        "{\"description\":\"d\",\"defaultCollation\":\"\",\"tableReference\":{\"projectId\":\"p\","
        "\"datasetId\":\"d\","
        "\"tableId\":\"t\"}}");
    assert_null(cJSON_GetObjectItem(resource, "tableReference"));
    cJSON_Delete(resource);
}

static void test_creating_a_table_twice_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *resource = cJSON_CreateObject();

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 409, .body = REFUSAL(409, "duplicate", "Already Exists: t")});
    expect_error(
        bigquery_table_insert(fixture->bigquery, "t", resource, NULL, &err), ERROR_CONFLICT,
        "BigQuery: tables.insert t: http 409 duplicate: Already Exists: t");
    cJSON_Delete(resource);
}

static void test_a_patch_with_an_etag_is_conditional(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *patch = cJSON_Parse("{\"etag\":\"abc\",\"labels\":{\"a\":\"b\"}}");

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 412, .body = REFUSAL(412, "conditionNotMet", "x")});
    expect_error(
        bigquery_table_patch(fixture->bigquery, "t", patch, &err), ERROR_CONFLICT, "http 412");

    assert_string_equal(fixture->http.requests[0].method, "PATCH");
    assert_string_equal(fake_http_header(&fixture->http.requests[0], "If-Match"), "abc");
    cJSON_Delete(patch);
}

static void test_deleting_what_is_gone_is_fine(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 204}, {.status = 404});
    expect_ok(bigquery_table_delete(fixture->bigquery, "t", &err));
    expect_ok(bigquery_table_delete(fixture->bigquery, "t", &err));

    assert_string_equal(fixture->http.requests[1].method, "DELETE");
}

static void test_a_refusal_names_the_permission(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 403, .body = REFUSAL(403, "accessDenied", "Access Denied: Table p:d.t")});
    expect_error(
        bigquery_table_get(fixture->bigquery, "t", &table, &err), ERROR_AUTH,
        "BigQuery: tables.get t: http 403 accessDenied: Access Denied: Table p:d.t (needs "
        "bigquery.tables.get)");

    assert_string_equal(err.reason, "accessDenied");
    assert_int_equal(err.http_status, 403);
}

static void test_an_error_page_in_html_is_told_by_its_status(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 502, .body = "<html><h1>Bad Gateway</h1></html>", .content_type = "text/html"},
        {.status = 400, .body = "<html>no</html>"});
    expect_error(
        bigquery_table_get(fixture->bigquery, "t", &table, &err), ERROR_WAREHOUSE,
        "BigQuery: tables.get t: http 400");

    assert_null(strstr(err.message, "<html>"));
    assert_int_equal(fixture->http.request_count, 2);
}

static void test_an_answer_that_is_no_json_is_asked_for_again(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{\"etag\":\"x"}, {.status = 200, .body = ""},
        {.status = 200, .body = "{\"etag\":\"y\"}"});
    expect_ok(bigquery_table_get(fixture->bigquery, "t", &table, &err));

    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(table, "etag")), "y");
    assert_int_equal(fixture->http.request_count, 3);
    cJSON_Delete(table);
}

static void test_a_refusal_without_credentials_is_not_repeated(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 401});
    expect_error(bigquery_table_get(fixture->bigquery, "t", &table, &err), ERROR_AUTH, "http 401");

    assert_int_equal(fixture->http.request_count, 1);
    assert_null(fake_http_header(&fixture->http.requests[0], "Authorization"));
}

static void test_names_are_escaped_in_paths(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *table = NULL;

    options.project = "example.com:p";
    options.endpoint = "http://bq.test/";
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_get(bigquery, "a/b c", &table, &err));

    assert_string_equal(
        fixture->http.requests[0].url,
        "http://bq.test/bigquery/v2/projects/example.com%3Ap/datasets/d/tables/"
        "a%2Fb%20c?prettyPrint=false");
    cJSON_Delete(table);
    bigquery_close(bigquery);
}

static void test_requests_say_who_asks_and_are_counted(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503}, {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_get(fixture->bigquery, "t", &table, &err));

    struct bigquery_counters counters = bigquery_counters(fixture->bigquery);
    assert_int_equal(counters.traffic.requests[TRAFFIC_TABLES_GET][TRAFFIC_OK], 1);
    assert_int_equal(counters.traffic.requests[TRAFFIC_TABLES_GET][TRAFFIC_ERROR], 1);
    assert_int_equal(traffic_requests(&counters.traffic), 2);
    assert_int_equal(counters.traffic.retries[TRAFFIC_HTTP_503], 1);
    assert_int_equal(count_retries(&counters.traffic), 1);
    assert_string_equal(
        fake_http_header(&fixture->http.requests[0], "x-goog-api-client"),
        "gl-c/17 gccl/" BQSYNC_VERSION);
    cJSON_Delete(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_the_dataset_tells_its_location),
        FIXTURE_TEST(test_a_location_is_taken_as_it_is_or_not_at_all),
        FIXTURE_TEST(test_an_answer_that_is_not_one_document_is_asked_for_again),
        FIXTURE_TEST(test_a_missing_dataset_says_how_to_create_it),
        FIXTURE_TEST(test_a_missing_project_is_not_taken_for_a_missing_dataset),
        FIXTURE_TEST(test_a_dataset_cannot_be_made_in_a_missing_project),
        FIXTURE_TEST(test_a_dataset_that_was_just_made_is_looked_for_again),
        FIXTURE_TEST(test_a_missing_permission_on_the_quota_project_is_told_in_google_s_words),
        FIXTURE_TEST(test_a_dataset_that_exists_is_created_already),
        FIXTURE_TEST(test_a_list_is_read_page_by_page),
        FIXTURE_TEST(test_pages_that_go_in_a_circle_are_left),
        FIXTURE_TEST(test_an_empty_dataset_lists_nothing),
        FIXTURE_TEST(test_a_missing_table_is_an_answer),
        FIXTURE_TEST(test_a_created_table_gets_its_reference_and_no_collation),
        FIXTURE_TEST(test_creating_a_table_twice_is_a_conflict),
        FIXTURE_TEST(test_a_patch_with_an_etag_is_conditional),
        FIXTURE_TEST(test_deleting_what_is_gone_is_fine),
        FIXTURE_TEST(test_a_refusal_names_the_permission),
        FIXTURE_TEST(test_an_error_page_in_html_is_told_by_its_status),
        FIXTURE_TEST(test_an_answer_that_is_no_json_is_asked_for_again),
        FIXTURE_TEST(test_a_refusal_without_credentials_is_not_repeated),
        FIXTURE_TEST(test_names_are_escaped_in_paths),
        FIXTURE_TEST(test_requests_say_who_asks_and_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
