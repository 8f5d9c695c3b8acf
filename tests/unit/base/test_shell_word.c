/* Names in commands that are printed for somebody to paste, judged by a shell. */
#include "support/prelude.h"

#include "base/shell_word.h"

#include <stdio.h>
#include <string.h>

static void test_a_name_that_means_nothing_to_a_shell_stays_as_it_is(void **state)
{
    char room[SHELL_WORD_SIZE];

    (void)state;
    assert_string_equal(shell_word("order_items-2.b", room), "order_items-2.b");
}

static void test_others_are_quoted(void **state)
{
    char room[SHELL_WORD_SIZE];

    (void)state;
    assert_string_equal(shell_word("Order Items", room), "'Order Items'");
    assert_string_equal(shell_word("with\"quote", room), "'with\"quote'");
    assert_string_equal(shell_word("it's", room), "'it'\\''s'");
    assert_string_equal(shell_word("", room), "''");
}

static void test_a_shell_reads_each_back(void **state)
{
    static const char *const names[] = {"a b",     "a'b",  "''",  "$HOME", "a\\b", "a`date`b",
                                        "a;b&c|d", "#tag", "~me", "*",     "a!b",  "\xe6\x97\xa5"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char room[SHELL_WORD_SIZE];
        char command[SHELL_WORD_SIZE + 32];
        char answer[64] = "";
        snprintf(command, sizeof command, "printf %%s %s", shell_word(names[i], room));
        FILE *shell = popen(command, "r"); // NOLINT(cert-env33-c): a shell is the judge
        assert_non_null(shell);
        assert_non_null(fgets(answer, sizeof answer, shell));
        assert_int_equal(pclose(shell), 0);
        assert_string_equal(answer, names[i]);
    }
}

static void test_what_does_not_fit_is_not_cut(void **state)
{
    char room[SHELL_WORD_SIZE];
    char text[SHELL_WORD_SIZE];

    (void)state;
    for (size_t length = 0; length < sizeof text; length++) {
        memset(text, '\'', length);
        text[length] = '\0';
        const char *word = shell_word(text, room);
        assert_true(word == text || strlen(word) == 4 * length + 2);
    }
    assert_ptr_equal(shell_word(text, room), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_that_means_nothing_to_a_shell_stays_as_it_is),
        cmocka_unit_test(test_others_are_quoted),
        cmocka_unit_test(test_a_shell_reads_each_back),
        cmocka_unit_test(test_what_does_not_fit_is_not_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
