/* The state when the disk or the memory ends within a step of it: the step is done as a whole or
 * not at all, and the next try does it. */
#include "support/prelude.h"

#include "source/rejects.h"
#include "support.h"
#include "support/every_failure.h"
#include "support/intending.h"
#include "users.h"

#define NOW 1767323045678000 /* 2026-01-02T03:04:05.678Z */

static struct database kept; /* the state with which each attempt begins */
static struct tracking tracking;
static struct watermark planned;

static struct intent intent_of(int64_t generation)
{
    struct intent intent = {
        .table = "users",
        .mode = generation == 1 ? SEND_REPLACE : SEND_MERGE,
        .generation = generation,
        .commit_job = "job-1",
        .staging = "staging-1",
        .upper_sequence = 7,
        .upper_row_id = 90 + generation,
        .rows = 40,
        .content_hash = "00000000c0de",
        .fingerprint = "00000000f00d",
        .shape_hash = "00000000face",
        .target = "p1.d1.users",
        .project = "p2",
        .dataset = "d2",
        .location = "EU",
        .bytes_reserved = 1000,
        .bytes_billed = 10 << 20,
    };
    snprintf(intent.nonce, sizeof intent.nonce, "%016llx", (unsigned long long)generation);
    return intent;
}

static void copy_database(struct database *to, struct database *from)
{
    sqlite3_backup *copy = sqlite3_backup_init(to->handle, "main", from->handle, "main");

    assert_int_equal(sqlite3_backup_step(copy, -1), SQLITE_DONE);
    sqlite3_backup_finish(copy);
}

/* A table that was synced once, with triggers in the same database. */
static int set_up(void **state)
{
    struct intent first = intent_of(1);

    (void)state;
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &kept, &err));
    run(&kept, "pragma encoding = 'UTF-16'");
    expect_ok(tracking_share(&kept, &tracking, &err));
    run(&tracking.database, "create table users(id integer primary key, email text unique, v);"
                            "insert into users values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");
    expect_ok(capture_install(&tracking.database, &users_table, &err));
    run(&tracking.database, "update bq_sync_capture set sequence = 8");
    intend_now(&tracking, &first);
    assert_null(acknowledge_at(&tracking, &first, NOW));
    tracking_close(&tracking);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&kept);
    return 0;
}

static void begin(void)
{
    struct database fresh;

    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &fresh, &err));
    run(&fresh, "pragma encoding = 'UTF-16'");
    copy_database(&fresh, &kept);
    tracking = (struct tracking){.database = fresh};
    expect_ok(tracking_load(&tracking, "users", &planned, &err));
}

static void end(void)
{
    // A transaction that is left open would lock the application out.
    assert_int_not_equal(sqlite3_get_autocommit(tracking.database.handle), 0);
    tracking_close(&tracking);
}

static int64_t ask(const char *sql)
{
    return query_int(&tracking.database, sql);
}

static bool intent_is_open(struct intent *out_intent)
{
    bool found = false;

    expect_ok(tracking_intent(&tracking, "users", &found, out_intent, &err));
    return found;
}

/* --- an intent ---------------------------------------------------------------------------- */

static bool intend(struct error *error)
{
    const struct tracking_basis basis = {
        .watermark = &planned,
        .sealed_sequence = 8,
        .limit = {.bytes_a_day = 1 << 30, .now_us = NOW},
    };
    struct intent intent = intent_of(2);
    const char *changed = "unset";

    bool ok = tracking_intend(&tracking, &intent, &basis, &changed, error);
    if (ok)
        assert_null(changed);
    return ok;
}

static void check_there_is_none(void)
{
    struct intent ignored;

    assert_false(intent_is_open(&ignored));
    assert_int_equal(ask("select generation from bq_sync_generations"), 1);
}

static void check_the_intent(void)
{
    struct intent expected = intent_of(2);
    struct intent found;

    assert_true(intent_is_open(&found));
    assert_string_equal(found.table, "users");
    assert_int_equal(found.mode, SEND_MERGE);
    assert_int_equal(found.generation, 2);
    assert_string_equal(found.nonce, expected.nonce);
    assert_string_equal(found.commit_job, "job-1");
    assert_string_equal(found.staging, "staging-1");
    assert_int_equal(found.upper_sequence, 7);
    assert_int_equal(found.upper_row_id, 92);
    assert_int_equal(found.rows, 40);
    assert_string_equal(found.content_hash, "00000000c0de");
    assert_string_equal(found.fingerprint, "00000000f00d");
    assert_string_equal(found.shape_hash, "00000000face");
    assert_string_equal(found.target, "p1.d1.users");
    assert_string_equal(found.project, "p2");
    assert_string_equal(found.dataset, "d2");
    assert_string_equal(found.location, "EU");
    assert_int_equal(found.bytes_reserved, 1000);
    assert_int_equal(ask("select generation from bq_sync_generations"), 2);
}

/* --- how it ends -------------------------------------------------------------------------- */

static void begin_intended(void)
{
    begin();
    expect_ok(intend(&err));
}

static bool name_another_job(struct error *error)
{
    struct intent intent = intent_of(2);
    const char *changed = "unset";

    snprintf(intent.commit_job, sizeof intent.commit_job, "job-2");
    bool ok = tracking_intend_job(
        &tracking, &intent, (struct bill_limit){.bytes_a_day = 1 << 30, .now_us = NOW}, &changed,
        error);
    if (ok)
        assert_null(changed);
    return ok;
}

