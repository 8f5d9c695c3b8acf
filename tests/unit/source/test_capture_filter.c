/* Which filters of partial indexes a trigger may evaluate. */
#include "support/prelude.h"

#include "source/capture_filter.h"
#include "support.h"

static const char *const columns[] = {"active", "Deleted At", "v", "a\"b", "true"};
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])

static const struct capture_filter_names names = {"my t", columns, COLUMN_COUNT};

/* Puts the filter's text into out_sql; its columns, as letters a to e, into out_used. */
static bool read_filter(const char *filter, char *out_sql, size_t size, char *out_used)
{
    struct buffer index;
    struct buffer sql;
    bool used[COLUMN_COUNT] = {false};

    buffer_init(&index, 1 << 16);
    buffer_init(&sql, 1 << 16);
    buffer_printf(&index, "CREATE UNIQUE INDEX \"a ) where (\" ON \"my t\"(v /* ) */) %s", filter);
    bool inert = capture_filter_read(buffer_text(&index), &names, &sql, used);
    snprintf(out_sql, size, "%s", buffer_text(&sql));
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (used[i])
            *out_used++ = (char)('a' + i);
    *out_used = '\0';
    buffer_clear(&index);
    buffer_clear(&sql);
    return inert;
}

static void test_inert_filters_are_rewritten_with_their_columns_qualified(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        const char *sql;
        const char *used;
    } cases[] = {
        {"where active=1", "\"my t\".\"active\" = 1", "a"},
        {"WHERE ACTIVE", "\"my t\".\"active\"", "a"},
        {"where [deleted at] is null", "\"my t\".\"Deleted At\" is null", "b"},
        {"where `deleted at` IS NOT NULL and not v", //
         "\"my t\".\"Deleted At\" IS NOT NULL and not \"my t\".\"v\"", "bc"},
        {"where \"a\"\"b\" <> 'it''s' or v isnull",
         "\"my t\".\"a\"\"b\" <> 'it''s' or \"my t\".\"v\" isnull", "cd"},
        {"where \"my t\".v == -1.5e-3", "\"my t\".\"v\" == - 1.5e-3", "c"},
        {"where v in ('a', x'00ff', 0x1F, .5, null, false)",
         "\"my t\".\"v\" in ( 'a' , x'00ff' , 0x1F , .5 , null , false )", "c"},
        {"where v not in (1)", "\"my t\".\"v\" not in ( 1 )", "c"},
        {"where v not null", "\"my t\".\"v\" not null", "c"},
        {"where ((v >= 1) and (v < active)) -- until )",
         "( ( \"my t\".\"v\" >= 1 ) and ( \"my t\".\"v\" < \"my t\".\"active\" ) )", "ac"},
        {"/* ' */ where /* \" */ v /* - */ != 2 --", "\"my t\".\"v\" != 2", "c"},
        {"where true", "\"my t\".\"true\"", "e"},
        {"where v is false", "\"my t\".\"v\" is false", "c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[512];
        char used[8];
        if (!read_filter(cases[i].filter, sql, sizeof sql, used) ||
            strcmp(sql, cases[i].sql) != 0 || strcmp(used, cases[i].used) != 0)
            fail_msg("%s: %s uses %s", cases[i].filter, sql, used);
    }
}

static const char *const not_inert[] = {
    "where lower(v) = 'a'",
    "where active(v)",
    "where \"active\" (1)",
    "where v -> '$.a'",
    "where v ->> 'a' = 1",
    "where json_valid(v)",
    "where v like 'a%'",
    "where v glob 'a*'",
    "where v + 1 = 2",
    "where - v = 2",
    "where ~v",
    "where v || 'a' = 'ba'",
    "where v collate other = 'a'",
    "where cast(v as integer) = 1",
    "where case when v then 1 end",
    "where v between 1 and 2",
    "where v in (active)",
    "where v in (abs(1))",
    "where v in ()",
    "where v in (select 1)",
    "where v in other",
    "where exists (select 1)",
    "where (v, active) = (1, 2)",
    "where v is distinct from 1",
    "where unknown = 1",
    "where \"unknown\" = 1",
    "where other.v = 1",
    "where rowid > 5",
    "where v = current_timestamp",
    "where v = ?1",
    "where v = :name",
    "where v = 1; drop table t",
    "where v = 1 )",
    "where ( v = 1",
    "where v = 'never ends",
    "where v = \"never ends",
    "where [never ends = 1",
    "where v = x'0",
    "where v = 1 and",
    "where and v",
    "where v = 1 = 1",
    "where v is not",
    "where v not",
    "where \xff = 1",
    "where v \x01 = 1",
    "where /* v = 1",
    "where -- v = 1",
    "where",
    "",
    "where_v = 1",
    "v = 1",
};

