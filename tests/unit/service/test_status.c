#include "support/prelude.h"

#include "base/json_exact.h"
#include "service/past_runs.h"
#include "service/status.h"
#include "source/capture.h"
#include "source/lock.h"
#include "source/tracking.h"
#include "support/intending.h"
#include "sync/pass/sent_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define US INT64_C(1000000)

static const struct column columns[] = {
    {.name = "id", .source = "id", .type = COLUMN_INT64, .required = true, .key = true},
    {.name = "name", .source = "name", .type = COLUMN_STRING},
};
static const size_t key[] = {0};
static const struct table users = {
    .name = "users",
    .target = "users",
    .mode = SEND_MERGE,
    .columns = columns,
    .column_count = 2,
    .key = key,
    .key_count = 1,
    .content_hash = "abc",
    .shape_hash = "def",
    .scan_sql = "select \"id\", \"name\" from \"users\"",
    .new_rows_sql = "select \"id\", \"name\" from \"users\" where \"id\" > ?1",
    .capture_install_sql = "create table if not exists \"bq_sync_dirty_users\" (\n"
                           "  bq_sync_key_1 not null on conflict ignore\n"
                           "  , bq_sync_sequence integer\n"
                           "  , primary key (bq_sync_key_1)\n"
                           ") without rowid;\n",
};
static const struct table missing = {
    .name = "missing",
    .target = "missing",
    .mode = SEND_APPEND,
    .columns = columns,
    .column_count = 2,
    .key = key,
    .key_count = 1,
    .content_hash = "abc",
    .shape_hash = "def",
    .scan_sql = "select \"id\", \"name\" from \"missing\"",
    .new_rows_sql = "select \"id\", \"name\" from \"missing\" where \"id\" > ?1",
};
static const struct table *const tables[] = {&users, &missing};

struct fixture {
    char folder[32];
    char path[64];
    struct config config;
    struct status *status;
    struct database writer;
};

static int set_up(void **state)
{
    struct fixture *made = calloc(1, sizeof *made);
    struct error err;

    strcpy(made->folder, "/tmp/bqsync-status-XXXXXX");
    assert_non_null(mkdtemp(made->folder));
    snprintf(made->path, sizeof made->path, "%s/app.db", made->folder);
    made->config = (struct config){
        .sqlite_path = made->path, .state_path = made->path, .state_is_source = true};
    expect_ok(database_open(made->path, DATABASE_CREATE, 1000, &made->writer, &err));
    expect_ok(database_exec(
        &made->writer,
        "pragma journal_mode = wal;"
        "create table users(id integer primary key, name text);"
        "insert into users values (1, 'a'), (2, 'b'), (3, 'c');",
        &err));
    expect_ok(status_new(&made->config, tables, 2, &made->status, &err));
    *state = made;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *made = *state;
    char command[64];

    status_free(made->status);
    database_close(&made->writer);
    snprintf(command, sizeof command, "rm -rf '%s'", made->folder);
    assert_int_equal(system(command), 0);
    free(made);
    return 0;
}

/* As if a pass had sent everything up to row_id. */
static void acknowledge(struct fixture *made, int64_t row_id, int64_t generation)
{
    struct tracking tracking;
    struct intent intent = {
        .table = "users",
        .mode = SEND_REPLACE,
        .generation = generation,
        .nonce = "0011223344556677",
        .commit_job = "job",
        .upper_row_id = row_id,
        .rows = row_id,
        .shape_hash = "def",
        .target = "p.d.users",
    };
    struct source_shape shape;
    struct error err;

    expect_ok(capture_install(&made->writer, &users, &err));
    expect_ok(capture_inspect(&made->writer, &users, &shape, &err));
    sent_form_write(&users, &shape, CAPTURE_TRIGGERS, intent.content_hash);

    expect_ok(tracking_open(made->path, &tracking, &err));
    intend_now(&tracking, &intent);
    assert_null(acknowledge_at(&tracking, &intent, 1000 * US));
    tracking_close(&tracking);
}

static void test_before_the_first_sync_every_row_is_waiting(void **state)
{
    struct fixture *made = *state;
    struct status_table rows[2];
    struct error err;

    expect_ok(status_read(made->status, rows, &err));
    assert_int_equal(rows[0].pending, 3);
    assert_int_equal(rows[0].last_synced_row_id, 0);
    assert_string_equal(rows[0].last_synced_at, "");
    assert_int_equal(rows[0].rejected, 0);
}

