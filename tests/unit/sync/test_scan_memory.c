#include "support/prelude.h"

#include "sync/scan_memory.h"

static const struct table first = {.name = "first"};
static const struct table second = {.name = "second"};
static const struct table stranger = {.name = "stranger"};
static const struct table *const tables[] = {&first, &second};

static const struct commits_mark mark = {.known = true, .file = 1, .changes = 7, .settled = true};
static const struct watermark watermark = {
    .found = true, .generation = 3, .epoch = 1, .content_hash = "hash"};

static struct scan_memory *make(bool scans)
{
    struct scan_memory *memory = NULL;
    struct error err;

    expect_ok(scan_memory_new(tables, 2, scans, &memory, &err));
    return memory;
}

static void test_a_table_is_known_by_its_mark_and_its_state(void **state)
{
    struct scan_memory *memory = make(false);

    (void)state;
    assert_false(scan_memory_holds(memory, &first, &mark, &watermark));
    scan_memory_note(memory, &first, &mark, &watermark);
    assert_true(scan_memory_holds(memory, &first, &mark, &watermark));
    assert_false(scan_memory_holds(memory, &second, &mark, &watermark));

    struct commits_mark later = mark;
    later.changes++;
    assert_false(scan_memory_holds(memory, &first, &later, &watermark));
    struct commits_mark blind = mark;
    blind.known = false;
    assert_false(scan_memory_holds(memory, &first, &blind, &watermark));

    struct watermark moved = watermark;
    moved.generation++;
    assert_false(scan_memory_holds(memory, &first, &mark, &moved));
    struct watermark marked = watermark;
    marked.epoch++;
    assert_false(scan_memory_holds(memory, &first, &mark, &marked));
    struct watermark emptied = watermark;
    emptied.content_hash[0] = '\0';
    assert_false(scan_memory_holds(memory, &first, &mark, &emptied));
    scan_memory_free(memory);
}

static void test_a_mark_that_a_write_may_still_share_is_not_kept(void **state)
{
    struct scan_memory *memory = make(false);
    struct commits_mark fresh = mark;
    struct commits_mark blind = {0};

    (void)state;
    fresh.settled = false;
    scan_memory_note(memory, &first, &fresh, &watermark);
    assert_false(scan_memory_holds(memory, &first, &mark, &watermark));
    scan_memory_note(memory, &first, &blind, &watermark);
    assert_false(scan_memory_holds(memory, &first, &blind, &watermark));
    // Nor is what was known before.
    scan_memory_note(memory, &first, &mark, &watermark);
    scan_memory_note(memory, &first, &fresh, &watermark);
    assert_false(scan_memory_holds(memory, &first, &mark, &watermark));
    scan_memory_free(memory);
}

static void test_marks_are_of_use_once_a_table_is_scanned(void **state)
{
    struct scan_memory *memory = make(false);

    (void)state;
    assert_false(scan_memory_is_used(memory));
    scan_memory_note(memory, &stranger, &mark, &watermark);
    assert_false(scan_memory_is_used(memory));
    scan_memory_note(memory, &second, &(struct commits_mark){0}, &watermark);
    assert_true(scan_memory_is_used(memory));
    scan_memory_free(memory);
    memory = make(true);
    assert_true(scan_memory_is_used(memory));
    scan_memory_free(memory);
}

static void test_a_process_may_remember_nothing(void **state)
{
    (void)state;
    assert_false(scan_memory_is_used(NULL));
    scan_memory_note(NULL, &first, &mark, &watermark);
    assert_false(scan_memory_holds(NULL, &first, &mark, &watermark));
    scan_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_is_known_by_its_mark_and_its_state),
        cmocka_unit_test(test_a_mark_that_a_write_may_still_share_is_not_kept),
        cmocka_unit_test(test_marks_are_of_use_once_a_table_is_scanned),
        cmocka_unit_test(test_a_process_may_remember_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
