/* What separates a BigQuery table from its definition, and what is done about it. */
#include "support/prelude.h"

#include "sync/pass/target_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct column columns[] = {
    {.name = "id", .source = "id", .type = COLUMN_INT64, .required = true, .key = true},
    {.name = "name", .source = "name", .type = COLUMN_STRING},
    {.name = "price", .source = "price", .type = COLUMN_NUMERIC},
};
static const size_t key[] = {0};

static const struct table table = {
    .name = "items",
    .target = "items",
    .columns = columns,
    .column_count = 3,
    .key = key,
    .key_count = 1,
    .content_hash = "c",
    .shape_hash = "s",
    .ddl_sql = "create table `${project}`.`${dataset}`.`items` (id int64)",
    .schema_json =
        "[{\"name\":\"id\",\"type\":\"INT64\",\"mode\":\"REQUIRED\",\"description\":\"key\"},"
        "{\"name\":\"name\",\"type\":\"STRING\",\"mode\":\"NULLABLE\"},"
        "{\"name\":\"price\",\"type\":\"NUMERIC\",\"mode\":\"NULLABLE\"}]",
    .resource_json = "{\"description\":\"things\",\"labels\":{\"team\":\"core\"}}",
};

static struct target_diff compare_with(
    const struct table *defined, const char *fields, const char *rest)
{
    struct target_diff diff;
    struct error err;
    char text[2000];

    snprintf(text, sizeof text, "{\"schema\":{\"fields\":%s}%s}", fields, rest);
    cJSON *live = cJSON_Parse(text);
    assert_non_null(live);
    expect_ok(target_compare(defined, "p", "d", live, &diff, &err));
    cJSON_Delete(live);
    return diff;
}

/* Compares with a live table of these fields and of this rest of the resource. */
static struct target_diff compare(const char *fields, const char *rest)
{
    return compare_with(&table, fields, rest);
}

#define REST  ",\"description\":\"things\",\"labels\":{\"team\":\"core\"}"
#define ID    "{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\",\"description\":\"key\"}"
#define NAME  "{\"name\":\"name\",\"type\":\"STRING\"}"
#define PRICE "{\"name\":\"price\",\"type\":\"NUMERIC\"}"

static void test_a_missing_table_is_created_by_its_ddl(void **state)
{
    struct target_diff diff;
    struct error err;

    (void)state;
    expect_ok(target_compare(&table, "my-p", "d", NULL, &diff, &err));

    assert_true(diff.missing);
    assert_int_equal(diff.statement_count, 1);
    assert_string_equal(diff.statements[0], "create table `my-p`.`d`.`items` (id int64)");
    assert_true(target_diff_required(target_diff_field(diff.fields, "ID")));
    assert_false(target_diff_required(target_diff_field(diff.fields, "name")));
    assert_null(target_diff_field(diff.fields, "none"));
    target_diff_clear(&diff);
}

static void test_a_table_in_line_needs_nothing_though_rest_uses_old_type_names(void **state)
{
    (void)state;
    struct target_diff diff = compare("[" ID "," NAME "," PRICE "]", REST);

    assert_null(diff.patch);
    assert_null(diff.widen_sql);
    assert_int_equal(diff.statement_count, 0);
    assert_string_equal(diff.blocked, "");
    target_diff_clear(&diff);
}

static void test_a_new_column_is_added_at_the_end_as_nullable(void **state)
{
    (void)state;
    struct target_diff diff = compare("[" ID "," NAME "]", REST);

    cJSON *schema = cJSON_GetObjectItem(diff.patch, "schema");
    cJSON *fields = cJSON_GetObjectItem(schema, "fields");
    assert_int_equal(cJSON_GetArraySize(fields), 3);
    cJSON *added = cJSON_GetArrayItem(fields, 2);
    assert_string_equal(cJSON_GetObjectItem(added, "name")->valuestring, "price");
    assert_string_equal(cJSON_GetObjectItem(added, "mode")->valuestring, "NULLABLE");
    assert_string_equal(
        diff.statements[0], "alter table `p`.`d`.`items` add column `price` NUMERIC");
    target_diff_clear(&diff);
}

static void test_required_is_relaxed(void **state)
{
    (void)state;
    struct target_diff diff = compare(
        "[" ID ",{\"name\":\"name\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"}," PRICE "]", REST);

    assert_string_equal(
        diff.statements[0], "alter table `p`.`d`.`items` alter column `name` drop not null");
    assert_non_null(diff.patch);
    assert_false(target_diff_required(target_diff_field(diff.fields, "name")));
    target_diff_clear(&diff);
}

