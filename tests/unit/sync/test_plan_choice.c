/* The small decisions of a plan, each for every combination of what it depends on. */
#include "support/prelude.h"

#include "sync/pass/plan.h"
#include "sync/pass/task.h"

#include <stdio.h>
#include <string.h>

static void test_only_columns_of_the_table_count_as_json(void **state)
{
    const struct column columns[] = {
        {.name = "a", .type = COLUMN_STRING},
        {.name = "b", .type = COLUMN_JSON},
        {.name = "c", .type = COLUMN_STRING},
        {.name = "behind", .type = COLUMN_JSON},
    };
    static const bool expected[] = {false, false, true, true};

    (void)state;
    for (size_t count = 0; count < 4; count++) {
        const struct table table = {.columns = columns, .column_count = count};
        assert_int_equal(plan_has_json(&table), expected[count]);
    }
    const struct table first = {.columns = columns + 1, .column_count = 1};
    assert_true(plan_has_json(&first));
}

/* What a replacement leaves in the target is what somebody knows to belong to rejected rows. */
static void test_a_replacement_keeps_what_may_belong_to_rejected_rows(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        const bool holds = bits & 1, keys = bits & 2, shadow = bits & 4, same = bits & 8;
        const bool marks = bits & 16, staged = bits & 32;
        const struct table table = {.deletes = marks ? DELETES_MARK : DELETES_KEEP};
        struct task task = {.table = &table};
        task.plan.staged = staged;
        task.source.holds_versions = holds;
        task.source.shape.keeps_keys = keys;
        task.source.has_shadow = shadow;
        strcpy(task.plan.content_hash, "00000000c0des");
        strcpy(task.source.watermark.held_content, same ? "00000000c0des" : "00000000c0de");

        enum shadow_mode expected = SHADOW_REPLACE;
        if (holds && shadow && (keys || same))
            expected = SHADOW_REPLACE_KEEP_KNOWN;
        else if (!keys && (holds || (marks && staged)))
            expected = SHADOW_REPLACE_KEEP_ALL;
        if (plan_kept(&task) != expected)
            fail_msg("%u: %d, not %d", bits, (int)plan_kept(&task), (int)expected);
    }
}

static void test_merges_and_staged_rows_are_billed_and_loads_are_not(void **state)
{
    static const enum send_mode modes[] = {SEND_NOTHING, SEND_APPEND, SEND_MERGE, SEND_REPLACE};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        for (unsigned bits = 0; bits < 8; bits++) {
            const bool staged = bits & 1, only_state = bits & 2, only_if_changed = bits & 4;
            struct table_result outcome = {.error = {.code = ERROR_NONE}};
            struct task task = {.outcome = &outcome};
            task.plan.mode = modes[i];
            task.plan.staged = staged;
            task.plan.only_state = only_state;
            task.plan.only_if_changed = only_if_changed;

            bool expected = !only_state && !only_if_changed && modes[i] != SEND_NOTHING &&
                            (modes[i] == SEND_MERGE || staged);
            if (plan_is_billed(&task) != expected)
                fail_msg("mode %d, %u: not %d", (int)modes[i], bits, expected);
        }
    }
}

static void test_a_replacement_is_preferred_only_to_many_changes_of_a_plain_table(void **state)
{
    (void)state;
    struct table_history history = {.log = "log"};
    struct table table = {.deletes = DELETES_MIRROR};
    struct task task = {.table = &table};

    task.source.watermark.source_rows = 1000000;
    assert_true(plan_prefers_replace(&task, 1000000));
    assert_false(plan_prefers_replace(&task, 1));
    table.history = &history;
    assert_false(plan_prefers_replace(&task, 1000000));
    table.history = NULL;
    table.deletes = DELETES_KEEP;
    assert_false(plan_prefers_replace(&task, 1000000));
    table.deletes = DELETES_MIRROR;
    task.source.watermark.source_rows = 10;
    assert_false(plan_prefers_replace(&task, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_columns_of_the_table_count_as_json),
        cmocka_unit_test(test_a_replacement_keeps_what_may_belong_to_rejected_rows),
        cmocka_unit_test(test_merges_and_staged_rows_are_billed_and_loads_are_not),
        cmocka_unit_test(test_a_replacement_is_preferred_only_to_many_changes_of_a_plain_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
