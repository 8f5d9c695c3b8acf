/* Progress, intents, runs and the control tables they live in. */
#include "support/prelude.h"

#include "source/tracking_quota.h"
#include "source/tracking_schema.h"
#include "support.h"
#include "support/intending.h"

#define OUTDATED "it was reset or marked to be sent again, or a backup was restored"
#define NOW      1767323045678000 /* 2026-01-02T03:04:05.678Z */

static struct folder folder;
static struct tracking tracking;
static char path[256];

static int open_state(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "state.db"));
    expect_ok(tracking_open(path, &tracking, &err));
    return 0;
}

static int close_state(void **state)
{
    (void)state;
    tracking_close(&tracking);
    remove_folder(&folder);
    return 0;
}

static void reopen(void)
{
    tracking_close(&tracking);
    expect_ok(tracking_open(path, &tracking, &err));
}

static struct intent intent_of(enum send_mode kind, int64_t generation)
{
    struct intent intent = {
        .table = "users",
        .mode = kind,
        .generation = generation,
        .commit_job = "job-1",
        .staging = "staging-1",
        .upper_sequence = 7,
        .upper_row_id = 90,
        .rows = 40,
        .content_hash = "00000000c0de",
        .shape_hash = "00000000face",
        .target = "p.d.users",
        .project = "p",
        .dataset = "d",
        .location = "EU",
    };
    snprintf(intent.nonce, sizeof intent.nonce, "%016llx", (unsigned long long)generation);
    return intent;
}

static struct watermark load(void)
{
    struct watermark watermark;

    expect_ok(tracking_load(&tracking, "users", &watermark, &err));
    return watermark;
}

static bool has_intent(void)
{
    struct intent intent;
    bool found;

    expect_ok(tracking_intent(&tracking, "users", &found, &intent, &err));
    return found;
}

static void intend(const struct intent *intent)
{
    intend_now(&tracking, intent);
}

static void acknowledge(const struct intent *intent, const char *changed)
{
    const char *found = acknowledge_at(&tracking, intent, NOW);

    assert_int_equal(found == NULL, changed == NULL);
    if (changed != NULL)
        assert_string_equal(found, changed);
}

static void sync_once(enum send_mode kind, int64_t generation)
{
    struct intent intent = intent_of(kind, generation);

    intend(&intent);
    acknowledge(&intent, NULL);
}

static void test_a_table_never_synced_has_no_progress(void **state)
{
    (void)state;

    struct watermark watermark = load();

    assert_false(watermark.found);
    assert_int_equal(watermark.generation, 0);
    assert_false(has_intent());
}

static void test_an_acknowledged_intent_becomes_the_progress(void **state)
{
    (void)state;
    sync_once(SEND_REPLACE, 1);

    reopen();
    struct watermark watermark = load();

    assert_true(watermark.found);
    assert_int_equal(watermark.last_synced_row_id, 90);
    assert_int_equal(watermark.synced_sequence, 7);
    assert_int_equal(watermark.generation, 1);
    assert_int_equal(watermark.source_rows, 40);
    assert_string_equal(watermark.content_hash, "00000000c0de");
    assert_string_equal(watermark.shape_hash, "00000000face");
    assert_string_equal(watermark.target, "p.d.users");
    assert_string_equal(watermark.last_synced_at, "2026-01-02T03:04:05.678Z");
    assert_string_equal(watermark.last_error, "");
    assert_false(has_intent());
}

static void test_an_open_intent_survives_and_moves_nothing(void **state)
{
    (void)state;
    struct intent intent = intent_of(SEND_MERGE, 3);
    struct intent loaded;
    bool found;

    intend(&intent);
    reopen();

    expect_ok(tracking_intent(&tracking, "users", &found, &loaded, &err));
    assert_true(found);
    assert_memory_equal(&loaded, &intent, sizeof intent);
    assert_false(load().found);
    assert_int_equal(load().generation, 3);
}

static void test_the_highest_row_id_never_falls(void **state)
{
    (void)state;
    sync_once(SEND_REPLACE, 1);
    struct intent intent = intent_of(SEND_REPLACE, 2);
    intent.upper_row_id = 12;
    intent.upper_sequence = 3;

    intend(&intent);
    acknowledge(&intent, NULL);

    assert_int_equal(load().last_synced_row_id, 90);
    assert_int_equal(load().synced_sequence, 3);
}

