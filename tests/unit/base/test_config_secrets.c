/* Settings that are secret are gone from memory that is given back, wherever they stood. */
#include "support/prelude.h"

#include "base/config.h"
#include "support/freed.h"
#include "support/printed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET "hold-no-copy-of-this"

#define TEN  "0123456789"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* A line of a file, and how long the file is in front of it. */
static const struct {
    const char *label;
    const char *line;
    int lines_before;
} files[] = {
    {"plain", "BQ_ADMIN_TOKEN=" SECRET "-of-the-admin", 0},
    {"quoted", "BQ_ADMIN_TOKEN=\"" SECRET "-in-quotes\"", 0},
    {"behind other settings", "BUGSNAG_API_KEY=" SECRET "-behind", 300},
    {"of a reporter", "SENTRY_DSN=https://" SECRET "@host/1", 0},
    {"a key of a column", "PEPPER=" SECRET "-of-a-column", 5},
    {"longer than any buffer begins", "BQ_ADMIN_TOKEN=" SECRET LONG, 0},
    {"malformed", "BQ_PARALLEL=9999\nBQ_ADMIN_TOKEN=" SECRET "-beside-a-mistake", 0},
};

static void write_file(const char *path, int lines_before, const char *line)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (int i = 0; i < lines_before; i++)
        fprintf(file, "# line %d, which says nothing of interest\n", i);
    fprintf(file, "%s\n", line);
    fclose(file);
}

static void test_no_freed_memory_holds_a_secret_of_the_file(void **state)
{
    char path[] = "/tmp/bqsync-secrets-XXXXXX";
    int file = mkstemp(path);

    (void)state;
    assert_true(file >= 0);
    close(file);
    printed_secret("a setting", SECRET);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct config config = {0};
        struct error err;
        write_file(path, files[i].lines_before, files[i].line);
        if (!freed_watch(SECRET))
            skip();

        if (config_load(path, NULL, 0, &config, &err))
            config_clear(&config);

        size_t holding = freed_holding();
        if (holding > 0)
            fail_msg("%s: %zu freed blocks hold the secret", files[i].label, holding);
    }
    unlink(path);
}

static void test_a_copy_that_is_left_behind_is_found(void **state)
{
    (void)state;
    if (!freed_watch(SECRET))
        skip();

    free(strdup("x" SECRET));
    char *grown = realloc(strdup(SECRET), 4096);
    explicit_bzero(grown, sizeof SECRET);
    free(grown);

    assert_int_equal(2, freed_holding());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_freed_memory_holds_a_secret_of_the_file),
        cmocka_unit_test(test_a_copy_that_is_left_behind_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