static void test_a_table_that_sqlite_lacks_says_so_and_the_others_are_shown(void **state)
{
    struct fixture *made = *state;
    struct status_table rows[2];
    struct error err;

    expect_ok(status_read(made->status, rows, &err));
    assert_int_equal(rows[1].pending, STATUS_UNKNOWN);
    assert_non_null(strstr(rows[1].problem, "missing"));
    assert_string_equal(rows[0].problem, "");
}

static void test_what_is_committed_shows_in_the_next_answer(void **state)
{
    struct fixture *made = *state;
    struct status_table rows[2];
    struct error err;

    acknowledge(made, 3, 1);
    expect_ok(status_read(made->status, rows, &err));
    assert_int_equal(rows[0].pending, 0);
    assert_int_equal(rows[0].last_synced_row_id, 3);
    for (int64_t added = 1; added <= 5; added++) {
        expect_ok(database_exec(&made->writer, "insert into users(name) values ('new')", &err));
        expect_ok(status_read(made->status, rows, &err));
        assert_int_equal(rows[0].pending, added);
    }
    acknowledge(made, 8, 2);
    expect_ok(status_read(made->status, rows, &err));
    assert_int_equal(rows[0].pending, 0);
    assert_int_equal(rows[0].last_synced_row_id, 8);
}

static void test_a_change_of_the_schema_shows_in_the_next_answer(void **state)
{
    struct fixture *made = *state;
    struct status_table rows[2];
    struct error err;

    expect_ok(status_read(made->status, rows, &err));
    assert_string_equal(rows[0].problem, "");
    for (int round = 0; round < 2; round++) {
        expect_ok(database_exec(&made->writer, "alter table users rename to away", &err));
        expect_ok(status_read(made->status, rows, &err));
        assert_int_equal(rows[0].pending, STATUS_UNKNOWN);
        assert_non_null(strstr(rows[0].problem, "table users does not exist in "));
        expect_ok(database_exec(&made->writer, "alter table away rename to users", &err));
        expect_ok(status_read(made->status, rows, &err));
        assert_string_equal(rows[0].problem, "");
        assert_int_equal(rows[0].pending, 3);
    }
}

static void test_a_database_replaced_by_another_file_is_opened_anew(void **state)
{
    struct fixture *made = *state;
    struct status_table rows[2];
    struct database other;
    char path[80];
    struct error err;

    // Without a WAL, which would outlive the file it belongs to.
    expect_ok(database_exec(&made->writer, "pragma journal_mode = delete", &err));
    database_close(&made->writer);
    expect_ok(status_read(made->status, rows, &err));
    snprintf(path, sizeof path, "%s.new", made->path);
    expect_ok(database_open(path, DATABASE_CREATE, 1000, &other, &err));
    expect_ok(database_exec(
        &other,
        "create table users(id integer primary key, name text); insert into users values (9, 'z')",
        &err));
    database_close(&other);
    assert_int_equal(rename(path, made->path), 0);

    expect_ok(status_read(made->status, rows, &err));
    assert_int_equal(rows[0].pending, 1);
    expect_ok(database_open(made->path, DATABASE_WRITE, 1000, &made->writer, &err));
}

static void test_a_source_that_is_gone_is_an_error_and_coming_back_mends_it(void **state)
{
    struct fixture *made = *state;
    struct status_table rows[2];
    char path[80];
    struct error err;

    expect_ok(status_read(made->status, rows, &err));
    snprintf(path, sizeof path, "%s.away", made->path);
    assert_int_equal(rename(made->path, path), 0);
    expect_error(status_read(made->status, rows, &err), ERROR_SOURCE, made->path);
    assert_int_equal(rename(path, made->path), 0);
    expect_ok(status_read(made->status, rows, &err));
    assert_int_equal(rows[0].pending, 3);
}

static cJSON *document(struct fixture *made, cJSON *running, const cJSON *recent)
{
    struct scheduler_view view = {
        .incremental_us = 2000 * US,
        .full_us = SCHEDULE_NEVER,
        .incremental_text = "every 15m",
        .full_text = "off",
    };
    struct ledger ledger;
    struct error err;

    expect_ok(ledger_init(&ledger, tables, 2, &err));
    ledger.tables[0].fresh_us = 1500 * US;
    struct status_live live = {
        .now_us = 1800 * US,
        .view = &view,
        .ledger = &ledger,
        .running = running,
        .recent = recent,
    };
    cJSON *made_json = status_json(made->status, &live);
    char *text = cJSON_PrintUnformatted(made_json);
    cJSON_Delete(made_json);
    ledger_clear(&ledger);
    cJSON *json = json_parse_exact(text);
    assert_non_null(json);
    free(text);
    return json;
}

