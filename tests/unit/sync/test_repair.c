/* What a repair sends for the differences that a comparison has found. */
#include "scene.h"

#include "sync/verify/repair.h"
#include "sync/verify/verify_report.h"

#include <stdio.h>
#include <string.h>

#define TABLES 3
#define ACCOUNTS                                                                                   \
    "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, 'c@x', 3, "       \
    "'three');"

static struct verify_table *report; /* of accounts, devices and settings, all of them equal */
static struct error err;

static int setup(void **state)
{
    static const char *const names[TABLES] = {"accounts", "devices", "settings"};
    const struct table *tables[TABLES];

    scene_setup(state);
    struct scene *scene = *state;
    scene_run(
        scene, ACCOUNTS "insert into devices values ('s', 1, 1.5), ('t', 0, 2.5);"
                        "insert into settings values ('k', 'v')");
    scene_pass_run(scene, "accounts", "devices", "settings", NULL);
    scene_requests(scene);
    for (size_t i = 0; i < TABLES; i++) {
        assert_int_equal(scene->result.tables[i].status, TABLE_SYNCED);
        tables[i] = deployment_table(&scene->deployment, names[i]);
    }
    expect_ok(verify_report_new(tables, TABLES, &report, &err));
    for (size_t i = 0; i < TABLES; i++)
        report[i].equal = true;
    return 0;
}

static int teardown(void **state)
{
    verify_report_free(report, TABLES);
    return scene_teardown(state);
}

/* Notes a key, given as JSON, in a list of the entry. */
static void note(struct verify_table *entry, cJSON *list, int64_t *count, const char *key)
{
    cJSON *json = cJSON_Parse(key);

    // Numbers are raw, as the comparison lists them.
    if (cJSON_IsNumber(json)) {
        cJSON_Delete(json);
        json = cJSON_CreateRaw(key);
    }
    cJSON_AddItemToArray(list, json);
    (*count)++;
    entry->equal = false;
}

static void note_missing(struct verify_table *entry, const char *key)
{
    note(entry, entry->missing, &entry->missing_count, key);
}

static void note_extra(struct verify_table *entry, const char *key)
{
    note(entry, entry->extra, &entry->extra_count, key);
}

static void note_different(struct verify_table *entry, const char *key)
{
    note(entry, entry->different, &entry->different_count, key);
}

static bool repair(struct scene *scene)
{
    return repair_differences(&scene->deployment, report, TABLES, &err);
}

#define REPLACED                                                                                   \
    "0 list tables\n0 get accounts\n0 patch accounts\n1 patch accounts\n1 upload replace\n"
#define MERGED "0 list tables\n1 patch accounts\n1 query merge\n"

static void test_the_keys_that_differ_are_sent_and_no_other(void **state)
{
    struct scene *scene = *state;

    note_missing(&report[0], "1");
    note_extra(&report[0], "-5");
    note_different(&report[0], "3");
    expect_ok(repair(scene));

    assert_string_equal(scene_requests(scene), MERGED);
    assert_string_equal(
        scene_sent_rows(scene), "-5 null null null true\n1 a@x 1 one false\n3 c@x 3 three false\n");
}

static void test_texts_are_keys_too(void **state)
{
    struct scene *scene = *state;

    note_different(&report[1], "\"t\"");
    expect_ok(repair(scene));

    assert_string_equal(scene_sent_rows(scene), "t false 2.5 false\n");
}

static void test_tables_that_are_equal_or_could_not_be_compared_are_left_alone(void **state)
{
    struct scene *scene = *state;

    report[0].equal = false;
    report[0].error.code = ERROR_WAREHOUSE;
    note_different(&report[1], "\"t\"");
    expect_ok(repair(scene));
    assert_string_equal(scene_requests(scene), "0 list tables\n1 patch devices\n1 query merge\n");

    report[1].equal = true;
    expect_ok(repair(scene));
    assert_string_equal(scene_requests(scene), "0 list tables\n");
}

