/* Progress and intents. */
#include "support/prelude.h"

#include "tracked_state.h"

static bool has_intent(void)
{
    struct intent intent;
    bool found;

    expect_ok(tracking_intent(&tracking, "users", &found, &intent, &err));
    return found;
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

/* All that is recorded. The bytes between the members may differ. */
static void expect_same(const struct intent *loaded, const struct intent *intent)
{
    assert_string_equal(loaded->table, intent->table);
    assert_int_equal(loaded->mode, intent->mode);
    assert_int_equal(loaded->generation, intent->generation);
    assert_string_equal(loaded->nonce, intent->nonce);
    assert_string_equal(loaded->commit_job, intent->commit_job);
    assert_string_equal(loaded->staging, intent->staging);
    assert_int_equal(loaded->upper_sequence, intent->upper_sequence);
    assert_int_equal(loaded->upper_row_id, intent->upper_row_id);
    assert_int_equal(loaded->rows, intent->rows);
    assert_string_equal(loaded->content_hash, intent->content_hash);
    assert_string_equal(loaded->fingerprint, intent->fingerprint);
    assert_string_equal(loaded->shape_hash, intent->shape_hash);
    assert_string_equal(loaded->target, intent->target);
    assert_string_equal(loaded->project, intent->project);
    assert_string_equal(loaded->dataset, intent->dataset);
    assert_string_equal(loaded->location, intent->location);
    assert_int_equal(loaded->bytes_reserved, intent->bytes_reserved);
}

static void test_an_open_intent_survives_and_moves_nothing(void **state)
{
    (void)state;
    struct intent intent = intent_of(SEND_MERGE, 3);
    strcpy(intent.fingerprint, "40 rows");
    intent.bytes_reserved = 512;
    struct intent loaded;
    bool found;

    intend(&intent);
    reopen();

    expect_ok(tracking_intent(&tracking, "users", &found, &loaded, &err));
    assert_true(found);
    expect_same(&loaded, &intent);
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

    expect_ok(tracking_intend_job(&tracking, &intent, (struct bill_limit){0}, &changed, &err));
    assert_null(changed);
    expect_ok(tracking_intent(&tracking, "users", &found, &loaded, &err));
    assert_string_equal(loaded.commit_job, "job-2");

    expect_ok(tracking_reset(&tracking, "users", &err));
    expect_ok(tracking_intend_job(&tracking, &intent, (struct bill_limit){0}, &changed, &err));
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

static void acknowledge_logged(enum send_mode kind, int64_t generation, int64_t logged_at_us)
{
    struct intent intent = intent_of(kind, generation);

    intent.logged_at_us = logged_at_us;
    intend(&intent);
    acknowledge(&intent, NULL);
}

static void test_a_log_is_whole_after_a_replacement_that_fills_it(void **state)
{
    (void)state;
    acknowledge_logged(SEND_REPLACE, 1, 0);
    expect_ok(tracking_begin_log(&tracking, "users", &err));
    acknowledge_logged(SEND_MERGE, 2, NOW);
    assert_false(load().log_whole);
    assert_int_equal(load().logged_at_us, NOW);

    acknowledge_logged(SEND_REPLACE, 3, NOW + 1);
    assert_true(load().log_whole);
    acknowledge_logged(SEND_MERGE, 4, NOW + 2);
    assert_true(load().log_whole);
    assert_int_equal(load().logged_generation, 4);
    expect_ok(tracking_begin_log(&tracking, "users", &err));
    assert_false(load().log_whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(test_a_table_never_synced_has_no_progress),
        state_test(test_a_log_is_whole_after_a_replacement_that_fills_it),
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