static const cJSON *field(const cJSON *json, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(json, name);
}

static void test_the_document_has_the_promised_fields(void **state)
{
    struct fixture *made = *state;

    acknowledge(made, 3, 1);
    struct lock service;
    struct error err;
    expect_ok(lock_acquire_service(made->path, &service, &err));
    cJSON *json = document(made, NULL, NULL);
    lock_release(&service);
    assert_int_equal(json_int64_of(field(field(json, "service"), "pid"), -1), getpid());
    assert_true(cJSON_IsNull(field(json, "running")));
    assert_true(cJSON_IsNull(field(json, "last_run")));
    const cJSON *jobs = field(json, "jobs");
    assert_string_equal(field(cJSON_GetArrayItem(jobs, 0), "id")->valuestring, "incremental");
    assert_string_equal(
        field(cJSON_GetArrayItem(jobs, 0), "next_run")->valuestring, "1970-01-01T00:33:20.000Z");
    assert_true(cJSON_IsNull(field(cJSON_GetArrayItem(jobs, 1), "next_run")));
    assert_string_equal(field(cJSON_GetArrayItem(jobs, 1), "schedule")->valuestring, "off");
    const cJSON *table = cJSON_GetArrayItem(field(json, "tables"), 0);
    assert_string_equal(field(table, "table")->valuestring, "users");
    assert_string_equal(field(table, "mode")->valuestring, "upsert");
    assert_int_equal(json_int64_of(field(table, "last_synced_row_id"), -1), 3);
    assert_string_equal(field(table, "last_synced_at")->valuestring, "1970-01-01T00:16:40.000Z");
    assert_int_equal(json_int64_of(field(table, "pending_changes"), -1), 0);
    assert_int_equal(json_int64_of(field(table, "rejected"), -1), 0);
    assert_true(cJSON_IsNull(field(table, "last_error")));
    assert_int_equal(json_int64_of(field(table, "lag_seconds"), -1), 300);
    table = cJSON_GetArrayItem(field(json, "tables"), 1);
    assert_true(cJSON_IsNull(field(table, "pending_changes")));
    assert_true(cJSON_IsNull(field(table, "lag_seconds")));
    cJSON_Delete(json);
}

static void test_without_a_service_no_run_is_promised(void **state)
{
    cJSON *json = document(*state, NULL, NULL);

    assert_true(cJSON_IsNull(field(json, "service")));
    const cJSON *job = cJSON_GetArrayItem(field(json, "jobs"), 0);
    assert_true(cJSON_IsNull(field(job, "next_run")));
    assert_string_equal(field(job, "schedule")->valuestring, "every 15m");
    cJSON_Delete(json);
}

static void test_the_last_run_is_the_newest_of_record_and_memory(void **state)
{
    struct fixture *made = *state;
    struct tracking tracking;
    struct error err;

    expect_ok(tracking_open(made->path, &tracking, &err));
    expect_ok(tracking_save_run(
        &tracking, "a", "done", "{\"run_id\":\"a\",\"started_at\":\"1970-01-01T00:00:00.000Z\"}",
        &err));
    cJSON *json = document(made, NULL, NULL);
    assert_string_equal(field(field(json, "last_run"), "run_id")->valuestring, "a");
    assert_string_equal(field(field(json, "last_run"), "state")->valuestring, "done");
    cJSON_Delete(json);

    cJSON *recent = cJSON_Parse(
        "[{\"run_id\":\"b\",\"started_at\":\"1970-01-01T00:01:00.000Z\",\"state\":\"failed\"}]");
    json = document(made, NULL, recent);
    assert_string_equal(field(field(json, "last_run"), "run_id")->valuestring, "b");
    cJSON_Delete(json);

    expect_ok(tracking_save_run(
        &tracking, "c", "done",
        "{\"run_id\":\"c\",\"started_at\":\"1970-01-01T00:02:00.000Z\","
        "\"last_synced_row_id\":9007199254740993}",
        &err));
    json = document(made, NULL, recent);
    assert_string_equal(field(field(json, "last_run"), "run_id")->valuestring, "c");
    char *text = cJSON_PrintUnformatted(json);
    assert_non_null(strstr(text, "\"last_synced_row_id\":9007199254740993"));
    free(text);
    cJSON_Delete(json);

    // The list has all three, newest first, and finds each.
    cJSON *runs = NULL;
    expect_ok(past_runs_list(&tracking, recent, 10, &runs, &err));
    assert_int_equal(cJSON_GetArraySize(runs), 3);
    assert_string_equal(field(cJSON_GetArrayItem(runs, 0), "run_id")->valuestring, "c");
    assert_string_equal(field(cJSON_GetArrayItem(runs, 1), "run_id")->valuestring, "b");
    cJSON_Delete(runs);
    expect_ok(past_runs_list(&tracking, recent, 2, &runs, &err));
    assert_int_equal(cJSON_GetArraySize(runs), 2);
    cJSON_Delete(runs);
    static const char *const ids[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++) {
        cJSON *found = NULL;
        expect_ok(past_runs_find(&tracking, recent, ids[i], &found, &err));
        assert_string_equal(field(found, "run_id")->valuestring, ids[i]);
        cJSON_Delete(found);
    }
    cJSON *none = NULL;
    expect_ok(past_runs_find(&tracking, recent, "x", &none, &err));
    assert_null(none);
    tracking_close(&tracking);
    cJSON_Delete(recent);
}

