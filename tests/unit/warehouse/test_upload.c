/* Uploads against a session server in memory that can break at any request, before or after it has
 * acted, and keeps what it has received. */
#include "support/prelude.h"

#include "fixture.h"
#include "warehouse/upload.h"

#include <inttypes.h>
#include <stdio.h>

#define CHUNK       (256u * 1024)
#define JOB_RUNNING "{\"jobReference\":{\"jobId\":\"j\"},\"status\":{\"state\":\"RUNNING\"}}"

/* What happens to the request of this number. */
enum fault {
    FAULT_NONE,
    FAULT_LOST_REQUEST, /* never arrives */
    FAULT_LOST_ANSWER,  /* arrives, acts, the answer is lost */
    FAULT_CUT,          /* half of the chunk arrives, no answer */
    FAULT_503,
    FAULT_503_STORED, /* stored, yet answered with 503 */
    FAULT_404,        /* the session is gone */
    FAULT_410,
    FAULT_PARTIAL, /* only half a chunk is stored, and 308 says so */
    FAULT_COUNT
};

struct sessions {
    enum fault fault;
    size_t at; /* number of the request it happens to */
    size_t number;
    uint64_t total;
    char *data; /* of the session */
    uint64_t stored;
    unsigned started;
    bool finished;
    bool finish_as_duplicate;
    bool override; /* 200 with an override instead of 308 */
    char range[64];
    char location[80];
};

static void begin_session(struct sessions *sessions, struct fake_reply *out_reply)
{
    sessions->started++;
    sessions->stored = 0;
    snprintf(
        sessions->location, sizeof sessions->location, "http://bq.test/session/%u",
        sessions->started);
    *out_reply = (struct fake_reply){.status = 200, .location = sessions->location};
}

static void tell_state(struct sessions *sessions, struct fake_reply *out_reply)
{
    if (sessions->finished) {
        *out_reply = (struct fake_reply){.status = 200, .body = JOB_RUNNING};
        return;
    }
    snprintf(sessions->range, sizeof sessions->range, "bytes=0-%" PRIu64, sessions->stored - 1);
    *out_reply = (struct fake_reply){
        .status = sessions->override ? 200 : 308,
        .status_override = sessions->override ? 308 : 0,
        .range = sessions->stored == 0 ? NULL : sessions->range,
    };
}

/* Stores what the request brings, or less of it. */
static void store(
    struct sessions *sessions, const struct fake_request *request, const char *range, uint64_t most)
{
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t total = 0;

    if (sscanf(range, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64, &first, &last, &total) != 3)
        return;
    assert_int_equal(total, sessions->total);
    assert_int_equal(last - first + 1, request->body_length);
    assert_int_equal(first, sessions->stored);
    if (last + 1 < total)
        assert_int_equal(request->body_length % UPLOAD_GRANULE_BYTES, 0);
    uint64_t length = request->body_length < most ? request->body_length : most;
    memcpy(sessions->data + first, request->body, (size_t)length);
    sessions->stored = first + length;
    sessions->finished = sessions->stored == total;
}

static void answer_session(
    struct sessions *sessions, const struct fake_request *request, enum fault fault,
    struct fake_reply *out_reply)
{
    const char *range = fake_http_header(request, "Content-Range");

    assert_string_equal(request->method, "PUT");
    assert_non_null(range);
    if (fault == FAULT_404 || fault == FAULT_410) {
        sessions->stored = 0;
        *out_reply = (struct fake_reply){.status = fault == FAULT_404 ? 404 : 410};
        return;
    }
    if (fault == FAULT_503) {
        *out_reply = (struct fake_reply){.status = 503};
        return;
    }
    store(
        sessions, request, range,
        fault == FAULT_CUT || fault == FAULT_PARTIAL ? CHUNK / 2 : UINT64_MAX);
    tell_state(sessions, out_reply);
    if (sessions->finished && sessions->finish_as_duplicate)
        *out_reply =
            (struct fake_reply){.status = 409, .body = REFUSAL(409, "duplicate", "Exists")};
    if (fault == FAULT_503_STORED)
        *out_reply = (struct fake_reply){.status = 503};
}

