/* Which texts of a table's columns count as the same. */
#include "support/prelude.h"

#include "source/capture_declared.h"
#include "support.h"

#define T "create table t(\n  id integer primary key,\n  \"V\" text,\n  hidden default 0,\n  x, y"

static const struct column columns[] = {
    {.name = "id", .source = "id"}, {.name = "v", .source = "v"}};
static const struct table plain = {.name = "t", .columns = columns, .column_count = 2};
static const struct table filtered = {
    .name = "t", .columns = columns, .column_count = 2, .where = "v <> 'x' and [Hidden] = 0 -- y"};

static uint64_t hash_of(const struct table *table, const char *sql)
{
    uint64_t hash = 0;

    expect_ok(capture_declared_hash(table, sql, &hash, &err));
    return hash;
}

/* Two statements, and whether the columns of each definition are the same in both. */
struct pair {
    const char *before;
    const char *after;
    bool plain_same;
    bool filtered_same;
};

static const struct pair pairs[] = {
    {T ")", T ")", true, true},
    // Columns on which nothing depends come, go and change; constraints do.
    {T ")", T ", z default 'later')", true, true},
    {T "\n)", T "\n, z)", true, true},
    {T ")", T ", check (hidden > 0), unique (v))", true, true},
    {T ", primary key (id))", T ", z, primary key (id))", true, true},
    {"create table t(id, v\n)", "create table t(id, v\n, z)", true, true},
    {"create table t(id, v)", "create table t(id, v, w)", true, true},
    {"create table t(id, v,\n z)", "create table t(id, v)", true, true},
    // What ALTER TABLE ... RENAME changes elsewhere.
    {T ")", "create table \"a ( b\"(\n  id integer primary key,\n  v text,\n  hidden default 0, x)",
     true, true},
    {"create table t(id references users(id) on delete cascade, v)",
     "create table t(id references \"old users\"(uid) on delete cascade, v)", true, true},
    {"create table t(id references users, v)", "create table t(id references \"u\", v)", true,
     true},
    // Columns that are made again, with another text or on another line.
    {"create table t(id, v, hidden)", "create table t(id, v, hidden default 1)", true, false},
    {"create table t(id, v, hidden)", "create table t(id, v default 'D', hidden)", false, false},
    {"create table t(id, v default 'd')", "create table t(id, v default 'D')", false, false},
    {"create table t(id, v default \"d\")", "create table t(id, v default 'd')", false, false},
    {"create table t(id,v)", "create table t(id, v)", false, false},
    {"create table t(id,\n  v -- the value\n)", "create table t(id, v)", false, false},
    {"create table t(id, v references u(id))", "create table t(id, v)", false, false},
    {"create table t(id, v references u(id))", "create table t(id, v references u(id) not null)",
     false, false},
    // Columns that swap their names.
    {"create table t(id, v, hidden, x)", "create table t(id, v, x, hidden)", true, false},
    {"create table t(id, v, x)", "create table t(id, x, v)", false, false},
    // What a column is generated from, also through another one.
    {"create table t(id, x, v as (x))", "create table t(id, x default 1, v as (x))", false, false},
    {"create table t(id, x, y as (x || 1), v generated always as (lower(\"Y\")))",
     "create table t(id, x, y as (x || 2), v generated always as (lower(\"Y\")))", false, false},
    {"create table t(id, x, y as (x || 1), v as (y))",
     "create table t(id, x collate nocase, y as (x || 1), v as (y))", false, false},
    {"create table t(id, x, v, hidden as (x > 0))",
     "create table t(id, x not null, v, hidden as (x > 0))", true, false},
    // A text that lists no columns.
    {"create table t", "create table u", false, false},
};

static void test_what_counts_as_the_same_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const struct pair *pair = &pairs[i];
        if ((hash_of(&plain, pair->before) == hash_of(&plain, pair->after)) != pair->plain_same ||
            (hash_of(&filtered, pair->before) == hash_of(&filtered, pair->after)) !=
                pair->filtered_same)
            fail_msg("%s\n%s", pair->before, pair->after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_counts_as_the_same_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
