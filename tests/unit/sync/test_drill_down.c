/* Rows of both sides compared key by key. */
#include "verify_world.h"

#include "sync/row_text.h"
#include "sync/verify/drill_down.h"

static struct error err;

struct world {
    struct row_hash hash;
    struct drill_down *drill_down;
    struct verify_table *report;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    expect_ok(row_hash_init(&world->hash, &err));
    expect_ok(drill_down_new(&table, &world->hash, &world->drill_down, &err));
    expect_ok(verify_report_new(tables, 1, &world->report, &err));
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    verify_report_free(world->report, 1);
    drill_down_free(world->drill_down);
    row_hash_clear(&world->hash);
    free(world);
    return 0;
}

/* One row of a table in SQLite, given by the values of a SELECT. */
static void add_source_of(
    struct drill_down *drill_down, const struct table *its_table, const char *values, int64_t id)
{
    struct database source = {0};
    sqlite3_stmt *statement = NULL;
    struct column_reader in;
    struct buffer ignored;
    char sql[100];
    char key_text[32];
    bool row = false;

    snprintf(sql, sizeof sql, "select %s", values);
    value_text(id, key_text);
    assert_int_equal(sqlite3_open(":memory:", &source.handle), SQLITE_OK);
    expect_ok(database_prepare(&source, sql, &statement, &err));
    expect_ok(column_reader_init(&in, its_table, statement, &err));
    expect_ok(database_step(&source, statement, &row, &err));
    column_reader_next(&in, false);
    buffer_init(&ignored, 1000);
    row_text_append(&ignored, &in, its_table, ROW_TEXT_ALL);
    bool fits = column_reader_row_fits(&in);
    expect_ok(drill_down_add_source(drill_down, &in, slice_of(key_text), fits, &err));
    buffer_clear(&ignored);
    column_reader_clear(&in);
    sqlite3_finalize(statement);
    sqlite3_close(source.handle);
}

static void add_source(struct world *world, const char *values, int64_t id)
{
    add_source_of(world->drill_down, &table, values, id);
}

static void add_warehouse(struct world *world, int64_t id, int64_t v)
{
    char key_text[32];
    char hash[65];
    char shown[24];

    value_text(id, key_text);
    hash_row(id, v, hash);
    snprintf(shown, sizeof shown, "%lld", (long long)id);
    const char *const cells[] = {key_text, hash, shown};
    expect_ok(drill_down_add_warehouse(world->drill_down, 3, cells, &err));
}

static void add_entries(struct world *world, int64_t id, int entries)
{
    char key_text[32];

    value_text(id, key_text);
    expect_ok(drill_down_add_pending(world->drill_down, slice_of(key_text), entries, &err));
}

static void add_pending(struct world *world, int64_t id)
{
    add_entries(world, id, 1);
}

static void expect_found(
    struct world *world, const char *missing, const char *extra, const char *different,
    const char *duplicated)
{
    expect_ok(drill_down_compare(world->drill_down, false, world->report, &err));
    expect_keys(world->report->missing, missing);
    expect_keys(world->report->extra, extra);
    expect_keys(world->report->different, different);
    expect_keys(world->report->duplicated, duplicated);
}

static void test_each_difference_is_listed_by_its_key(void **state)
{
    add_source(*state, "1, 10", 1);
    add_source(*state, "2, 20", 2);
    add_source(*state, "3, 30", 3);
    add_warehouse(*state, 1, 10);
    add_warehouse(*state, 2, 21);
    add_warehouse(*state, 4, 40);

    expect_found(*state, "[3]", "[4]", "[2]", "[]");
}

static void test_equal_rows_held_twice_are_duplicated_and_not_different(void **state)
{
    add_source(*state, "1, 10", 1);
    add_warehouse(*state, 1, 10);
    add_warehouse(*state, 1, 10);

    expect_found(*state, "[]", "[]", "[]", "[1]");
}

static void test_pending_keys_are_counted_and_not_compared(void **state)
{
    struct world *world = *state;

    add_source(*state, "1, 10", 1);
    add_source(*state, "2, 20", 2);
    add_warehouse(*state, 2, 19);
    add_warehouse(*state, 3, 30);
    for (int64_t id = 1; id <= 3; id++)
        add_pending(*state, id);
    add_pending(*state, 3);

    expect_found(*state, "[]", "[]", "[]", "[]");
    assert_int_equal(world->report->pending, 3);
}

