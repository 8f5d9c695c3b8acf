/* An answer is believed only if it is about what was asked: on the way, answers may be mixed up. */
#include "support/prelude.h"

#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define JOB(id, rest)     "{\"jobReference\":{\"projectId\":\"p\",\"jobId\":\"" id "\"}" rest "}"
#define STATE(state)      ",\"status\":{\"state\":\"" state "\"}"
#define TABLE_OF(d, name) "{\"tableReference\":{\"datasetId\":\"" d "\",\"tableId\":\"" name "\"}}"
#define DATASET_OF(p, d)  "{\"datasetReference\":{\"projectId\":\"" p "\",\"datasetId\":\"" d "\"}}"

enum ask { START, JOB_GET, TABLE_GET, PATCH, DATASET, LIST, CHILDREN, SELECT, DROP, MAY, POLICIES };

static bool visit_table(void *context, const struct listed_table *table)
{
    (void)context;
    (void)table;
    return true;
}

static void visit_child(void *context, const struct job_child *child)
{
    (void)context;
    (void)child;
}

static bool visit_row(void *context, size_t count, const char *const *cells)
{
    (void)context;
    (void)count;
    (void)cells;
    return true;
}

static bool ask(struct bigquery *bigquery, enum ask what, struct error *err)
{
    static const char *const permissions[] = {"bigquery.tables.get"};
    const struct query_request query = {
        .job_id = "j", .sql = "merge", .target = "t", .label_phase = "merge"};
    cJSON *patch = cJSON_CreateObject();
    cJSON *table = NULL;
    struct dataset dataset;
    struct job job;
    bool held = false;
    bool ok = false;

    switch (what) {
    case START:
        ok = bigquery_query(bigquery, &query, err);
        break;
    case JOB_GET:
        ok = bigquery_job_get(bigquery, "j", &job, err);
        break;
    case TABLE_GET:
        ok = bigquery_table_get(bigquery, "t", &table, err);
        break;
    case PATCH:
        ok = bigquery_table_patch(bigquery, "t", patch, err);
        break;
    case DATASET:
        ok = bigquery_dataset_get(bigquery, &dataset, err);
        break;
    case LIST:
        ok = bigquery_tables_list(bigquery, visit_table, NULL, err);
        break;
    case CHILDREN:
        ok = bigquery_job_children(bigquery, "j", visit_child, NULL, err);
        break;
    case DROP:
        ok = bigquery_table_delete(bigquery, "t", err);
        break;
    case MAY:
        ok = bigquery_table_permissions(bigquery, "t", permissions, 1, &held, err);
        break;
    case POLICIES:
        ok = bigquery_table_has_policies(bigquery, "t", &held, err);
        break;
    default:
        ok = bigquery_select(bigquery, "select 1", visit_row, NULL, NULL, err);
    }
    cJSON_Delete(table);
    cJSON_Delete(patch);
    return ok;
}

/* Answered once so, and then by an error that is none of the network's. */
static void check_refused(
    struct fixture *fixture, enum ask what, const char *body, const char *words)
{
    struct fake_reply replies[] = {
        {.status = 200, .body = body}, {.status = 400, .body = REFUSAL(400, "invalid", "no")}};
    struct error err = {0};
    char seen[400];

    fixture->http.bare = true;
    fake_http_script(&fixture->http, replies, 2);
    assert_false(ask(fixture->bigquery, what, &err));
    if (fixture->http.request_count != 2)
        fail_msg("%s: believed, or not asked again", body);
    assert_false(fixture->http.requests[0].new_connection);
    assert_true(fixture->http.requests[1].new_connection);

    replies[1] = replies[0];
    fake_http_script(&fixture->http, replies, 2);
    assert_false(ask(fixture->bigquery, what, &err));
    assert_int_equal(err.code, ERROR_TRANSIENT);
    snprintf(seen, sizeof seen, "not about what was asked: %s (does a proxy or a cache", words);
    if (strstr(err.message, seen) == NULL)
        fail_msg("%s", err.message);
    // What follows an answer that is believed goes over the connection that is there.
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 400, .body = REFUSAL(400, "invalid", "no")});
    assert_false(ask(fixture->bigquery, what, &err));
    assert_false(ask(fixture->bigquery, what, &err));
    assert_false(fixture->http.requests[1].new_connection);
}