static void check_the_other_job(void)
{
    struct intent found;

    assert_true(intent_is_open(&found));
    assert_string_equal(found.commit_job, "job-2");
}

static bool acknowledge(struct error *error)
{
    struct intent intent = intent_of(2);
    const char *changed = "unset";

    return tracking_acknowledge(&tracking, &intent, NOW, &changed, error);
}

static int64_t billed(void)
{
    return ask("select coalesce(sum(bytes), 0) from bq_sync_billed");
}

static void check_it_is_still_open(void)
{
    struct watermark watermark;

    check_the_intent();
    expect_ok(tracking_load(&tracking, "users", &watermark, &err));
    assert_int_equal(watermark.last_synced_row_id, 91);
    assert_int_equal(billed(), 10 << 20);
}

static void check_the_watermark_has_moved(void)
{
    struct intent ignored;
    struct watermark watermark;

    assert_false(intent_is_open(&ignored));
    expect_ok(tracking_load(&tracking, "users", &watermark, &err));
    assert_int_equal(watermark.last_synced_row_id, 92);
    assert_int_equal(watermark.synced_sequence, 7);
    assert_string_equal(watermark.target, "p1.d1.users");
    assert_int_equal(billed(), 20 << 20);
}

static bool withdraw(struct error *error)
{
    struct intent intent = intent_of(2);

    return tracking_withdraw(&tracking, &intent, NOW, error);
}

static void check_the_watermark_has_stayed(void)
{
    struct intent ignored;
    struct watermark watermark;

    assert_false(intent_is_open(&ignored));
    expect_ok(tracking_load(&tracking, "users", &watermark, &err));
    assert_int_equal(watermark.last_synced_row_id, 91);
    assert_int_equal(watermark.generation, 2);
    assert_int_equal(billed(), 20 << 20);
}

/* --- rejects ------------------------------------------------------------------------------ */

static bool reject(int64_t id, const char *reason, struct error *error)
{
    const struct bad_value value = {.column = 2, .storage_class = "text", .reason = reason};
    sqlite3_stmt *row = NULL;
    bool found = false;
    char sql[64];

    snprintf(sql, sizeof sql, "select * from users where id = %d", (int)id);
    bool ok = database_prepare(&tracking.database, sql, &row, error) &&
              database_step(&tracking.database, row, &found, error) &&
              rejects_add(&tracking, &users_table, row, &value, error);
    sqlite3_finalize(row);
    return ok;
}

static bool publish(struct error *error)
{
    const struct rejects_pass pass = {.by = CAPTURE_TRIGGERS, .sequence = 7, .now_us = NOW};
    bool changed = false;

    return rejects_begin(&tracking, &users_table, error) && reject(2, "too long", error) &&
           reject(3, "no number", error) &&
           rejects_publish(&tracking, &users_table, &pass, &changed, error);
}

/* Rows 1 and 2 were rejected by an earlier pass. */
static void begin_rejected(void)
{
    const struct rejects_pass pass = {.by = CAPTURE_TRIGGERS, .sequence = 6, .now_us = NOW};
    bool changed = false;

    begin();
    expect_ok(rejects_begin(&tracking, &users_table, &err));
    expect_ok(reject(1, "no number", &err));
    expect_ok(reject(2, "too long", &err));
    expect_ok(rejects_publish(&tracking, &users_table, &pass, &changed, &err));
    assert_true(changed);
}

static bool append(void *context, const struct reject *one)
{
    buffer_printf(context, "%s %s; ", one->key_json, one->reason);
    return true;
}

static void check_the_rejects(void)
{
    struct buffer text;
    int64_t rows = 0;
    char reason[64];

    buffer_init(&text, 10000);
    expect_ok(rejects_each(&tracking, "users", append, &text, &err));
    assert_string_equal(buffer_text(&text), "{\"id\":2} too long; {\"id\":3} no number; ");
    buffer_clear(&text);
    expect_ok(rejects_count(&tracking, "users", &rows, &err));
    assert_int_equal(rows, 2);
    expect_ok(rejects_count_listed(&tracking, "users", &rows, &err));
    assert_int_equal(rows, 2);
    expect_ok(rejects_first_reason(&tracking, "users", reason, sizeof reason, &err));
    assert_string_equal(reason, "v: text value too long");
    // Both are tried again at each pass, and the one that fits now is sent by this one.
    assert_string_equal(
        query_text(
            &tracking.database, "select group_concat(bq_sync_key_1 || case when bq_sync_sequence >"
                                " 1000 then '' else '@' || bq_sync_sequence end, ' ') from"
                                " (select * from bq_sync_dirty_users order by 1)"),
        "1@7 2 3");
}

static const struct failing_act acts[] = {
    {"intend", begin, intend, check_there_is_none, check_the_intent, end},
    {"name another job", begin_intended, name_another_job, check_the_intent, check_the_other_job,
     end},
    {"acknowledge", begin_intended, acknowledge, check_it_is_still_open,
     check_the_watermark_has_moved, end},
    {"withdraw", begin_intended, withdraw, check_it_is_still_open, check_the_watermark_has_stayed,
     end},
    {"publish rejects", begin_rejected, publish, NULL, check_the_rejects, end},
};

static void test_wherever_it_fails_a_step_is_done_whole_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        check_every_failure(&acts[i], SCARCE_DISK);
        check_every_failure(&acts[i], SCARCE_MEMORY);
        check_every_failure(&acts[i], SCARCE_SQLITE_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_wherever_it_fails_a_step_is_done_whole_or_not_at_all, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
