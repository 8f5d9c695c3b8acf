/* config_place: the surroundings of a test of the configuration, and shorthands to load it. */
#ifndef TESTS_UNIT_BASE_CONFIG_PLACE_H
#define TESTS_UNIT_BASE_CONFIG_PLACE_H

#include "support/prelude.h"

#include "base/config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test runs in an empty folder of its own with none of the settings in the environment. */
struct place {
    char folder[64];
    int home;
};

static inline void forget_settings(void)
{
    size_t count;
    const struct config_option *options = config_options(&count);

    for (size_t i = 0; i < count; i++)
        unsetenv(options[i].variable);
}

static inline int enter_folder(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/test_config.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->home = open(".", O_RDONLY | O_DIRECTORY);
    assert_true(place->home >= 0);
    assert_int_equal(chdir(place->folder), 0);
    forget_settings();
    *state = place;
    return 0;
}

static inline int leave_folder(void **state)
{
    struct place *place = *state;
    const char *const leftovers[] = {".env", "other.env", "app.db", "link.db", "fifo", "fifo-link"};

    for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++)
        unlink(leftovers[i]);
    rmdir("folder");
    forget_settings();
    assert_int_equal(fchdir(place->home), 0);
    close(place->home);
    assert_int_equal(rmdir(place->folder), 0);
    free(place);
    return 0;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static inline void load(struct config *config)
{
    struct error err = {0};

    if (!config_load(NULL, NULL, 0, config, &err))
        fail_msg("%s", err.message);
}

static inline void load_fails(enum error_code code, const char *message)
{
    struct config config = {0};
    struct error err = {0};

    assert_false(config_load(NULL, NULL, 0, &config, &err));
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
}

#define TEST_IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

#endif