/* The dirty set lists a rejected row whose key another row has. */
static void test_a_pending_key_that_is_taken_back_is_compared(void **state)
{
    struct world *world = *state;

    for (int64_t id = 1; id <= 2; id++) {
        add_entries(world, id, 1);
        add_entries(world, id, -1);
    }
    add_pending(world, 2);
    add_source(world, "1, 10", 1);
    add_source(world, "2, 20", 2);

    expect_found(world, "[1]", "[]", "[]", "[]");
    assert_int_equal(world->report->pending, 1);
}

static void test_a_rejected_row_is_not_pending_and_its_old_version_is_not_extra(void **state)
{
    struct world *world = *state;

    add_source(*state, "1, 'no number'", 1);
    add_pending(*state, 1);
    add_warehouse(*state, 1, 9);

    expect_found(*state, "[]", "[]", "[]", "[]");
    assert_int_equal(world->report->pending, 0);
}

static void test_only_one_of_several_rows_of_a_key_is_expected(void **state)
{
    struct world *world = *state;

    add_source(world, "1, 10", 1);
    add_source(world, "1, 11", 1);
    add_source(world, "2, 20", 2);
    add_source(world, "2, 21", 2);
    add_warehouse(world, 1, 11);
    add_warehouse(world, 2, 22);

    expect_found(world, "[]", "[]", "[2]", "[]");
    assert_int_equal(world->report->rejected, 2);
}

/* BigQuery may hold an older version of the rejected one instead, and then both are. */
static void test_a_fitting_row_beside_a_rejected_one_of_its_key_may_be_rejected(void **state)
{
    struct world *world = *state;

    add_source(*state, "1, 10", 1);
    add_source(*state, "1, 'no number'", 1);
    add_source(*state, "2, 20", 2);
    add_source(*state, "2, 'no number'", 2);
    add_warehouse(*state, 1, 10);
    add_warehouse(*state, 2, 21);
    add_source(*state, "3, 30", 3);
    add_source(*state, "3, 'no number'", 3);

    expect_found(*state, "[3]", "[]", "[]", "[]");
    assert_int_equal(world->report->rejected, 1);
}

static void test_the_storage_class_of_a_key_is_shown(void **state)
{
    add_source(*state, "1.0, 10", 1);
    add_source(*state, "1.5, 20", 2);
    add_source(*state, "'1.5', 20", 3);

    expect_found(*state, "[1.0]", "[]", "[]", "[]");
}

static void test_the_values_of_a_key_are_shown_in_their_order(void **state)
{
    static const struct column its_columns[] = {
        {.name = "v", .source = "v", .type = COLUMN_BYTES, .key = true},
        {.name = "id", .source = "id", .type = COLUMN_INT64, .key = true},
    };
    static const size_t both[] = {1, 0};
    struct world *world = *state;
    struct table pair = table;
    char hash[65];

    pair.columns = its_columns;
    pair.key = both;
    pair.key_count = 2;
    drill_down_free(world->drill_down);
    expect_ok(drill_down_new(&pair, &world->hash, &world->drill_down, &err));
    add_source_of(world->drill_down, &pair, "x'00ff', 7", 1);
    hash_text("x", hash);
    const char *const cells[] = {"2:8", hash, "8", "00fe"};
    expect_ok(drill_down_add_warehouse(world->drill_down, 4, cells, &err));

    expect_found(world, "[[7,\"00ff\"]]", "[[8,\"00fe\"]]", "[]", "[]");
}

/* What lies behind the last cell is none of the row's. */
static void test_a_row_of_bigquery_ends_with_its_last_cell(void **state)
{
    struct world *world = *state;
    char hash[65];

    add_source(world, "1, 10", 1);
    hash_row(1, 10, hash);
    const char *const cells[] = {"1:1", hash, "1", "{}"};
    expect_ok(drill_down_add_warehouse(world->drill_down, 3, cells, &err));

    expect_found(world, "[]", "[]", "[]", "[]");
}

static void test_a_bucket_is_explained_by_what_is_wrong_in_it(void **state)
{
    struct world *world = *state;
    bool explained[ROW_HASH_BUCKETS] = {false};
    int count = 0;

    add_source(world, "1, 10", 1);
    add_warehouse(world, 1, 11);
    add_source(world, "2, 20", 2);
    add_warehouse(world, 2, 20);
    add_source(world, "3, 'no number'", 3);
    add_pending(world, 4);
    expect_ok(drill_down_compare(world->drill_down, false, world->report, &err));
    expect_ok(drill_down_explain(world->drill_down, explained, &err));

    for (size_t i = 0; i < ROW_HASH_BUCKETS; i++)
        count += explained[i];
    assert_int_equal(count, 3);
}