static void test_appended_rows_count_and_merged_ones_do_not(void **state)
{
    (void)state;
    sync_once(SEND_REPLACE, 1);
    sync_once(SEND_APPEND, 2);
    sync_once(SEND_MERGE, 3);

    assert_int_equal(load().source_rows, 80);
}

static void test_a_withdrawn_intent_uses_up_its_generation(void **state)
{
    (void)state;
    sync_once(SEND_REPLACE, 1);
    struct intent intent = intent_of(SEND_MERGE, 2);

    intend(&intent);
    expect_ok(tracking_withdraw(&tracking, &intent, NOW, &err));

    assert_false(has_intent());
    assert_int_equal(load().generation, 2);
    assert_int_equal(load().synced_sequence, 7);
    assert_true(load().found);
}

static void test_a_withdrawn_replacement_leaves_progress_that_asks_for_another(void **state)
{
    (void)state;
    sync_once(SEND_REPLACE, 1);
    struct intent intent = intent_of(SEND_REPLACE, 2);

    intend(&intent);
    expect_ok(tracking_withdraw(&tracking, &intent, NOW, &err));
    assert_true(load().found);
    assert_string_equal(load().content_hash, "");

    sync_once(SEND_REPLACE, 3);
    assert_string_equal(load().content_hash, "00000000c0de");
}

static void test_a_row_deleted_by_hand_stays_deleted_when_its_intent_succeeds(void **state)
{
    (void)state;
    sync_once(SEND_REPLACE, 1);
    struct intent intent = intent_of(SEND_MERGE, 2);
    intend(&intent);

    run(&tracking.database, "DELETE FROM bq_sync_tracking WHERE table_name='users'");
    expect_ok(tracking_note(&tracking, "users", "it failed meanwhile", &err));
    acknowledge(&intent, OUTDATED);

    assert_false(load().found);
    assert_false(has_intent());
    assert_int_equal(load().generation, 2);
}

static void test_a_reset_forgets_all_but_the_generation(void **state)
{
    (void)state;
    sync_once(SEND_REPLACE, 5);

    expect_ok(tracking_reset(&tracking, "users", &err));

    assert_false(load().found);
    assert_int_equal(load().last_synced_row_id, 0);
    assert_int_equal(load().generation, 5);
}

static void test_an_invalidated_table_keeps_its_numbers_and_loses_its_hash(void **state)
{
    (void)state;
    sync_once(SEND_REPLACE, 1);
    struct intent intent = intent_of(SEND_MERGE, 2);
    intend(&intent);

    expect_ok(tracking_invalidate(&tracking, "users", &err));
    acknowledge(&intent, OUTDATED);

    assert_string_equal(load().content_hash, "");
    assert_int_equal(load().last_synced_row_id, 90);
}

/* A plan was made; what the test does then is found out when the intent is recorded. */
static void expect_outdated(const char *sql, const char *why)
{
    struct intent intent = intent_of(SEND_MERGE, 2);
    const char *changed = NULL;
    sync_once(SEND_REPLACE, 1);
    struct watermark seen = load();
    const struct tracking_basis basis = {.watermark = &seen};

    run(&tracking.database, sql);
    expect_ok(tracking_intend(&tracking, &intent, &basis, &changed, &err));

    assert_non_null(changed);
    assert_string_equal(changed, why);
    assert_false(has_intent());
    assert_true(load().generation < 2 || strstr(sql, "generations") != NULL);
}

static void test_an_intent_is_not_recorded_over_what_its_plan_did_not_see(void **state)
{
    (void)state;
    expect_outdated("delete from bq_sync_tracking", "it was reset");
    expect_outdated(
        "update bq_sync_tracking set epoch = epoch + 1", "it was marked to be sent again");
    expect_outdated(
        "update bq_sync_tracking set content_hash = ''", "it was marked to be sent again");
    expect_outdated(
        "update bq_sync_tracking set synced_sequence = 3",
        "its watermark was moved by somebody else, or a backup was restored");
    expect_outdated(
        "update bq_sync_tracking set target = 'p.e.users'",
        "its watermark was moved by somebody else, or a backup was restored");
    expect_outdated(
        "update bq_sync_generations set generation = generation + 1",
        "its watermark was moved by somebody else, or a backup was restored");
}

