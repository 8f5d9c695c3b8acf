/* A table in a SQLite file compared with the rows of a scripted BigQuery, which computes its
 * checksums by itself. */
#include "verify_world.h"

#include "base/buffer.h"
#include "base/log.h"
#include "source/tracking.h"
#include "support/fake_http.h"
#include "support/intending.h"
#include "support/manual_clock.h"
#include "sync/verify/comparison.h"

static struct error err;

struct row {
    int64_t id;
    int64_t v;
};

struct world {
    char path[64];
    struct config config;
    struct database source;
    struct tracking tracking;
    struct manual_clock clock;
    struct fake_http http;
    struct bigquery *bigquery;
    /* What BigQuery holds; absent: it has no such table. */
    const struct row *rows;
    size_t row_count;
    /* The row with this id is this one by the time that rows are asked for; id 0: none. */
    struct row changed;
    bool absent;
    /* Its table has not all columns of the definition. */
    const char *live;
    struct buffer answer;
    unsigned queries; /* each a job of its own */
    struct verify_table *report;
};

static void append_row(struct buffer *out, const char *const cells[], size_t count)
{
    buffer_append_text(out, out->data[out->length - 1] == '[' ? "{\"f\":[" : ",{\"f\":[");
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s{\"v\":\"%s\"}", i > 0 ? "," : "", cells[i]);
    buffer_append_text(out, "]}");
}

static void bucket_of(int64_t id, char out[4])
{
    char text[32];
    char hash[65];

    value_text(id, text);
    hash_text(text, hash);
    memcpy(out, hash, 3);
    out[3] = '\0';
}

static int64_t part(const char *hex, int number)
{
    char digits[11];

    memcpy(digits, hex + 10 * number, 10);
    digits[10] = '\0';
    return strtoll(digits, NULL, 16);
}

/* One row for each bucket: its name, number of rows, and the sums of the parts of their hashes. */
static void answer_buckets(struct world *world)
{
    for (size_t i = 0; i < world->row_count; i++) {
        char bucket[4];
        char texts[4][24];
        int64_t sums[3] = {0};
        int rows = 0;
        bool seen = false;
        bucket_of(world->rows[i].id, bucket);
        for (size_t j = 0; j < world->row_count; j++) {
            char other[4];
            char hash[65];
            bucket_of(world->rows[j].id, other);
            if (strcmp(bucket, other) != 0)
                continue;
            seen = seen || j < i;
            hash_row(world->rows[j].id, world->rows[j].v, hash);
            for (int k = 0; k < 3; k++)
                sums[k] += part(hash, k);
            rows++;
        }
        if (seen)
            continue;
        snprintf(texts[3], sizeof texts[3], "%d", rows);
        for (int k = 0; k < 3; k++)
            snprintf(texts[k], sizeof texts[k], "%lld", (long long)sums[k]);
        append_row(
            &world->answer, (const char *const[]){bucket, texts[3], texts[0], texts[1], texts[2]},
            5);
    }
}

/* The rows of the buckets that the statement names. */
static void answer_rows(struct world *world, const char *statement)
{
    for (size_t i = 0; i < world->row_count; i++) {
        char bucket[4];
        char quoted[8];
        char key_text[32];
        char hash[65];
        char shown[24];
        bucket_of(world->rows[i].id, bucket);
        snprintf(quoted, sizeof quoted, "'%s'", bucket);
        if (strstr(statement, quoted) == NULL)
            continue;
        value_text(world->rows[i].id, key_text);
        bool changed = world->rows[i].id == world->changed.id;
        hash_row(world->rows[i].id, changed ? world->changed.v : world->rows[i].v, hash);
        snprintf(shown, sizeof shown, "%lld", (long long)world->rows[i].id);
        append_row(&world->answer, (const char *const[]){key_text, hash, shown}, 3);
    }
}

