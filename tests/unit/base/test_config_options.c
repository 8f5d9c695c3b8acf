/* Tests of the table of settings: its names, and that the documentation says what it says. */
#include "support/prelude.h"

#include "base/config.h"

#include <stdio.h>
#include <string.h>

static void test_the_nearest_name_is_within_a_typing_error(void **state)
{
    static const char *const names[] = {"sync", "serve", "status", "users", "user_cohorts", NULL};
    static const struct {
        const char *name;
        const char *nearest;
    } cases[] = {
        {"snyc", "sync"},
        {"SYNC", "sync"},
        {"statsu", "status"},
        {"user", "users"},
        {"user_cohort", "user_cohorts"},
        {"usr_cohorts", "user_cohorts"},
        {"frobnicate", NULL},
        {"", NULL},
        {"x", NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = config_nearest(cases[i].name, names);
        if (cases[i].nearest == NULL)
            assert_null(nearest);
        else if (nearest == NULL)
            fail_msg("nothing near %s", cases[i].name);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
}

static void test_flags_are_the_variables_in_lower_case(void **state)
{
    size_t count;
    const struct config_option *options = config_options(&count);
    (void)state;

    for (size_t i = 0; i < count; i++) {
        const char *name = options[i].variable;
        char flag[64] = "";
        if (strncmp(name, "BQ_", 3) == 0)
            name += 3;
        for (size_t at = 0; name[at] != '\0'; at++)
            flag[at] = (char)(name[at] == '_' ? '-' : name[at] | 0x20);
        assert_string_equal(options[i].flag, flag);
    }
}

/* The row of a setting in docs/configuration.md. A bar would end the cell, so it stands escaped. */
static void documented_row(const struct config_option *option, char *out_row, size_t size)
{
    char placeholder[64] = "";
    char fallback[64] = "";
    size_t at = 0;

    for (const char *from = option->placeholder; *from != '\0'; from++) {
        if (*from == '|')
            placeholder[at++] = '\\';
        placeholder[at++] = *from;
    }
    if (option->fallback != NULL)
        snprintf(fallback, sizeof fallback, "`%s`", option->fallback);
    snprintf(
        out_row, size, "| `%s` | `--%s %s` | %s | %s |\n", option->variable, option->flag,
        placeholder, fallback, option->help);
}

static void test_the_documentation_lists_every_setting_as_the_code_has_it(void **state)
{
    static const char document[] = BQSYNC_SOURCE_DIR "/docs/configuration.md";
    FILE *file = fopen(document, "r");
    size_t count, next = 0;
    const struct config_option *options = config_options(&count);
    char line[1024], row[1024];
    (void)state;

    if (file == NULL)
        fail_msg("%s is missing", document);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "| `", 3) != 0 || strstr(line, "` | `--") == NULL)
            continue;
        assert_true(next < count);
        documented_row(&options[next++], row, sizeof row);
        assert_string_equal(line, row);
    }
    fclose(file);
    assert_int_equal(next, count);
}

/* The sentence in docs/operations.md that says what a reload takes over. */
static void read_reload_sentence(char *out_text, size_t size)
{
    static const char document[] = BQSYNC_SOURCE_DIR "/docs/operations.md";
    static char text[65536];
    FILE *file = fopen(document, "r");

    if (file == NULL)
        fail_msg("%s is missing", document);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *begin = strstr(text, "`SIGHUP` takes over:");
    assert_non_null(begin);
    const char *end = strstr(begin, ". ");
    assert_non_null(end);
    snprintf(out_text, size, "%.*s", (int)(end - begin), begin);
}

static void test_the_documentation_names_just_what_a_reload_takes_over(void **state)
{
    size_t count;
    const struct config_option *options = config_options(&count);
    char sentence[1024];
    (void)state;
    read_reload_sentence(sentence, sizeof sentence);

    for (size_t i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "`%s`", options[i].variable);
        if ((strstr(sentence, name) != NULL) != options[i].reloads)
            fail_msg("docs/operations.md and the table disagree on %s", options[i].variable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_nearest_name_is_within_a_typing_error),
        cmocka_unit_test(test_flags_are_the_variables_in_lower_case),
        cmocka_unit_test(test_the_documentation_lists_every_setting_as_the_code_has_it),
        cmocka_unit_test(test_the_documentation_names_just_what_a_reload_takes_over),
    };
    return cmocka_run_group_tests_name("config_options", tests, NULL, NULL);
}