/* "ALTER COLUMN SET DATA TYPE" takes no column of a primary key. */
static void test_a_key_column_is_not_widened(void **state)
{
    struct table wider = table;
    struct target_diff diff;
    struct error err;

    (void)state;
    wider.schema_json = "[{\"name\":\"id\",\"type\":\"NUMERIC\",\"mode\":\"REQUIRED\"}]";
    cJSON *live = cJSON_Parse("{\"schema\":{\"fields\":[" ID "]}}");
    expect_ok(target_compare(&wider, "p", "d", live, &diff, &err));
    cJSON_Delete(live);

    assert_null(diff.widen_sql);
    assert_non_null(strstr(
        diff.blocked,
        "items.id is a key column, is INT64 in BigQuery and NUMERIC in its definition"));
    target_diff_clear(&diff);
}

static void test_only_a_table_can_be_a_target(void **state)
{
    static const struct {
        const char *type;
        const char *blocked; /* NULL: it is not */
    } rows[] = {
        {"TABLE", NULL},
        {"VIEW", "items: d.items is a view in BigQuery, and rows can only be written into a table. "
                 "Decide to run `drop view `p`.`d`.`items`` (the next sync creates the table), or "
                 "name another \"target\" in the definition"},
        {"MATERIALIZED_VIEW", "is a materialized view in BigQuery, and rows can only be written "
                              "into a table. Decide to run `drop materialized view `p`"},
        {"EXTERNAL", "is an external table in BigQuery, and rows can only be written into a table. "
                     "Decide to run `drop external table `p`"},
        {"SNAPSHOT", "is a snapshot of a table in BigQuery, and rows can only be written into a "
                     "table. Decide to run `drop snapshot table `p`"},
        {"SOMETHING_NEW", "is of type SOMETHING_NEW in BigQuery, and rows can only be written into "
                          "a table. Remove it there, or name another"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char rest[200];
        snprintf(rest, sizeof rest, REST ",\"type\":\"%s\"", rows[i].type);
        struct target_diff diff = compare("[" ID "," NAME "]", rest);
        if (rows[i].blocked == NULL) {
            assert_string_equal(diff.blocked, "");
            assert_true(diff.added);
        } else {
            assert_non_null(strstr(diff.blocked, rows[i].blocked));
            assert_int_equal(diff.statement_count, 0);
            assert_false(target_diff_changes(&diff));
        }
        target_diff_clear(&diff);
    }
}

static void expect_blocked(const char *fields, const char *reason)
{
    struct target_diff diff = compare(fields, REST);

    assert_string_equal(diff.blocked, reason);
    assert_null(diff.widen_sql);
    target_diff_clear(&diff);
}

static void test_a_type_with_limits_is_for_a_person_to_decide(void **state)
{
    (void)state;
    expect_blocked(
        "[" ID ",{\"name\":\"name\",\"type\":\"STRING\",\"maxLength\":\"5\"}," PRICE "]",
        "items.name is STRING(5) in BigQuery and STRING in its definition, so values that do not "
        "fit "
        "would be refused or rounded. Decide to run `alter table `p`.`d`.`items` alter column "
        "`name` "
        "set data type STRING`");
    expect_blocked(
        "[" ID "," NAME
        ",{\"name\":\"price\",\"type\":\"NUMERIC\",\"precision\":\"5\",\"scale\":\"1\"}]",
        "items.price is NUMERIC(5, 1) in BigQuery and NUMERIC in its definition, so values that do "
        "not fit would be refused or rounded. Decide to run `alter table `p`.`d`.`items` alter "
        "column "
        "`price` set data type NUMERIC`");
    expect_blocked(
        "[{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\",\"description\":\"key\","
        "\"precision\":\"5\"}," NAME "," PRICE "]",
        "items.id is a key column with limited length or precision in BigQuery. BigQuery cannot "
        "change "
        "that in place: put the definition back, or decide to run `drop table `p`.`d`.`items`` "
        "(the next "
        "sync fills it again)");
}

static void test_a_type_with_limits_is_widened_to_another(void **state)
{
    (void)state;
    struct target_diff diff = compare(
        "[" ID "," NAME ",{\"name\":\"price\",\"type\":\"INTEGER\",\"precision\":\"5\"}]", REST);

    assert_string_equal(diff.blocked, "");
    assert_non_null(diff.widen_sql);
    target_diff_clear(&diff);
}

static void test_a_type_is_widened_by_ddl(void **state)
{
    (void)state;
    struct target_diff diff =
        compare("[" ID "," NAME ",{\"name\":\"price\",\"type\":\"INTEGER\"}]", REST);

    assert_string_equal(
        diff.widen_sql, "alter table `p`.`d`.`items` alter column `price` set data type NUMERIC");
    assert_string_equal(diff.blocked, "");
    target_diff_clear(&diff);
}

static void test_another_type_is_refused_with_the_statement_to_decide_on(void **state)
{
    (void)state;
    struct target_diff diff =
        compare("[" ID ",{\"name\":\"name\",\"type\":\"INTEGER\"}," PRICE "]", REST);

    assert_non_null(strstr(diff.blocked, "items.name is INT64 in BigQuery and STRING"));
    assert_non_null(strstr(diff.blocked, "drop table `p`.`d`.`items`"));
    target_diff_clear(&diff);
}

static void test_a_target_with_rows_that_sqlite_has_deleted_is_renamed_instead(void **state)
{
    (void)state;
    struct table keeping = table;
    keeping.deletes = DELETES_KEEP;
    struct target_diff diff =
        compare_with(&keeping, "[" ID ",{\"name\":\"name\",\"type\":\"INTEGER\"}," PRICE "]", REST);

    assert_non_null(
        strstr(diff.blocked, "alter table `p`.`d`.`items` rename to `items_until_now`"));
    assert_null(strstr(diff.blocked, "drop table"));
    target_diff_clear(&diff);
}

static void test_a_column_of_bigquery_alone_is_left_alone_unless_it_is_required(void **state)
{
    (void)state;
    struct target_diff kept =
        compare("[" ID "," NAME "," PRICE ",{\"name\":\"mine\",\"type\":\"STRING\"}]", REST);
    struct target_diff refused = compare(
        "[" ID "," NAME "," PRICE ",{\"name\":\"mine\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"}]",
        REST);

    assert_string_equal(kept.extra, "mine");
    assert_string_equal(kept.blocked, "");
    assert_non_null(strstr(refused.blocked, "alter column mine drop not null"));
    target_diff_clear(&kept);
    target_diff_clear(&refused);
}