static void test_an_invalidation_counts_even_if_there_was_nothing_to_invalidate(void **state)
{
    (void)state;
    struct intent intent = intent_of(SEND_REPLACE, 2);
    const char *changed = NULL;
    sync_once(SEND_REPLACE, 1);
    expect_ok(tracking_invalidate(&tracking, "users", &err));
    struct watermark seen = load();
    const struct tracking_basis basis = {.watermark = &seen};

    expect_ok(tracking_invalidate(&tracking, "users", &err));
    expect_ok(tracking_intend(&tracking, &intent, &basis, &changed, &err));

    assert_string_equal(changed, "it was marked to be sent again");
}

static void test_an_intent_is_not_recorded_if_the_sealed_sequence_is_gone(void **state)
{
    (void)state;
    struct intent intent = intent_of(SEND_MERGE, 2);
    const char *changed = NULL;
    sync_once(SEND_REPLACE, 1);
    struct watermark seen = load();
    const struct tracking_basis basis = {.watermark = &seen, .sealed_sequence = 8};

    expect_ok(tracking_intend(&tracking, &intent, &basis, &changed, &err));
    assert_string_equal(changed, "its change capture was removed, or a backup was restored");
    run(&tracking.database,
        "create table bq_sync_capture(table_name text primary key, sequence integer);"
        "insert into bq_sync_capture values ('users', 7)");
    expect_ok(tracking_intend(&tracking, &intent, &basis, &changed, &err));
    assert_string_equal(changed, "its change capture was removed, or a backup was restored");

    run(&tracking.database, "update bq_sync_capture set sequence = 8");
    expect_ok(tracking_intend(&tracking, &intent, &basis, &changed, &err));
    assert_null(changed);
}

static void test_another_commit_job_is_named_only_while_the_intent_counts(void **state)
{
    (void)state;
    struct intent intent = intent_of(SEND_MERGE, 2);
    struct intent loaded;
    const char *changed = "unset";
    bool found = false;
    sync_once(SEND_REPLACE, 1);
    intend(&intent);
    snprintf(intent.commit_job, sizeof intent.commit_job, "job-2");

    expect_ok(tracking_intend_job(&tracking, &intent, &changed, &err));
    assert_null(changed);
    expect_ok(tracking_intent(&tracking, "users", &found, &loaded, &err));
    assert_string_equal(loaded.commit_job, "job-2");

    expect_ok(tracking_reset(&tracking, "users", &err));
    expect_ok(tracking_intend_job(&tracking, &intent, &changed, &err));
    assert_string_equal(changed, OUTDATED);
    assert_false(load().found);
}

static void test_a_hash_that_was_cleared_by_hand_stays_cleared(void **state)
{
    (void)state;
    struct intent intent = intent_of(SEND_MERGE, 2);
    sync_once(SEND_REPLACE, 1);
    intend(&intent);

    run(&tracking.database, "update bq_sync_tracking set content_hash = ''");
    acknowledge(&intent, OUTDATED);

    assert_string_equal(load().content_hash, "");
    assert_false(has_intent());
}

static void test_acknowledging_twice_does_no_harm(void **state)
{
    (void)state;
    struct intent intent = intent_of(SEND_APPEND, 2);
    sync_once(SEND_REPLACE, 1);
    intend(&intent);

    acknowledge(&intent, NULL);
    acknowledge(&intent, OUTDATED);

    assert_int_equal(load().source_rows, 80);
}

static void test_an_error_is_kept_until_the_table_succeeds(void **state)
{
    (void)state;
    expect_ok(tracking_note(&tracking, "users", "no such column", &err));
    assert_string_equal(load().last_error, "no such column");
    assert_false(load().found);

    sync_once(SEND_REPLACE, 1);
    assert_string_equal(load().last_error, "");

    expect_ok(tracking_note(&tracking, "users", "again", &err));
    expect_ok(tracking_note(&tracking, "users", "", &err));
    assert_string_equal(load().last_error, "");
    assert_true(load().found);
}

static void test_dropped_control_tables_come_back(void **state)
{
    (void)state;
    static const char *const names[] = {
        "bq_sync_meta", "bq_sync_tracking", "bq_sync_intents", "bq_sync_generations",
        "bq_sync_runs", "bq_sync_rejects",  "bq_sync_loads",   "bq_sync_billed"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char sql[64];
        sync_once(SEND_REPLACE, 1);
        snprintf(sql, sizeof sql, "drop table %s", names[i]);
        run(&tracking.database, sql);
        assert_false(tracking_load(&tracking, "users", &(struct watermark){0}, &err) && i == 1);

        reopen();

        sync_once(SEND_REPLACE, 2);
        assert_int_equal(load().generation, 2);
    }
}