static void serve(void *context, const struct fake_request *request, struct fake_reply *out_reply)
{
    struct sessions *sessions = context;
    enum fault fault = sessions->number++ == sessions->at ? sessions->fault : FAULT_NONE;

    *out_reply = (struct fake_reply){.failure = HTTP_BROKEN};
    if (fault == FAULT_LOST_REQUEST)
        return;
    if (strstr(request->url, "/upload/") != NULL) {
        if (fault == FAULT_503)
            *out_reply = (struct fake_reply){.status = 503};
        else
            begin_session(sessions, out_reply);
    } else {
        assert_string_equal(request->url, sessions->location);
        answer_session(sessions, request, fault, out_reply);
    }
    if (fault == FAULT_LOST_ANSWER || fault == FAULT_CUT)
        *out_reply = (struct fake_reply){.failure = HTTP_BROKEN};
}

static struct spool *make_file(uint64_t size)
{
    struct spool *spool = NULL;
    struct error err = {0};
    char *bytes = malloc((size_t)size + 1);

    for (uint64_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    expect_ok(spool_new(1000000, &spool, &err));
    expect_ok(spool_write(spool, (struct slice){bytes, (size_t)size}, &err));
    free(bytes);
    return spool;
}

static struct load_request request_for(const struct spool *file)
{
    return (struct load_request){
        .job_id = "j",
        .table = "staging_1",
        .disposition = LOAD_APPEND,
        .file = file,
        .label_table = "t",
        .label_phase = "load",
    };
}

static void expect_arrived(const struct sessions *sessions, const struct spool *file)
{
    struct error err = {0};
    char *bytes = malloc((size_t)spool_size(file));

    expect_ok(spool_read(file, 0, bytes, (size_t)spool_size(file), &err));
    assert_true(sessions->finished);
    assert_memory_equal(bytes, sessions->data, (size_t)spool_size(file));
    free(bytes);
}

/* Uploads size bytes with one fault; returns how many bytes were sent. */
static uint64_t upload_with(
    struct fixture *fixture, struct sessions *sessions, uint64_t size, enum error_code expected)
{
    struct spool *file = make_file(size);
    struct load_request request = request_for(file);
    struct error err = {0};
    uint64_t sent = 0;

    sessions->total = size;
    sessions->data = calloc(1, (size_t)size);
    fake_http_script(&fixture->http, NULL, 0);
    fixture->http.handler = serve;
    fixture->http.context = sessions;
    bool ok = bigquery_load(fixture->bigquery, &request, &sent, &err);
    if (expected == ERROR_NONE && !ok)
        fail_msg("fault %d at %zu: %s", (int)sessions->fault, sessions->at, err.message);
    if (expected == ERROR_NONE)
        expect_arrived(sessions, file);
    else
        assert_int_equal(err.code, expected);
    free(sessions->data);
    spool_free(file);
    return sent;
}

static void test_a_large_file_goes_in_chunks(void **state)
{
    struct fixture *fixture = *state;
    struct sessions sessions = {0};

    uint64_t sent = upload_with(fixture, &sessions, 3 * CHUNK + 77, ERROR_NONE);

    assert_int_equal(sent, 3 * CHUNK + 77);
    assert_int_equal(fixture->http.request_count, 5);
    const struct fake_request *start = &fixture->http.requests[0];
    assert_non_null(strstr(start->url, "/upload/bigquery/v2/projects/p/jobs?"));
    assert_non_null(strstr(start->url, "uploadType=resumable"));
    assert_string_equal(fake_http_header(start, "X-Upload-Content-Length"), "786509");
    assert_non_null(strstr(start->body, "\"jobId\":\"j\""));
    assert_string_equal(
        fake_http_header(&fixture->http.requests[4], "Content-Range"),
        "bytes 786432-786508/786509");
}

static void test_a_file_that_ends_with_a_chunk_needs_no_empty_one(void **state)
{
    struct fixture *fixture = *state;
    struct sessions sessions = {0};

    upload_with(fixture, &sessions, 2 * CHUNK, ERROR_NONE);

    assert_int_equal(fixture->http.request_count, 3);
}

static void test_any_fault_at_any_request_costs_at_most_a_chunk(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t size = 3 * CHUNK + 5000;

    for (enum fault fault = FAULT_LOST_REQUEST; fault < FAULT_COUNT; fault++) {
        for (size_t at = 0; at < 5; at++) {
            struct sessions sessions = {.fault = fault, .at = at};
            bool restarts = fault == FAULT_404 || fault == FAULT_410;
            if (at == 0 && (restarts || fault == FAULT_CUT || fault == FAULT_PARTIAL))
                continue; // these happen to sessions
            uint64_t sent = upload_with(fixture, &sessions, size, ERROR_NONE);
            uint64_t most = restarts ? 2 * size : size + CHUNK;
            if (sent > most)
                fail_msg("fault %d at %zu: %" PRIu64 " bytes sent", (int)fault, at, sent);
        }
    }
}

static void test_what_an_upload_has_to_repeat_is_counted_by_reason(void **state)
{
    static const struct {
        enum fault fault;
        enum traffic_reason reason;
    } cases[] = {
        {FAULT_LOST_REQUEST, TRAFFIC_BROKEN},
        {FAULT_503, TRAFFIC_HTTP_503},
        {FAULT_404, TRAFFIC_SESSION_LOST},
        {FAULT_410, TRAFFIC_SESSION_LOST},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sessions sessions = {.fault = cases[i].fault, .at = 2};
        struct traffic before = bigquery_counters(fixture->bigquery).traffic;
        upload_with(fixture, &sessions, 3 * CHUNK, ERROR_NONE);
        struct traffic after = bigquery_counters(fixture->bigquery).traffic;

        assert_int_equal(count_retries(&after), count_retries(&before) + 1);
        assert_int_equal(after.retries[cases[i].reason], before.retries[cases[i].reason] + 1);
    }
    struct traffic traffic = bigquery_counters(fixture->bigquery).traffic;
    assert_int_equal(traffic.requests[TRAFFIC_UPLOAD][TRAFFIC_NO_ANSWER], 1);
    assert_int_equal(traffic.requests[TRAFFIC_UPLOAD][TRAFFIC_ERROR], 3);
}

static void test_the_other_dialect_of_go_on_is_understood(void **state)
{
    struct fixture *fixture = *state;
    struct sessions sessions = {.override = true};

    upload_with(fixture, &sessions, 3 * CHUNK + 1, ERROR_NONE);

    assert_int_equal(fixture->http.request_count, 5);
}

static void test_a_job_that_exists_ends_the_upload_well(void **state)
{
    struct fixture *fixture = *state;
    struct sessions sessions = {.finish_as_duplicate = true};

    upload_with(fixture, &sessions, CHUNK + 1, ERROR_NONE);
}

static void test_a_job_told_as_existing_at_the_start_is_not_sent(void **state)
{
    struct fixture *fixture = *state;
    struct spool *file = make_file(CHUNK + 1);
    struct load_request request = request_for(file);
    struct error err = {0};
    uint64_t sent = 1;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 409, .body = REFUSAL(409, "duplicate", "Exists")});
    expect_ok(bigquery_load(fixture->bigquery, &request, &sent, &err));

    assert_int_equal(sent, 0);
    assert_int_equal(fixture->http.request_count, 1);
    spool_free(file);
}