/* As many as the report lists, and one more. */
static void test_more_keys_than_a_report_lists_replace_the_table(void **state)
{
    static void (*const notes[])(struct verify_table * entry, const char *key) = {
        note_missing, note_extra, note_different};
    struct scene *scene = *state;

    scene_run(
        scene, "with recursive n(i) as (select 10 union all select i + 1 from n where i < 200)"
               " insert into accounts select i, i || '@x', 1, null from n");
    scene_pass_run(scene, "accounts", NULL);
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        verify_report_restart(&report[0]);
        for (int id = 10; id < 10 + VERIFY_KEYS_MAX; id++) {
            char key[24];
            snprintf(key, sizeof key, "%d", id);
            notes[i](&report[0], key);
        }
        scene_requests(scene);
        expect_ok(repair(scene));
        assert_string_equal(scene_requests(scene), MERGED);

        (i == 0   ? &report[0].missing_count
         : i == 1 ? &report[0].extra_count
                  : &report[0].different_count)[0]++;
        expect_ok(repair(scene));
        assert_string_equal(scene_requests(scene), REPLACED);
    }
}

static void test_what_no_key_repairs_replaces_the_table(void **state)
{
    struct scene *scene = *state;
    int64_t *const counts[] = {
        &report[0].duplicated_count, &report[0].missing_columns_count,
        &report[0].unexplained_count};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        *counts[i] = 1;
        report[0].equal = false;
        expect_ok(repair(scene));
        assert_string_equal(scene_requests(scene), REPLACED);
        *counts[i] = 0;
    }

    // A row that only BigQuery has, and that SQLite's dirty set would not be read for.
    note_extra(&report[0], "3");
    expect_ok(repair(scene));
    assert_string_equal(scene_requests(scene), MERGED);
    note_extra(&report[0], "4");
    expect_ok(repair(scene));
    assert_string_equal(scene_requests(scene), REPLACED);
}

/* The report does not show them as SQLite stores them. */
static void test_a_key_that_is_no_integer_or_text_replaces_the_table(void **state)
{
    static const char *const keys[] = {"1.5", "null", "[1.5]", "true"};
    struct scene *scene = *state;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        void (*const notes[])(struct verify_table * entry, const char *key) = {
            note_missing, note_extra, note_different};
        for (size_t j = 0; j < sizeof notes / sizeof notes[0]; j++) {
            verify_report_restart(&report[1]);
            notes[j](&report[1], keys[i]);
            expect_ok(repair(scene));
            if (strstr(scene_requests(scene), "upload replace") == NULL)
                fail_msg("%s", keys[i]);
        }
    }
}

static void test_a_table_without_triggers_is_replaced(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "drop trigger bq_sync_update_accounts");
    note_different(&report[0], "1");
    expect_ok(repair(scene));
    assert_non_null(strstr(scene_requests(scene), "upload replace"));
}

/* accounts has a key of one column. */
static void test_a_table_that_cannot_be_marked_stops_no_other(void **state)
{
    struct scene *scene = *state;

    note_different(&report[0], "[\"1\"]");
    note_different(&report[1], "[\"t\"]");
    note_different(&report[2], "\"k\"");
    expect_error(repair(scene), ERROR_LIMIT, "accounts: not a key of integers and texts");

    assert_non_null(strstr(scene_requests(scene), "patch settings\n1 upload replace\n"));
}

static void test_a_pass_that_fails_says_why(void **state)
{
    struct scene *scene = *state;

    note_different(&report[0], "1");
    SCENE_ANSWERS(
        scene, {.match = "list tables",
                .reply = {.status = 403, .body = "{\"error\":{\"message\":\"no luck\"}}"}});
    expect_error(repair(scene), ERROR_AUTH, "no luck");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_keys_that_differ_are_sent_and_no_other),
        TEST(test_texts_are_keys_too),
        TEST(test_tables_that_are_equal_or_could_not_be_compared_are_left_alone),
        TEST(test_more_keys_than_a_report_lists_replace_the_table),
        TEST(test_what_no_key_repairs_replaces_the_table),
        TEST(test_a_key_that_is_no_integer_or_text_replaces_the_table),
        TEST(test_a_table_without_triggers_is_replaced),
        TEST(test_a_table_that_cannot_be_marked_stops_no_other),
        TEST(test_a_pass_that_fails_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
