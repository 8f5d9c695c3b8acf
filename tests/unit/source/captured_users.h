/* captured_users: a database with the table users, and the steps of its capture. */
#ifndef BQSYNC_TESTS_SOURCE_CAPTURED_USERS_H
#define BQSYNC_TESTS_SOURCE_CAPTURED_USERS_H

#include "support.h"
#include "users.h"

static struct folder folder;
static struct database source;
static char path[256];

static inline int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "source.db"));
    expect_ok(database_open(path, DATABASE_CREATE, 2000, &source, &err));
    run(&source, "pragma journal_mode = wal;"
                 "create table users(id integer primary key, email text unique, v);"
                 "insert into users values (1, 'a', 1), (2, 'b', 2), (10, 'c', 3)");
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    database_close(&source);
    remove_folder(&folder);
    return 0;
}

static inline void install(void)
{
    expect_ok(capture_install(&source, &users_table, &err));
}

static inline struct source_shape inspect(void)
{
    struct source_shape shape;

    expect_ok(capture_inspect(&source, &users_table, &shape, &err));
    return shape;
}

static inline enum capture_state check(void)
{
    return inspect().capture;
}

static inline const char *dirty(void)
{
    return query_text(
        &source, "select group_concat(bq_sync_key_1 || '@' || bq_sync_sequence, ' ') from"
                 " (select * from bq_sync_dirty_users order by 1)");
}

#define capture_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
