/* Which tables of other tables' foreign keys can have no trigger. SQLite itself is the judge. */
#include "support/prelude.h"

#include "support.h"
#include "users.h"

/* Schemas with a table users(id, email, v) and a foreign key to it. */
static const char *const schemas[] = {
    "create table users(id integer primary key, email, v); create table c(z references users(v))",
    "create table users(id integer primary key, email, v); create table c(z references users)",
    "create table users(id integer primary key, email, v); create table c(z references USERS(ID))",
    "create table users(id integer primary key, email, v);"
    "create table c(y, z, foreign key (y, z) references users)",
    "create table users(id integer primary key, email unique, v);"
    "create table c(z references users(Email))",
    "create table users(id integer primary key, email, v); create unique index u on users(email);"
    "create table c(z references users(email), y references users(v))",
    "create table users(id integer primary key, email, v); create index u on users(email);"
    "create table c(z references users(email))",
    "create table users(id integer primary key, email, v);"
    "create unique index u on users(email) where v > 0; create table c(z references users(email))",
    "create table users(id integer primary key, email, v);"
    "create unique index u on users(lower(email)); create table c(z references users(email))",
    "create table users(id integer primary key, email, v);"
    "create unique index u on users(email collate nocase);"
    "create table c(z references users(email))",
    "create table users(id integer primary key, email collate nocase, v);"
    "create unique index u on users(email); create table c(z references users(email))",
    "create table users(id integer primary key, email, v);"
    "create unique index u on users(email, v); create table c(z references users(email))",
    "create table users(id integer primary key, email, v);"
    "create unique index u on users(v, email);"
    "create table c(y, z, foreign key (y, z) references users(email, v))",
    "create table users(id integer primary key, email, v);"
    "create table c(y, z, foreign key (y, z) references users(id, v))",
    "create table users(id int primary key, email, v); create table c(z references users)",
    "create table users(id int primary key, email, v); create table c(z references users(id))",
    "create table users(id text primary key, email, v) without rowid;"
    "create table c(z references users(id)); create table d(z references users)",
    "create table users(id text unique, email, v); create table c(z references users)",
    "create table users(id integer primary key, email, v references users(email))",
    "create table users(id integer primary key, email, v references users)",
    "create table users(id integer primary key, email, v references others(x))",
    "create table users(id integer primary key, email, v); create table c(z references users(no))",
};

/* Whether an INSERT fails, with a trigger that does nothing or without one. */
static bool fails(const char *schema, bool trigger)
{
    struct database database;

    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &database, &err));
    run(&database, schema);
    if (trigger)
        run(&database, "create trigger idle after insert on users begin select 1; end");
    run(&database, "pragma foreign_keys = on");
    int result = sqlite3_exec(
        database.handle, "insert into users(id, email, v) values (1, 'a', null)", NULL, NULL, NULL);
    database_close(&database);
    return result != SQLITE_OK;
}

static void test_a_table_is_scanned_if_a_trigger_would_make_foreign_keys_fail(void **state)
{
    (void)state;
    int scanned = 0;

    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct database database;
        struct source_shape shape;
        expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &database, &err));
        run(&database, schemas[i]);
        expect_ok(capture_inspect(&database, &users_table, &shape, &err));
        database_close(&database);
        bool expected = fails(schemas[i], true) && !fails(schemas[i], false);
        if ((shape.why_scan[0] != '\0') != expected)
            fail_msg("%s: \"%s\"", schemas[i], shape.why_scan);
        scanned += expected;
    }
    assert_in_range(scanned, 5, sizeof schemas / sizeof schemas[0] - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_is_scanned_if_a_trigger_would_make_foreign_keys_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
