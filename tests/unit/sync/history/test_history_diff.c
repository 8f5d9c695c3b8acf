/* What a plan says of the log, the view and the function of a table with a history. */
#include "support/prelude.h"

#include "registry.h"
#include "sync/pass/history_diff.h"
#include "sync/pass/history_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct table *users(void)
{
    size_t i = 0;

    while (strcmp(registry_tables[i]->name, "users") != 0) {
        i++;
        assert_true(i < registry_count);
    }
    return registry_tables[i];
}

/* A log as its definition says, but for its description. */
static cJSON *described_by_hand(void)
{
    const struct table log = history_log(users());
    cJSON *live = cJSON_Parse(log.resource_json);
    cJSON *schema = cJSON_AddObjectToObject(live, "schema");

    cJSON_AddItemToObject(schema, "fields", cJSON_Parse(log.schema_json));
    cJSON_ReplaceItemInObject(live, "description", cJSON_CreateString("by hand"));
    return live;
}

static void compare(bool view_exists, const char *set, struct target_diff *diff)
{
    struct task task = {.table = users()};
    cJSON *live = described_by_hand();
    struct error err;

    task.warehouse.history.log_exists = true;
    task.warehouse.history.view_exists = view_exists;
    snprintf(
        task.warehouse.history.log_shape, sizeof task.warehouse.history.log_shape, "%s",
        task.table->history->shape_hash);
    *diff = (struct target_diff){0};
    snprintf(diff->set, sizeof diff->set, "%s", set);
    expect_ok(history_compare(&task, "p", "d", live, diff, &err));
    cJSON_Delete(live);
}

static void test_a_log_and_its_readers_that_are_there_are_left_alone(void **state)
{
    struct target_diff diff;

    (void)state;
    compare(true, "", &diff);

    assert_int_equal(diff.statement_count, 0);
    assert_string_equal(diff.set, "");
    target_diff_clear(&diff);
}

static void test_a_missing_view_is_made_with_its_function_and_the_log_is_described(void **state)
{
    struct target_diff diff;

    (void)state;
    compare(false, "", &diff);

    assert_int_equal(diff.statement_count, 2);
    assert_non_null(strstr(diff.statements[0], "view `p`.`d`.`users_history`"));
    assert_non_null(strstr(diff.statements[1], "table function `p`.`d`.`users_at`"));
    assert_string_equal(diff.set, "description of users_changes");
    target_diff_clear(&diff);
}

static void test_what_is_set_of_the_log_follows_what_is_set_of_the_table(void **state)
{
    struct target_diff diff;

    (void)state;
    compare(false, "labels", &diff);

    assert_string_equal(diff.set, "labels, description of users_changes");
    target_diff_clear(&diff);
}

/* A table whose second column has another type, in its BigQuery. */
static cJSON *retyped(const struct table *table)
{
    cJSON *live = cJSON_Parse(table->resource_json);
    cJSON *schema = cJSON_AddObjectToObject(live, "schema");
    cJSON *fields = cJSON_Parse(table->schema_json);

    cJSON_AddItemToObject(schema, "fields", fields);
    cJSON_ReplaceItemInObject(
        cJSON_GetArrayItem(fields, 1), "type", cJSON_CreateString("GEOGRAPHY"));
    return live;
}

/* Nothing can fill it in again. */
static void test_a_log_that_cannot_be_changed_is_put_aside_and_a_table_is_dropped(void **state)
{
    const struct table log = history_log(users());
    const struct table *const tables[] = {&log, users()};
    static const char *const ways_out[] = {
        "rename to `users_changes_until_now`` (the next sync begins a new log)",
        "drop table `p`.`d`.`users`` (the next sync fills it again)"};

    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        cJSON *live = retyped(tables[i]);
        struct target_diff diff;
        struct error err;
        expect_ok(target_compare(tables[i], "p", "d", live, &diff, &err));
        if (strstr(diff.blocked, ways_out[i]) == NULL)
            fail_msg("%s", diff.blocked);
        target_diff_clear(&diff);
        cJSON_Delete(live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_log_and_its_readers_that_are_there_are_left_alone),
        cmocka_unit_test(test_a_missing_view_is_made_with_its_function_and_the_log_is_described),
        cmocka_unit_test(test_a_log_that_cannot_be_changed_is_put_aside_and_a_table_is_dropped),
        cmocka_unit_test(test_what_is_set_of_the_log_follows_what_is_set_of_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