static void test_a_run_in_the_future_is_older_than_one_of_memory(void **state)
{
    struct fixture *made = *state;
    struct tracking tracking;
    struct error err;

    expect_ok(tracking_open(made->path, &tracking, &err));
    expect_ok(tracking_save_run(
        &tracking, "a", "done", "{\"run_id\":\"a\",\"started_at\":\"1970-02-01T00:00:00.000Z\"}",
        &err));
    cJSON *json = document(made, NULL, NULL);
    assert_string_equal(field(field(json, "last_run"), "run_id")->valuestring, "a");
    cJSON_Delete(json);

    cJSON *recent = cJSON_Parse(
        "[{\"run_id\":\"b\",\"started_at\":\"1970-01-01T00:01:00.000Z\",\"state\":\"done\"}]");
    json = document(made, NULL, recent);
    assert_string_equal(field(field(json, "last_run"), "run_id")->valuestring, "b");
    cJSON_Delete(json);
    cJSON_Delete(recent);
    tracking_close(&tracking);
}

static void test_the_ledger_learns_freshness_from_past_runs(void **state)
{
    struct fixture *made = *state;
    struct tracking tracking;
    struct ledger ledger;
    int64_t full_since_us = 0;
    struct error err;

    expect_ok(tracking_open(made->path, &tracking, &err));
    expect_ok(tracking_save_run(
        &tracking, "1", "done",
        "{\"kind\":\"full\",\"ok\":true,\"started_at\":\"1970-01-01T00:00:10.000Z\","
        "\"finished_at\":\"1970-01-01T00:00:11.000Z\","
        "\"tables\":[{\"table\":\"users\",\"status\":\"synced\"}]}",
        &err));
    expect_ok(tracking_save_run(
        &tracking, "2", "done",
        "{\"kind\":\"incremental\",\"ok\":true,\"started_at\":\"1970-01-01T00:00:20.000Z\","
        "\"finished_at\":\"1970-01-01T00:00:21.000Z\","
        "\"tables\":[{\"table\":\"users\",\"status\":\"unchanged\"}]}",
        &err));
    expect_ok(tracking_save_run(
        &tracking, "3", "failed",
        "{\"kind\":\"incremental\",\"ok\":false,\"started_at\":\"1970-01-01T00:00:30.000Z\","
        "\"finished_at\":\"1970-01-01T00:00:31.000Z\","
        "\"tables\":[{\"table\":\"users\",\"status\":\"failed\"}]}",
        &err));
    expect_ok(tracking_save_run(&tracking, "4", "failed", "{\"damaged", &err));
    expect_ok(ledger_init(&ledger, tables, 2, &err));
    expect_ok(ledger_seed(&ledger, &tracking, NULL, &full_since_us, &err));
    assert_int_equal(ledger.tables[0].fresh_us, 20 * US);
    assert_int_equal(ledger.tables[1].fresh_us, 0);
    assert_int_equal(ledger.last_ok_us, 21 * US);
    assert_int_equal(ledger.last_run_us, 31 * US);
    assert_false(ledger.last_ok);
    assert_int_equal(full_since_us, 10 * US);
    ledger_clear(&ledger);
    tracking_close(&tracking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_before_the_first_sync_every_row_is_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_table_that_sqlite_lacks_says_so_and_the_others_are_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_is_committed_shows_in_the_next_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_change_of_the_schema_shows_in_the_next_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_database_replaced_by_another_file_is_opened_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_source_that_is_gone_is_an_error_and_coming_back_mends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_document_has_the_promised_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_without_a_service_no_run_is_promised, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_last_run_is_the_newest_of_record_and_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_run_in_the_future_is_older_than_one_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_ledger_learns_freshness_from_past_runs, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
