/* Names and texts cannot break out of their quotes. */
#include "support/prelude.h"

#include "warehouse/googlesql.h"

#include <string.h>

static void test_names_and_texts_are_quoted(void **state)
{
    struct buffer out;

    (void)state;
    buffer_init(&out, 1000);
    googlesql_identifier(&out, "a`b\\c");
    googlesql_string(&out, " \"quoted\"\n");

    assert_string_equal(buffer_text(&out), "`a\\`b\\\\c`\" \\\"quoted\\\"\\n\"");
    buffer_clear(&out);
}

static void test_placeholders_are_replaced_and_nothing_else_is(void **state)
{
    struct buffer out;

    (void)state;
    buffer_init(&out, 1000);
    googlesql_render(
        &out, slice_of("from `${project}`.`${dataset}`.`${staging}` -- ${other} ${"), "p`x", "d",
        "s");

    assert_string_equal(buffer_text(&out), "from `p\\`x`.`d`.`s` -- ${other} ${");
    buffer_clear(&out);
}

static void test_a_part_of_a_statement_ends_where_it_ends(void **state)
{
    const char statement[] = "from `${project}`";
    struct buffer out;

    (void)state;
    buffer_init(&out, 1000);
    googlesql_render(&out, (struct slice){statement, strlen("from `")}, "p", "d", NULL);
    googlesql_render(&out, (struct slice){statement, strlen("from `${pro")}, "p", "d", NULL);

    assert_string_equal(buffer_text(&out), "from `from `${pro");
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_texts_are_quoted),
        cmocka_unit_test(test_placeholders_are_replaced_and_nothing_else_is),
        cmocka_unit_test(test_a_part_of_a_statement_ends_where_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