static void test_an_answer_about_something_else_is_no_answer(void **state)
{
    static const struct {
        enum ask what;
        const char *body;
        const char *words;
    } cases[] = {
        {START, JOB("other", STATE("DONE")), "it is about job p:other"},
        {START, "{\"jobReference\":{\"projectId\":\"q\",\"jobId\":\"j\"}" STATE("DONE") "}",
         "it is about job q:j"},
        {START, "{\"status\":{\"state\":\"DONE\"}}", "it has no jobReference"},
        {START, JOB("j", ""), "it has no state of the job"},
        {START, JOB("j", STATE("GONE")), "it has no state of the job"},
        {START, "{\"kind\":\"bigquery#table\"}", "it is a bigquery#table"},
        {JOB_GET, JOB("other", STATE("DONE")), "it is about job p:other"},
        {JOB_GET, "{\"jobComplete\":true}", "it is about a query"},
        {JOB_GET, JOB("j", ",\"jobComplete\":true"), "it has no state of the job"},
        {JOB_GET, TABLE_OF("d", "t"), "it is about table d.t"},
        {TABLE_GET, TABLE_OF("d", "u"), "it is about table d.u"},
        {TABLE_GET, TABLE_OF("e", "t"), "it is about table e.t"},
        {TABLE_GET, "{\"etag\":\"x\"}", "it has no tableReference"},
        {TABLE_GET, JOB("j", STATE("DONE")), "it is about job p:j"},
        {PATCH, TABLE_OF("d", "u"), "it is about table d.u"},
        {DATASET, DATASET_OF("p", "e"), "it is about dataset p:e"},
        {DATASET, DATASET_OF("q", "d"), "it is about dataset q:d"},
        {DATASET, "{\"location\":\"EU\"}", "it has no datasetReference"},
        {LIST, JOB("j", STATE("DONE")), "it is about job p:j"},
        {LIST, "{\"kind\":\"bigquery#jobList\"}", "it is a bigquery#jobList"},
        {LIST, "{\"tables\":[" TABLE_OF("e", "t") "]}", "it lists tables of something else"},
        {CHILDREN, "{\"jobs\":[{\"statistics\":{\"parentJobId\":\"k\"}}]}",
         "it lists jobs of something else"},
        {CHILDREN, "{\"jobComplete\":true}", "it is about a query"},
        {SELECT, JOB("k", STATE("DONE")), "it has no jobComplete"},
        {SELECT, TABLE_OF("d", "t"), "it has no jobComplete"},
        {DROP, JOB("k", STATE("DONE")), "it is about job p:k"},
        {MAY, TABLE_OF("d", "t"), "it is about table d.t"},
        {POLICIES, "{\"permissions\":[]}", "it is about permissions"},
        {POLICIES,
         "{\"rowAccessPolicies\":[{\"rowAccessPolicyReference\":{\"projectId\":\"p\",\"datasetId\":"
         "\"d\",\"tableId\":\"u\"}}]}",
         "it lists rowAccessPolicies of something else"},
        {DATASET, "{\"datasetReference\":{\"datasetId\":\"a\\r\\nb\"}}",
         "it is about dataset a  b"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_refused(*state, cases[i].what, cases[i].body, cases[i].words);
}

/* What servers leave out or spell in another way. */
static void test_what_is_not_said_or_said_otherwise_is_fine(void **state)
{
    static const struct {
        enum ask what;
        const char *body;
    } cases[] = {
        {START, "{\"jobReference\":{\"jobId\":\"j\"}" STATE("PENDING") "}"},
        {START, JOB("j", ",\"kind\":\"bigquery#job\"" STATE("RUNNING"))},
        {TABLE_GET, TABLE_OF("d", "T")},
        {LIST, "{}"},
        {LIST, "{\"tables\":[{\"tableReference\":{\"tableId\":\"t\"}}]}"},
        {CHILDREN, "{\"jobs\":[{\"jobReference\":{\"jobId\":\"k\"}}]}"},
        {SELECT, "{\"jobComplete\":true,\"totalRows\":\"0\"}"},
        {DROP, ""},
        {DROP, "{}"},
        {MAY, "{}"},
        {POLICIES, "{}"},
    };
    struct fixture *fixture = *state;

    fixture->http.bare = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct fake_reply reply = {.status = 200, .body = cases[i].body};
        struct error err = {0};
        fake_http_script(&fixture->http, &reply, 1);
        if (!ask(fixture->bigquery, cases[i].what, &err))
            fail_msg("%s: %s", cases[i].body, err.message);
        assert_int_equal(fixture->http.request_count, 1);
    }
}

static void test_a_project_of_digits_may_be_answered_by_its_id(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};

    options.project = "123456";
    expect_ok(bigquery_open(&options, &bigquery, &err));
    fixture->http.bare = true;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = DATASET_OF("my-project", "d")});
    expect_ok(ask(bigquery, DATASET, &err));
    bigquery_close(bigquery);
}

/* A job whose start was answered by that of another one was perhaps started, perhaps not. */
static void test_a_start_that_is_answered_for_another_job_is_made_again(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    fixture->http.bare = true;
    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = JOB("other", STATE("DONE"))},
        {.status = 409, .body = REFUSAL(409, "duplicate", "Already Exists: Job p:EU.j")},
        {.status = 200,
         .body = "{\"jobComplete\":true,"
                 "\"jobReference\":{\"jobId\":\"k\"}}"},
        {.status = 200, .body = JOB("j", STATE("DONE"))});
    expect_ok(ask(fixture->bigquery, START, &err));
    expect_ok(bigquery_job_wait(fixture->bigquery, "j", &job, &err));

    assert_int_equal(job.state, JOB_SUCCEEDED);
    assert_int_equal(fixture->http.request_count, 4);
    assert_string_equal(fixture->http.requests[0].body, fixture->http.requests[1].body);
    assert_true(fixture->http.requests[1].new_connection);
    assert_false(fixture->http.requests[2].new_connection);
    // The answer about another query.
    assert_true(fixture->http.requests[3].new_connection);
}

/* Each query is a job of its own: an answer that names the one before is a late or a stored one. */
static void test_a_query_is_not_answered_by_the_one_before(void **state)
{
    static const char first[] = JOB("q1", ",\"jobComplete\":true,\"totalRows\":\"0\"");
    static const char second[] = JOB("q2", ",\"jobComplete\":true,\"totalRows\":\"0\"");
    struct fixture *fixture = *state;
    struct error err = {0};

    fixture->http.bare = true;
    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = first}, {.status = 200, .body = first},
        {.status = 200, .body = second});
    expect_ok(ask(fixture->bigquery, SELECT, &err));
    expect_ok(ask(fixture->bigquery, SELECT, &err));

    assert_int_equal(fixture->http.request_count, 3);
    assert_true(fixture->http.requests[2].new_connection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_an_answer_about_something_else_is_no_answer),
        FIXTURE_TEST(test_what_is_not_said_or_said_otherwise_is_fine),
        FIXTURE_TEST(test_a_project_of_digits_may_be_answered_by_its_id),
        FIXTURE_TEST(test_a_start_that_is_answered_for_another_job_is_made_again),
        FIXTURE_TEST(test_a_query_is_not_answered_by_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