static void test_reading_a_database_without_control_tables_finds_nothing(void **state)
{
    (void)state;
    struct database empty;
    struct tracking reader;
    struct watermark watermark;
    struct intent intent;
    bool found = true;
    char value[8] = "x";
    const char *file = path_in(&folder, "empty.db");
    expect_ok(database_open(file, DATABASE_CREATE, 0, &empty, &err));
    run(&empty, "create table mine(a)");

    expect_ok(tracking_open_read(file, &reader, &err));
    expect_ok(tracking_load(&reader, "users", &watermark, &err));
    expect_ok(tracking_intent(&reader, "users", &found, &intent, &err));
    expect_ok(tracking_get(&reader, "instance", value, sizeof value, &err));

    assert_false(watermark.found);
    assert_false(found);
    assert_string_equal(value, "");
    assert_int_equal(query_int(&empty, "select count(*) from sqlite_master"), 1);
    tracking_close(&reader);
    database_close(&empty);
}

static void test_tables_of_an_older_layout_are_completed(void **state)
{
    (void)state;
    run(&tracking.database,
        "drop table bq_sync_tracking; drop table bq_sync_meta;"
        "create table bq_sync_tracking(table_name TEXT PRIMARY KEY, last_synced_row_id INTEGER NOT "
        "NULL,"
        " last_synced_at TEXT);"
        "insert into bq_sync_tracking values ('users', 55, '2025-01-01T00:00:00Z')");

    reopen();

    assert_int_equal(load().last_synced_row_id, 55);
    assert_string_equal(load().content_hash, "");
    sync_once(SEND_REPLACE, 1);
    assert_int_equal(load().last_synced_row_id, 90);
}

static void test_a_newer_layout_is_refused(void **state)
{
    (void)state;
    struct tracking other;
    run(&tracking.database, "update bq_sync_meta set value = '99' where name = 'schema_version'");

    expect_error(tracking_open(path, &other, &err), ERROR_SOURCE, "version 99");
}

static void test_opening_again_writes_nothing_and_keeps_the_instance(void **state)
{
    (void)state;
    char first[32];
    char second[32];
    expect_ok(tracking_get(&tracking, "instance", first, sizeof first, &err));
    int64_t version = query_int(&tracking.database, "pragma data_version");

    struct tracking other;
    expect_ok(tracking_open(path, &other, &err));
    expect_ok(tracking_get(&other, "instance", second, sizeof second, &err));

    assert_int_equal(strlen(first), 16);
    assert_string_equal(first, second);
    assert_int_equal(query_int(&tracking.database, "pragma data_version"), version);
    tracking_close(&other);
}

static void test_facts_are_kept_by_name(void **state)
{
    (void)state;
    char value[16];

    expect_ok(tracking_set(&tracking, "location", "US", &err));
    expect_ok(tracking_set(&tracking, "location", "EU", &err));
    expect_ok(tracking_get(&tracking, "location", value, sizeof value, &err));

    assert_string_equal(value, "EU");
}

static bool collect_run(void *context, const char *run_id, const char *run_state, const char *json)
{
    buffer_printf(context, "%s %s %s\n", run_id, run_state, json);
    return true;
}

static void test_the_newest_runs_are_kept_newest_first(void **state)
{
    (void)state;
    struct buffer out;
    char id[16];
    buffer_init(&out, 1 << 20);

    for (int i = 1; i <= 503; i++) {
        snprintf(id, sizeof id, "r%d", i);
        expect_ok(tracking_save_run(&tracking, id, "running", "{}", &err));
    }
    expect_ok(tracking_save_run(&tracking, "r503", "done", "{\"ok\":true}", &err));
    expect_ok(tracking_each_run(&tracking, 2, collect_run, &out, &err));

    assert_string_equal(buffer_text(&out), "r503 done {\"ok\":true}\nr502 running {}\n");
    assert_int_equal(query_int(&tracking.database, "select count(*) from bq_sync_runs"), 500);
    buffer_clear(&out);
}

static void add_up(void *context, int64_t hour, int64_t modifications)
{
    int64_t *sum = context;

    *sum += hour * 1000 + modifications;
}

