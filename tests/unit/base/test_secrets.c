/* Tests of secrets: what was kept is found in every form in which a text may quote it. */
#include "support/prelude.h"

#include "base/secrets.h"

#include <stdio.h>
#include <string.h>

#define TOKEN "1//0gx\"Refresh+of/User=7\\end"
#define SHORT "pass+wd"

static int owner;
static int other;

static int keep(void **state)
{
    (void)state;
    secrets_keep(&owner, TOKEN);
    secrets_keep(&owner, SHORT);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    secrets_forget(&owner);
    secrets_forget(&other);
    return 0;
}

/* The text with each run of marks as one '#'. */
static const char *cut(const char *text, char *out)
{
    bool marks[SECRETS_TEXT_MAX] = {false};
    size_t length = strlen(text);
    size_t used = 0;

    secrets_mark(text, length, marks);
    for (size_t i = 0; i < length; i++)
        if (!marks[i])
            out[used++] = text[i];
        else if (i == 0 || !marks[i - 1])
            out[used++] = '#';
    out[used] = '\0';
    return out;
}

static void test_a_secret_is_found_in_each_form(void **state)
{
    static const struct {
        const char *label;
        const char *text;
        const char *left;
    } rows[] = {
        {"as it is", "bad token " TOKEN ", try again", "bad token #, try again"},
        {"twice", TOKEN " " TOKEN, "# #"},
        {"escaped for a URL", "a=1%2F%2F0gx%22Refresh%2Bof%2FUser%3D7%5Cend&b=1", "a=#&b=1"},
        {"in small hexadecimal digits", "1%2f%2f0gx%22Refresh%2bof%2fUser%3d7%5cend", "#"},
        {"escaped twice", "1%252F%252F0gx%2522Refresh%252Bof%252FUser%253D7%255Cend.", "#."},
        {"in JSON", "{\"t\":\"1//0gx\\\"Refresh+of/User=7\\\\end\"}", "{\"t\":\"#\"}"},
        {"in JSON with slashes escaped", "1\\/\\/0gx\\\"Refresh+of\\/User=7\\\\end", "#"},
        {"in JSON by numbers", "1//0gx\\u0022Refresh\\u002Bof/User\\u003d7\\u005cend", "#"},
        {"the first 16", "1//0gx\"Refresh+o...", "#..."},
        {"the last 16", "...sh+of/User=7\\end", "...#"},
        {"16 in the middle", "0gx\"Refresh+of/U!", "#!"},
        {"15 are too few to be told from a word", "1//0gx\"Refresh+", "1//0gx\"Refresh+"},
        {"in Base64", "MS8vMGd4IlJlZnJlc2grb2YvVXNlcj03XGVuZA==", "#=="},
        {"in Base64, a byte later", "is eDEvLzBneCJSZWZyZXNoK29mL1VzZXI9N1xlbmQ=", "is e#="},
        {"in Base64, two bytes later", "eHgxLy8wZ3giUmVmcmVzaCtvZi9Vc2VyPTdcZW5k", "eH#"},
        {"a part of its Base64", "...d4IlJlZnJlc2grb2YvVXNl...", "...#..."},
        {"a short one", "user:" SHORT "@host", "user:#@host"},
        {"a short one in a URL", "pass%2Bwd", "#"},
        {"a short one in Base64", "dXNlcjpwYXNzK3dk", "dXNlcj#"},
        {"a part of a short one", "pass+w", "pass+w"},
        {"none", "invalid_grant: Token has been expired or revoked.",
         "invalid_grant: Token has been expired or revoked."},
        {"a broken escape", "100%, 5%zz \\", "100%, 5%zz \\"},
        {"nothing", "", ""},
    };
    char out[SECRETS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(cut(rows[i].text, out), rows[i].left) != 0)
            fail_msg("%s: \"%s\" and not \"%s\"", rows[i].label, out, rows[i].left);
}

static void test_what_its_owner_forgets_is_found_no_more(void **state)
{
    char out[SECRETS_TEXT_MAX];

    (void)state;
    secrets_keep(&other, "another-secret-of-24-chars");
    secrets_keep(&other, TOKEN);
    assert_string_equal(cut("another-secret-of-24-chars", out), "#");
    secrets_forget(&other);
    assert_string_equal(cut("another-secret-of-24-chars", out), "another-secret-of-24-chars");
    assert_string_equal(cut(TOKEN, out), "#"); // the other owner still has it
}

static void test_the_last_sixteen_of_an_owner_are_kept(void **state)
{
    char text[40];
    char out[SECRETS_TEXT_MAX];

    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "token-%02d-abcdefghijk", i);
        secrets_keep(&other, text);
        secrets_keep(&other, text); // the same once more takes no place
    }
    assert_string_equal(cut("token-03-ab", out), "token-03-ab");
    assert_string_equal(cut("token-04-abcdefghijk", out), "#");
    assert_string_equal(cut("token-19-abcdefghijk", out), "#");
    assert_string_equal(cut(TOKEN, out), "#");
}

static void test_texts_too_short_to_be_secrets_are_not_kept(void **state)
{
    char out[SECRETS_TEXT_MAX];

    (void)state;
    secrets_keep(&other, NULL);
    secrets_keep(&other, "");
    secrets_keep(&other, "table");
    assert_string_equal(cut("the table", out), "the table");
}

static void test_a_long_secret_is_found_in_the_longest_text(void **state)
{
    static char secret[60000];
    static char text[SECRETS_TEXT_MAX + 1];
    static char out[SECRETS_TEXT_MAX + 1];
    unsigned seed = 7;

    (void)state;
    for (size_t i = 0; i < sizeof secret - 1; i++) {
        seed = seed * 1103515245 + 12345;
        secret[i] = (char)('!' + (seed >> 16) % 90);
    }
    secrets_keep(&other, secret);
    memcpy(text, secret + 40000, SECRETS_TEXT_MAX);
    assert_string_equal(cut(text, out), "#");
    memset(text, 'a', SECRETS_TEXT_MAX);
    assert_int_equal(strlen(cut(text, out)), SECRETS_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_secret_is_found_in_each_form, keep, forget),
        cmocka_unit_test_setup_teardown(test_what_its_owner_forgets_is_found_no_more, keep, forget),
        cmocka_unit_test_setup_teardown(test_the_last_sixteen_of_an_owner_are_kept, keep, forget),
        cmocka_unit_test_setup_teardown(
            test_texts_too_short_to_be_secrets_are_not_kept, keep, forget),
        cmocka_unit_test_setup_teardown(
            test_a_long_secret_is_found_in_the_longest_text, keep, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