/* An older definition made it; rows of mode replace may share a key. */
static void test_a_primary_key_that_mode_replace_does_not_warrant_is_dropped(void **state)
{
    struct table replaced = table;
    struct target_diff diff;
    struct error err;

    (void)state;
    replaced.mode = SEND_REPLACE;
    cJSON *live = cJSON_Parse("{\"schema\":{\"fields\":[" ID "," NAME "," PRICE "]}" REST
                              ",\"tableConstraints\":{\"primaryKey\":{\"columns\":[\"id\"]}}}");
    expect_ok(target_compare(&replaced, "p", "d", live, &diff, &err));

    assert_true(cJSON_IsNull(cJSON_GetObjectItem(diff.patch, "tableConstraints")));
    assert_string_equal(diff.statements[0], "alter table `p`.`d`.`items` drop primary key");
    target_diff_clear(&diff);
    expect_ok(target_compare(&table, "p", "d", live, &diff, &err));
    assert_null(diff.patch);
    target_diff_clear(&diff);
    cJSON_Delete(live);
}

static void test_descriptions_and_labels_are_patched(void **state)
{
    (void)state;
    struct target_diff diff = compare(
        "[" ID "," NAME "," PRICE "]", ",\"description\":\"old\",\"labels\":{\"other\":\"x\"}");

    assert_string_equal(cJSON_GetObjectItem(diff.patch, "description")->valuestring, "things");
    cJSON *labels = cJSON_GetObjectItem(diff.patch, "labels");
    assert_string_equal(cJSON_GetObjectItem(labels, "team")->valuestring, "core");
    assert_null(cJSON_GetObjectItem(labels, "other"));
    target_diff_clear(&diff);
}

#define TAGS(name) ",\"policyTags\":{\"names\":[\"" name "\"]}"

#define CLUSTERED(names) "\"clustering\":{\"fields\":[" names "]}"