/* The same row on both sides, as SQLite and as BigQuery write its document. */
static bool is_explained(struct world *world, const char *ours, const char *theirs)
{
    static const struct column its_columns[] = {
        {.name = "id", .source = "id", .type = COLUMN_INT64, .key = true},
        {.name = "v", .source = "v", .type = COLUMN_JSON},
    };
    struct table documents = table;
    struct drill_down *drill_down = NULL;
    bool explained[ROW_HASH_BUCKETS] = {false};
    char hash[65];
    char sql[100];

    documents.columns = its_columns;
    expect_ok(drill_down_new(&documents, &world->hash, &drill_down, &err));
    snprintf(sql, sizeof sql, "1, '%s'", ours);
    add_source_of(drill_down, &documents, sql, 1);
    hash_text("1:1", hash);
    const char *const cells[] = {"1:1", hash, "1", theirs};
    expect_ok(drill_down_add_warehouse(drill_down, 4, cells, &err));
    expect_ok(drill_down_compare(drill_down, false, world->report, &err));
    expect_ok(drill_down_explain(drill_down, explained, &err));
    assert_int_equal(world->report->different_count, 0);
    drill_down_free(drill_down);
    for (size_t i = 0; i < ROW_HASH_BUCKETS; i++)
        if (explained[i])
            return true;
    return false;
}

static void test_json_explains_a_bucket_only_if_bigquery_writes_it_in_another_way(void **state)
{
    assert_false(is_explained(*state, "{\"b\": 0.10, \"a\": 1}", "{\"a\":1,\"b\":0.1}"));
    assert_false(is_explained(*state, "null", "null"));
    assert_true(is_explained(*state, "{\"b\": 0.10, \"a\": 1}", "{\"b\":0.1,\"a\":1}"));
    assert_true(is_explained(*state, "[1e2]", "[1e2]"));
}

static void test_keys_beyond_the_limit_are_counted_but_not_listed(void **state)
{
    struct world *world = *state;

    for (int64_t id = 1; id <= VERIFY_KEYS_MAX + 5; id++)
        add_warehouse(*state, id, 0);
    expect_ok(drill_down_compare(world->drill_down, false, world->report, &err));

    assert_int_equal(world->report->extra_count, VERIFY_KEYS_MAX + 5);
    assert_int_equal(cJSON_GetArraySize(world->report->extra), VERIFY_KEYS_MAX);
}

static void test_keys_that_only_bigquery_has_are_kept_where_the_definition_says_so(void **state)
{
    struct world *world = *state;
    struct table kept = table;
    bool explained[ROW_HASH_BUCKETS] = {false};

    kept.deletes = DELETES_KEEP;
    drill_down_free(world->drill_down);
    expect_ok(drill_down_new(&kept, &world->hash, &world->drill_down, &err));
    add_source(world, "1, 10", 1);
    add_warehouse(world, 1, 10);
    add_warehouse(world, 2, 20);
    add_warehouse(world, 3, 30);
    add_warehouse(world, 3, 30);

    expect_found(world, "[]", "[]", "[]", "[3]");
    assert_int_equal(world->report->kept, 2);
    expect_ok(drill_down_explain(world->drill_down, explained, &err));
    size_t buckets = 0;
    for (size_t i = 0; i < ROW_HASH_BUCKETS; i++)
        buckets += explained[i];
    assert_int_equal(buckets, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_difference_is_listed_by_its_key),
        TEST(test_equal_rows_held_twice_are_duplicated_and_not_different),
        TEST(test_pending_keys_are_counted_and_not_compared),
        TEST(test_a_pending_key_that_is_taken_back_is_compared),
        TEST(test_a_rejected_row_is_not_pending_and_its_old_version_is_not_extra),
        TEST(test_only_one_of_several_rows_of_a_key_is_expected),
        TEST(test_a_fitting_row_beside_a_rejected_one_of_its_key_may_be_rejected),
        TEST(test_the_storage_class_of_a_key_is_shown),
        TEST(test_the_values_of_a_key_are_shown_in_their_order),
        TEST(test_a_row_of_bigquery_ends_with_its_last_cell),
        TEST(test_a_bucket_is_explained_by_what_is_wrong_in_it),
        TEST(test_json_explains_a_bucket_only_if_bigquery_writes_it_in_another_way),
        TEST(test_keys_beyond_the_limit_are_counted_but_not_listed),
        TEST(test_keys_that_only_bigquery_has_are_kept_where_the_definition_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