static int64_t quota_since(struct tracking *from, int64_t first_hour)
{
    int64_t sum = 0;

    expect_ok(tracking_quota_load(from, "p.d.users", first_hour, add_up, &sum, &err));
    return sum;
}

static void test_a_daily_count_is_kept_by_name(void **state)
{
    struct tracking reader;

    (void)state;
    assert_int_equal(quota_since(&tracking, 0), 0);
    expect_ok(tracking_quota_save(&tracking, "p.d.users", 1, 7, 12, &err));
    expect_ok(tracking_quota_save(&tracking, "p.d.users", 1, 8, 3, &err));
    expect_ok(tracking_quota_save(&tracking, "p.d.users", 1, 8, 4, &err));
    expect_ok(tracking_quota_save(&tracking, "p.d.others", 1, 8, 100, &err));
    assert_int_equal(quota_since(&tracking, 7), 7012 + 8004);
    assert_int_equal(quota_since(&tracking, 8), 8004);
    expect_ok(tracking_quota_save(&tracking, "p.d.users", 8, 32, 1, &err));
    assert_int_equal(quota_since(&tracking, 0), 8004 + 32001);

    // A reader finds nothing where the table was dropped, and says so.
    run(&tracking.database, "drop table bq_sync_loads");
    expect_ok(tracking_open_read(tracking.database.path, &reader, &err));
    assert_int_equal(quota_since(&reader, 0), 0);
    tracking_close(&reader);
}

static void test_counts_by_the_day_of_an_earlier_version_are_taken_over(void **state)
{
    (void)state;
    run(&tracking.database,
        "drop table bq_sync_loads;"
        "create table bq_sync_quota(table_name text primary key, day integer not null,"
        " modifications integer not null) without rowid;"
        "insert into bq_sync_quota values"
        " ('p.d.users', (strftime('%s', 'now') - 28800) / 86400, 12),"
        " ('p.d.old', (strftime('%s', 'now') - 28800) / 86400 - 3, 7)");

    reopen();

    assert_int_equal(
        query_int(
            &tracking.database,
            "select sum(modifications) from bq_sync_loads where hour between"
            " strftime('%s', 'now') / 3600 - 1 and strftime('%s', 'now') / 3600"),
        12);
    assert_int_equal(
        query_int(
            &tracking.database, "select count(*) from sqlite_master where name = 'bq_sync_quota'"),
        0);
}

#define state_test(function) cmocka_unit_test_setup_teardown(function, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(test_a_table_never_synced_has_no_progress),
        state_test(test_an_acknowledged_intent_becomes_the_progress),
        state_test(test_an_open_intent_survives_and_moves_nothing),
        state_test(test_the_highest_row_id_never_falls),
        state_test(test_appended_rows_count_and_merged_ones_do_not),
        state_test(test_a_withdrawn_intent_uses_up_its_generation),
        state_test(test_a_withdrawn_replacement_leaves_progress_that_asks_for_another),
        state_test(test_a_row_deleted_by_hand_stays_deleted_when_its_intent_succeeds),
        state_test(test_a_reset_forgets_all_but_the_generation),
        state_test(test_an_invalidated_table_keeps_its_numbers_and_loses_its_hash),
        state_test(test_an_intent_is_not_recorded_over_what_its_plan_did_not_see),
        state_test(test_an_invalidation_counts_even_if_there_was_nothing_to_invalidate),
        state_test(test_an_intent_is_not_recorded_if_the_sealed_sequence_is_gone),
        state_test(test_another_commit_job_is_named_only_while_the_intent_counts),
        state_test(test_a_hash_that_was_cleared_by_hand_stays_cleared),
        state_test(test_acknowledging_twice_does_no_harm),
        state_test(test_an_error_is_kept_until_the_table_succeeds),
        state_test(test_a_daily_count_is_kept_by_name),
        state_test(test_counts_by_the_day_of_an_earlier_version_are_taken_over),
        state_test(test_dropped_control_tables_come_back),
        state_test(test_reading_a_database_without_control_tables_finds_nothing),
        state_test(test_tables_of_an_older_layout_are_completed),
        state_test(test_a_newer_layout_is_refused),
        state_test(test_opening_again_writes_nothing_and_keeps_the_instance),
        state_test(test_facts_are_kept_by_name),
        state_test(test_the_newest_runs_are_kept_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