/* The clustering of a definition meets that of BigQuery. patch: what is done about it. */
static void test_a_clustering_is_changed_unless_it_was_made_by_hand(void **state)
{
    static const struct {
        const char *defined;
        bool by_default;
        const char *live;
        const char *patch;
        const char *said;
    } cases[] = {
        {CLUSTERED("\"id\""), true, "", "{" CLUSTERED("\"id\"") "}",
         "none in BigQuery; the next sync makes it by id"},
        {CLUSTERED("\"id\""), true, CLUSTERED("\"ID\""), NULL, ""},
        {CLUSTERED("\"id\""), true, CLUSTERED("\"name\",\"id\""), NULL,
         "by name, id in BigQuery, left alone: the definition has no cluster_by"},
        {CLUSTERED("\"id\""), false, CLUSTERED("\"name\""), "{" CLUSTERED("\"id\"") "}",
         "by name in BigQuery; the next sync makes it by id"},
        {CLUSTERED("\"id\",\"name\""), false, CLUSTERED("\"name\",\"id\""),
         "{" CLUSTERED("\"id\",\"name\"") "}", "by name, id in BigQuery"},
        {NULL, false, CLUSTERED("\"name\""), "{\"clustering\":null}",
         "by name in BigQuery; the next sync makes it none"},
        {NULL, true, CLUSTERED("\"name\""), NULL, "left alone"},
        {NULL, true, "", NULL, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct table defined = table;
        char resource[200];
        char rest[200];
        snprintf(
            resource, sizeof resource, "{%s}", cases[i].defined == NULL ? "" : cases[i].defined);
        snprintf(rest, sizeof rest, "%s%s", *cases[i].live == '\0' ? "" : ",", cases[i].live);
        defined.resource_json = resource;
        defined.clusters_by_default = cases[i].by_default;

        struct target_diff diff = compare_with(&defined, "[" ID "," NAME "," PRICE "]", rest);

        char *patch = diff.patch == NULL ? NULL : cJSON_PrintUnformatted(diff.patch);
        if (cases[i].patch == NULL)
            assert_null(patch);
        else
            assert_string_equal(patch, cases[i].patch);
        if (strstr(diff.clustering, cases[i].said) == NULL)
            fail_msg("case %zu: \"%s\"", i, diff.clustering);
        assert_int_equal(*cases[i].said == '\0', diff.clustering[0] == '\0');
        free(patch);
        target_diff_clear(&diff);
    }
}

static void test_policy_tags_are_patched_and_never_removed(void **state)
{
    static const struct {
        const char *label;
        const char *wanted;
        const char *live;
        const char *sent; /* NULL: nothing */
    } cases[] = {
        {"added", TAGS("t1"), "", "{\"names\":[\"t1\"]}"},
        {"changed", TAGS("t1"), TAGS("t2"), "{\"names\":[\"t1\"]}"},
        {"the same", TAGS("t1"), TAGS("t1"), NULL},
        {"of BigQuery alone", "", TAGS("t2"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char wanted[400];
        char live[400];
        struct table tagged = table;
        struct target_diff diff;
        struct error err;
        snprintf(
            wanted, sizeof wanted, "[{\"name\":\"id\",\"type\":\"INT64\"%s}]", cases[i].wanted);
        snprintf(
            live, sizeof live,
            "{\"schema\":{\"fields\":[{\"name\":\"id\",\"type\":\"INTEGER\"%s}]}" REST "}",
            cases[i].live);
        tagged.schema_json = wanted;
        cJSON *resource = cJSON_Parse(live);
        assert_non_null(resource);

        expect_ok(target_compare(&tagged, "p", "d", resource, &diff, &err));

        char *patch = diff.patch == NULL ? NULL : cJSON_PrintUnformatted(diff.patch);
        if ((patch == NULL) != (cases[i].sent == NULL) ||
            (patch != NULL && strstr(patch, cases[i].sent) == NULL))
            fail_msg("%s: %s", cases[i].label, patch == NULL ? "nothing" : patch);
        free(patch);
        target_diff_clear(&diff);
        cJSON_Delete(resource);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_missing_table_is_created_by_its_ddl),
        cmocka_unit_test(test_a_table_in_line_needs_nothing_though_rest_uses_old_type_names),
        cmocka_unit_test(test_a_new_column_is_added_at_the_end_as_nullable),
        cmocka_unit_test(test_required_is_relaxed),
        cmocka_unit_test(test_a_type_with_limits_is_for_a_person_to_decide),
        cmocka_unit_test(test_a_type_with_limits_is_widened_to_another),
        cmocka_unit_test(test_a_type_is_widened_by_ddl),
        cmocka_unit_test(test_a_key_column_is_not_widened),
        cmocka_unit_test(test_only_a_table_can_be_a_target),
        cmocka_unit_test(test_another_type_is_refused_with_the_statement_to_decide_on),
        cmocka_unit_test(test_a_target_with_rows_that_sqlite_has_deleted_is_renamed_instead),
        cmocka_unit_test(test_a_column_of_bigquery_alone_is_left_alone_unless_it_is_required),
        cmocka_unit_test(test_a_primary_key_that_mode_replace_does_not_warrant_is_dropped),
        cmocka_unit_test(test_descriptions_and_labels_are_patched),
        cmocka_unit_test(test_a_clustering_is_changed_unless_it_was_made_by_hand),
        cmocka_unit_test(test_policy_tags_are_patched_and_never_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