static void answer(void *context, const struct fake_request *request, struct fake_reply *out_reply)
{
    struct world *world = context;

    if (world->absent) {
        *out_reply = (struct fake_reply){
            .status = 404,
            .body = "{\"error\":{\"code\":404,\"message\":\"Not found: Table p:d.t\",\"errors\":"
                    "[{\"reason\":\"notFound\",\"message\":\"Not found: Table p:d.t\"}]}}"};
        return;
    }
    if (world->live != NULL) {
        *out_reply = (struct fake_reply){.status = 200, .body = world->live};
        if (strcmp(request->method, "GET") != 0)
            *out_reply = (struct fake_reply){
                .status = 400,
                .body = "{\"error\":{\"code\":400,\"message\":\"Unrecognized name: v\",\"errors\":"
                        "[{\"reason\":\"invalidQuery\"}]}}"};
        return;
    }
    bool buckets = strstr(request->body, "sum(") != NULL;
    buffer_reset(&world->answer);
    buffer_printf(
        &world->answer,
        "{\"jobComplete\":true,\"totalBytesBilled\":\"100\",\"jobReference\":"
        "{\"projectId\":\"p\",\"jobId\":\"q%u\"},\"schema\":{\"fields\":["
        "{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}",
        ++world->queries);
    buffer_append_text(
        &world->answer,
        buckets ? ",{\"name\":\"d\"},{\"name\":\"e\"}]},\"rows\":[" : "]},\"rows\":[");
    if (buckets)
        answer_buckets(world);
    else
        answer_rows(world, request->body);
    buffer_append_text(&world->answer, "]}");
    *out_reply = (struct fake_reply){.status = 200, .body = buffer_text(&world->answer)};
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT);
    snprintf(world->path, sizeof world->path, "/tmp/bqsync-comparison-XXXXXX");
    assert_true(close(mkstemp(world->path)) == 0);
    world->config = (struct config){
        .project = "p",
        .dataset = "d",
        .sqlite_path = world->path,
        .state_path = world->path,
        .state_is_source = true,
    };
    expect_ok(database_open(world->path, DATABASE_CREATE, 0, &world->source, &err));
    expect_ok(database_exec(
        &world->source,
        "create table t(id integer primary key, v);"
        "insert into t values (1, 10), (2, 20), (3, 30)",
        &err));
    expect_ok(tracking_open(world->path, &world->tracking, &err));
    manual_clock_init(&world->clock);
    fake_http_init(&world->http);
    world->http.handler = answer;
    world->http.context = world;
    buffer_init(&world->answer, 1 << 20);
    expect_ok(bigquery_open(
        &(struct bigquery_options){
            .project = "p",
            .dataset = "d",
            .location = "EU",
            .endpoint = "http://bq.test",
            .clock = &world->clock.clock,
            .http = &world->http.ops,
        },
        &world->bigquery, &err));
    expect_ok(verify_report_new(tables, 1, &world->report, &err));
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    verify_report_free(world->report, 1);
    bigquery_close(world->bigquery);
    fake_http_clear(&world->http);
    buffer_clear(&world->answer);
    tracking_close(&world->tracking);
    database_close(&world->source);
    unlink(world->path);
    free(world);
    return 0;
}

/* Everything up to this id has been synced. */
static void sync_up_to(struct world *world, int64_t id)
{
    struct intent intent = {.mode = SEND_APPEND, .generation = 1, .upper_row_id = id};

    snprintf(intent.table, sizeof intent.table, "t");
    snprintf(intent.nonce, sizeof intent.nonce, "n");
    intend_now(&world->tracking, &intent);
    assert_null(acknowledge_at(&world->tracking, &intent, 0));
}

static const struct verify_table *compare(struct world *world, const struct row *rows, size_t count)
{
    struct comparison_sides sides = {
        .config = &world->config,
        .source = &world->source,
        .tracking = &world->tracking,
        .bigquery = world->bigquery,
        .clock = clock_system(),
    };

    world->rows = rows;
    world->row_count = count;
    expect_ok(comparison_run(&sides, world->report, &err));
    return world->report;
}

static int64_t query_int(struct world *world, const char *sql)
{
    int64_t value = 0;

    expect_ok(database_query_int64(&world->tracking.database, sql, 0, &value, &err));
    return value;
}

static void test_equal_sides_need_one_query_and_no_row(void **state)
{
    struct world *world = *state;
    const struct verify_table *found = compare(world, (struct row[]){{3, 30}, {1, 10}, {2, 20}}, 3);

    assert_true(found->equal);
    assert_int_equal(found->source_rows, 3);
    assert_int_equal(found->warehouse_rows, 3);
    assert_int_equal(found->bytes_billed, 100);
    assert_int_equal(world->http.request_count, 1);
}

static void test_missing_extra_and_different_keys_are_named(void **state)
{
    struct world *world = *state;
    const struct verify_table *found = compare(world, (struct row[]){{1, 10}, {2, 21}, {4, 40}}, 3);

    assert_false(found->equal);
    expect_keys(found->missing, "[3]");
    expect_keys(found->extra, "[4]");
    expect_keys(found->different, "[2]");
    expect_keys(found->duplicated, "[]");
    assert_int_equal(found->bytes_billed, 200);
    assert_int_equal(
        query_int(world, "select sum(bytes) from bq_sync_billed where table_name = 't'"), 200);
}

static void test_a_row_that_bigquery_holds_three_times_is_found(void **state)
{
    const struct verify_table *found =
        compare(*state, (struct row[]){{1, 10}, {2, 20}, {3, 30}, {2, 20}, {2, 20}}, 5);

    assert_false(found->equal);
    expect_keys(found->duplicated, "[2]");
    expect_keys(found->different, "[]");
}