static void test_whatever_may_fail_or_call_is_not_inert(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof not_inert / sizeof not_inert[0]; i++) {
        char sql[512];
        char used[8];
        if (read_filter(not_inert[i], sql, sizeof sql, used))
            fail_msg("%s: %s", not_inert[i], sql);
    }
}

static void test_a_statement_without_its_list_of_columns_has_no_filter(void **state)
{
    (void)state;
    struct buffer sql;
    bool used[COLUMN_COUNT] = {false};

    buffer_init(&sql, 1 << 16);
    assert_false(capture_filter_read("", &names, &sql, used));
    assert_false(capture_filter_read("create index i on t(v", &names, &sql, used));
    assert_false(capture_filter_read("create index i on t where v", &names, &sql, used));
    assert_false(capture_filter_read("create index i on t(v) where", &names, &sql, used));
    buffer_clear(&sql);
}

static void test_the_list_of_columns_ends_with_its_own_parenthesis(void **state)
{
    (void)state;
    struct buffer sql;
    bool used[COLUMN_COUNT] = {false};

    buffer_init(&sql, 1 << 16);
    assert_true(capture_filter_read(
        "create index i on t((lower(v)), abs(v)) where active", &names, &sql, used));
    assert_string_equal(buffer_text(&sql), "\"my t\".\"active\"");
    buffer_clear(&sql);
}

/* Deep nesting must not exhaust the stack. */
static void test_parentheses_nest_up_to_a_limit(void **state)
{
    (void)state;
    char filter[4096];
    char sql[4096];
    char used[8];

    for (int depth = 90; depth <= 1900; depth += 1810) {
        int length = snprintf(filter, sizeof filter, "where ");
        memset(filter + length, '(', (size_t)depth);
        length += depth;
        filter[length++] = 'v';
        memset(filter + length, ')', (size_t)depth);
        filter[length + depth] = '\0';
        assert_int_equal(read_filter(filter, sql, sizeof sql, used), depth == 90);
    }
}

/* Every part of a filter, cut anywhere or with any byte replaced, ends without reading beyond it;
 * the sanitizers judge that. */
static void test_broken_texts_are_read_to_their_end_and_no_further(void **state)
{
    (void)state;
    static const char whole[] =
        "where (\"a\"\"b\" <> 'it''s' or [Deleted At] not in (x'00', -1.5e-3)) /* c */ and v -- d";
    static const char bytes[] = "'\"`[]()*/-.,xX0e=<\x80";
    char filter[sizeof whole];
    char sql[1024];
    char used[8];

    for (size_t length = 0; length < sizeof whole - 1; length++) {
        memcpy(filter, whole, sizeof whole);
        filter[length] = '\0';
        read_filter(filter, sql, sizeof sql, used);
        for (size_t i = 0; i < sizeof bytes - 1; i++) {
            memcpy(filter, whole, sizeof whole);
            filter[length] = bytes[i];
            read_filter(filter, sql, sizeof sql, used);
        }
    }
    assert_true(read_filter(whole, sql, sizeof sql, used));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inert_filters_are_rewritten_with_their_columns_qualified),
        cmocka_unit_test(test_whatever_may_fail_or_call_is_not_inert),
        cmocka_unit_test(test_a_statement_without_its_list_of_columns_has_no_filter),
        cmocka_unit_test(test_the_list_of_columns_ends_with_its_own_parenthesis),
        cmocka_unit_test(test_parentheses_nest_up_to_a_limit),
        cmocka_unit_test(test_broken_texts_are_read_to_their_end_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
