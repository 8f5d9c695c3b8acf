#include "support/prelude.h"

#include "service/bookmarks.h"

#include <stdio.h>
#include <string.h>

static const struct reject_place place = {"users", "{\"id\":1}", "name"};

static int set_up(void **state)
{
    struct bookmarks *bookmarks = NULL;
    struct error err;

    expect_ok(bookmarks_new(&bookmarks, &err));
    *state = bookmarks;
    return 0;
}

static int tear_down(void **state)
{
    bookmarks_free(*state);
    return 0;
}

static void test_a_place_is_found_by_its_name_as_often_as_it_is_asked_for(void **state)
{
    struct reject_place found;
    char name[BOOKMARK_SIZE];
    struct error err;

    expect_ok(bookmarks_keep(*state, &place, name, &err));
    for (int i = 0; i < 2; i++) {
        assert_true(bookmarks_find(*state, name, &found));
        assert_string_equal(found.table, "users");
        assert_string_equal(found.key_json, "{\"id\":1}");
        assert_string_equal(found.column, "name");
        bookmarks_forget(&found);
    }
}

static void test_a_name_does_not_show_the_place(void **state)
{
    char name[BOOKMARK_SIZE];
    struct error err;

    expect_ok(bookmarks_keep(*state, &place, name, &err));
    assert_null(strstr(name, "id"));
}

static void test_other_texts_are_no_names(void **state)
{
    static const char *const texts[] = {
        "", "1", "x", "-1", "00000000-0", "0000000000000000000000000000000000001"};
    struct reject_place found;
    char name[BOOKMARK_SIZE];
    char longer[BOOKMARK_SIZE + 8];
    struct error err;

    expect_ok(bookmarks_keep(*state, &place, name, &err));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(bookmarks_find(*state, texts[i], &found));
    snprintf(longer, sizeof longer, "%s ", name);
    assert_false(bookmarks_find(*state, longer, &found));
    snprintf(longer, sizeof longer, "%s0", name);
    assert_false(bookmarks_find(*state, longer, &found));
}

static void test_the_oldest_is_forgotten_when_there_are_too_many(void **state)
{
    struct reject_place found;
    char first[BOOKMARK_SIZE];
    char second[BOOKMARK_SIZE];
    char name[BOOKMARK_SIZE];
    struct error err;

    expect_ok(bookmarks_keep(*state, &place, first, &err));
    expect_ok(bookmarks_keep(*state, &place, second, &err));
    for (int i = 0; i < BOOKMARKS_KEPT - 1; i++)
        expect_ok(bookmarks_keep(*state, &place, name, &err));
    assert_false(bookmarks_find(*state, first, &found));
    assert_true(bookmarks_find(*state, second, &found));
    bookmarks_forget(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_place_is_found_by_its_name_as_often_as_it_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_name_does_not_show_the_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_texts_are_no_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_oldest_is_forgotten_when_there_are_too_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