static void test_equal_rows_do_not_cancel_each_other_out(void **state)
{
    struct world *world = *state;
    struct table bag = table;
    const struct table *const bags[] = {&bag};

    bag.mode = SEND_REPLACE;
    expect_ok(database_exec(
        &world->source,
        "drop table t; create table t(id, v); insert into t values (1, 10), (2, 20), (2, 20)",
        &err));
    verify_report_free(world->report, 1);
    expect_ok(verify_report_new(bags, 1, &world->report, &err));
    const struct verify_table *found = compare(world, (struct row[]){{1, 10}, {2, 21}, {2, 21}}, 3);
    assert_false(found->equal);
    expect_keys(found->different, "[2]");

    verify_report_free(world->report, 1);
    expect_ok(verify_report_new(bags, 1, &world->report, &err));
    assert_true(compare(world, (struct row[]){{2, 20}, {1, 10}, {2, 20}}, 3)->equal);
}

/* The second query sees other rows than the first. */
static void test_checksums_that_differ_for_no_row_are_not_equal(void **state)
{
    struct world *world = *state;

    world->changed = (struct row){2, 20};
    const struct verify_table *found = compare(world, (struct row[]){{1, 10}, {2, 21}, {3, 30}}, 3);

    assert_false(found->equal);
    assert_int_equal(found->different_count, 0);
    assert_int_equal(found->unexplained_count, 1);
}

static void test_a_row_above_the_watermark_is_pending_and_not_missing(void **state)
{
    sync_up_to(*state, 2);
    const struct verify_table *found = compare(*state, (struct row[]){{1, 10}, {2, 20}}, 2);

    assert_true(found->equal);
    assert_int_equal(found->source_rows, 2);
    assert_int_equal(found->pending, 1);
}

static void test_a_row_that_does_not_fit_is_rejected_and_not_missing(void **state)
{
    struct world *world = *state;

    expect_ok(database_exec(&world->source, "update t set v = 'no number' where id = 2", &err));
    const struct verify_table *found = compare(world, (struct row[]){{1, 10}, {3, 30}}, 2);

    assert_true(found->equal);
    assert_int_equal(found->rejected, 1);
    assert_int_equal(found->source_rows, 2);
}

static void test_a_target_that_does_not_exist_lacks_every_row(void **state)
{
    struct world *world = *state;

    world->absent = true;
    const struct verify_table *found = compare(world, NULL, 0);

    assert_false(found->equal);
    expect_keys(found->missing, "[1,2,3]");
    assert_int_equal(found->missing_count, 3);
}

static void test_columns_that_bigquery_lacks_are_named_and_no_row_is_compared(void **state)
{
    struct world *world = *state;
    struct table known = table;
    const struct table *const one[] = {&known};

    known.schema_json = "[{\"name\":\"id\"},{\"name\":\"v\"}]";
    verify_report_free(world->report, 1);
    expect_ok(verify_report_new(one, 1, &world->report, &err));
    world->live = "{\"schema\":{\"fields\":[{\"name\":\"id\"}]},\"numRows\":\"2\"}";
    const struct verify_table *found = compare(world, NULL, 0);

    assert_false(found->equal);
    expect_keys(found->missing_columns, "[\"v\"]");
    assert_int_equal(found->missing_columns_count, 1);
    assert_int_equal(found->warehouse_rows, 2);
    expect_keys(found->missing, "[]");

    // Another mistake in the query is no missing column.
    struct comparison_sides sides = {
        .config = &world->config,
        .source = &world->source,
        .tracking = &world->tracking,
        .bigquery = world->bigquery,
        .clock = clock_system(),
    };
    world->live = "{\"schema\":{\"fields\":[{\"name\":\"id\"},{\"name\":\"v\"}]}}";
    verify_report_restart(world->report);
    expect_error(comparison_run(&sides, world->report, &err), ERROR_WAREHOUSE, "Unrecognized name");
}

static void test_a_source_without_a_column_of_the_definition_is_not_compared(void **state)
{
    struct world *world = *state;
    struct comparison_sides sides = {
        .config = &world->config,
        .source = &world->source,
        .tracking = &world->tracking,
        .bigquery = world->bigquery,
        .clock = clock_system(),
    };

    expect_ok(database_exec(&world->source, "alter table t drop column v", &err));
    expect_error(
        comparison_run(&sides, world->report, &err), ERROR_SCHEMA, "does not fit its definition");
    assert_int_equal(world->http.request_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_equal_sides_need_one_query_and_no_row),
        TEST(test_missing_extra_and_different_keys_are_named),
        TEST(test_a_row_that_bigquery_holds_three_times_is_found),
        TEST(test_equal_rows_do_not_cancel_each_other_out),
        TEST(test_checksums_that_differ_for_no_row_are_not_equal),
        TEST(test_a_row_above_the_watermark_is_pending_and_not_missing),
        TEST(test_a_row_that_does_not_fit_is_rejected_and_not_missing),
        TEST(test_a_target_that_does_not_exist_lacks_every_row),
        TEST(test_columns_that_bigquery_lacks_are_named_and_no_row_is_compared),
        TEST(test_a_source_without_a_column_of_the_definition_is_not_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