static void refuse(void *context, const struct fake_request *request, struct fake_reply *out_reply)
{
    (void)context;
    *out_reply = strstr(request->url, "/upload/") != NULL
                     ? (struct fake_reply){.status = 200, .location = "http://bq.test/s"}
                     : (struct fake_reply){
                           .status = 400, .body = REFUSAL(400, "invalid", "Unknown field: x")};
}

static void test_a_refused_job_is_not_sent_again(void **state)
{
    struct fixture *fixture = *state;
    struct spool *file = make_file(CHUNK + 1);
    struct load_request request = request_for(file);
    struct error err = {0};
    uint64_t sent = 0;

    fake_http_script(&fixture->http, NULL, 0);
    fixture->http.handler = refuse;
    expect_error(
        bigquery_load(fixture->bigquery, &request, &sent, &err), ERROR_WAREHOUSE,
        "BigQuery: upload j: http 400 invalid: Unknown field: x");

    assert_int_equal(fixture->http.request_count, 2);
    spool_free(file);
}

static void stuck(void *context, const struct fake_request *request, struct fake_reply *out_reply)
{
    (void)context;
    *out_reply = strstr(request->url, "/upload/") != NULL
                     ? (struct fake_reply){.status = 200, .location = "http://bq.test/s"}
                     : (struct fake_reply){.status = 308};
}

static void test_a_session_that_never_stores_anything_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    struct spool *file = make_file(CHUNK + 1);
    struct load_request request = request_for(file);
    struct error err = {0};
    uint64_t sent = 0;

    fake_http_script(&fixture->http, NULL, 0);
    fixture->http.handler = stuck;
    expect_error(
        bigquery_load(fixture->bigquery, &request, &sent, &err), ERROR_TRANSIENT, "no progress");

    assert_in_range(fixture->http.request_count, 3, 60);
    spool_free(file);
}

static void vanish(void *context, const struct fake_request *request, struct fake_reply *out_reply)
{
    (void)context;
    *out_reply = strstr(request->url, "/upload/") != NULL
                     ? (struct fake_reply){.status = 200, .location = "http://bq.test/s"}
                     : (struct fake_reply){.status = 410};
}

static void test_sessions_that_keep_vanishing_end_with_the_budget(void **state)
{
    struct fixture *fixture = *state;
    struct spool *file = make_file(CHUNK + 1);
    struct load_request request = request_for(file);
    struct error err = {0};
    uint64_t sent = 0;

    fake_http_script(&fixture->http, NULL, 0);
    fixture->http.handler = vanish;
    expect_error(
        bigquery_load(fixture->bigquery, &request, &sent, &err), ERROR_TRANSIENT, "http 410");
    spool_free(file);
}

static void test_a_small_file_goes_in_one_request(void **state)
{
    struct fixture *fixture = *state;
    struct spool *file = make_file(900);
    struct load_request request = request_for(file);
    struct error err = {0};
    uint64_t sent = 0;
    char bytes[900];
    char boundary[60];

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503}, {.status = 200, .body = JOB_RUNNING});
    expect_ok(bigquery_load(fixture->bigquery, &request, &sent, &err));

    assert_int_equal(sent, 1800);
    const struct fake_request *made = &fixture->http.requests[1];
    assert_non_null(strstr(made->url, "uploadType=multipart"));
    const char *type = fake_http_header(made, "Content-Type");
    assert_int_equal(sscanf(type, "multipart/related; boundary=%59s", boundary), 1);
    assert_memory_equal(made->body, "--", 2);
    assert_memory_equal(made->body + 2, boundary, strlen(boundary));
    expect_ok(spool_read(file, 0, bytes, sizeof bytes, &err));
    size_t tail = strlen(boundary) + 8;
    assert_memory_equal(made->body + made->body_length - tail - sizeof bytes, bytes, sizeof bytes);
    assert_memory_equal(made->body + made->body_length - tail, "\r\n--", 4);
    assert_memory_equal(made->body + made->body_length - 4, "--\r\n", 4);
    spool_free(file);
}

static void test_a_load_states_format_types_and_dispositions(void **state)
{
    struct fixture *fixture = *state;
    struct spool *file = make_file(CHUNK + 1);
    struct load_request request = request_for(file);
    struct error err = {0};
    uint64_t sent = 0;

    request.disposition = LOAD_TRUNCATE_DATA;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 409});
    expect_ok(bigquery_load(fixture->bigquery, &request, &sent, &err));

    assert_string_equal(
        fixture->http.requests[0].body,
        "{\"jobReference\":{\"projectId\":\"p\",\"jobId\":\"j\",\"location\":\"EU\"},"
        "\"configuration\":{\"labels\":{\"tool\":\"bqsync\",\"table\":\"t\",\"phase\":\"load\","
        "\"run\":\"run1\"},\"load\":{\"destinationTable\":{\"projectId\":\"p\",\"datasetId\":\"d\","
        "\"tableId\":\"staging_1\"},\"sourceFormat\":\"AVRO\",\"useAvroLogicalTypes\":true,"
        "\"decimalTargetTypes\":[\"NUMERIC\",\"BIGNUMERIC\"],\"createDisposition\":"
        "\"CREATE_NEVER\",\"writeDisposition\":\"WRITE_TRUNCATE_DATA\"}}}");
    spool_free(file);
}

static void test_a_range_header_is_read_in_both_forms(void **state)
{
    (void)state;
    assert_int_equal(upload_offset_of("bytes=0-524287"), 524288);
    assert_int_equal(upload_offset_of("0-0"), 1);
    assert_int_equal(upload_offset_of(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_large_file_goes_in_chunks),
        FIXTURE_TEST(test_a_file_that_ends_with_a_chunk_needs_no_empty_one),
        FIXTURE_TEST(test_any_fault_at_any_request_costs_at_most_a_chunk),
        FIXTURE_TEST(test_what_an_upload_has_to_repeat_is_counted_by_reason),
        FIXTURE_TEST(test_the_other_dialect_of_go_on_is_understood),
        FIXTURE_TEST(test_a_job_that_exists_ends_the_upload_well),
        FIXTURE_TEST(test_a_job_told_as_existing_at_the_start_is_not_sent),
        FIXTURE_TEST(test_a_refused_job_is_not_sent_again),
        FIXTURE_TEST(test_a_session_that_never_stores_anything_is_given_up),
        FIXTURE_TEST(test_sessions_that_keep_vanishing_end_with_the_budget),
        FIXTURE_TEST(test_a_small_file_goes_in_one_request),
        FIXTURE_TEST(test_a_load_states_format_types_and_dispositions),
        cmocka_unit_test(test_a_range_header_is_read_in_both_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
