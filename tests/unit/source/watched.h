/* watched: a database whose commits are followed, for the tests of source/commits. */
#ifndef BQSYNC_TESTS_SOURCE_WATCHED_H
#define BQSYNC_TESTS_SOURCE_WATCHED_H

#include "support.h"

#include "source/commits.h"
#include "support/manual_clock.h"

#include <time.h>

/* A followed database, an application with a connection of its own, and our writer. */
struct world {
    struct folder folder;
    char *path;
    struct manual_clock clock;
    struct commits *commits;
    struct database application;
    struct database ours;
};

static inline void make(const char *path, const char *mode)
{
    struct database made;
    char sql[64];

    expect_ok(database_open(path, DATABASE_CREATE, 1000, &made, &err));
    snprintf(sql, sizeof sql, "pragma journal_mode = %s", mode);
    expect_ok(database_exec(&made, sql, &err));
    expect_ok(database_exec(&made, "create table t(id integer primary key, v)", &err));
    database_close(&made);
}

static inline void open_all(struct world *world, const char *mode)
{
    *world = (struct world){.folder = make_folder()};
    world->path = strdup(path_in(&world->folder, "app.db"));
    manual_clock_init(&world->clock);
    world->clock.ms = 1000;
    make(world->path, mode);
    expect_ok(commits_new(&world->clock.clock, world->path, true, &world->commits, &err));
    commits_follow(world->commits);
    expect_ok(database_open(world->path, DATABASE_WRITE, 5000, &world->application, &err));
    expect_ok(database_open(world->path, DATABASE_WRITE, 5000, &world->ours, &err));
    world->ours.commits = world->commits;
}

static inline void close_all(struct world *world)
{
    database_close(&world->ours);
    database_close(&world->application);
    commits_free(world->commits);
    remove_folder(&world->folder);
    free(world->path);
}

static inline bool waits(struct world *world)
{
    expect_ok(commits_look(world->commits, 0, &err));
    return commits_since_ms(world->commits) != COMMITS_NONE;
}

static inline struct commits_mark mark_of(struct world *world)
{
    struct commits_mark mark;

    commits_mark(world->commits, true, &mark);
    return mark;
}

static inline void cover(struct world *world)
{
    struct commits_mark mark = mark_of(world);

    commits_cover(world->commits, &mark);
    assert_false(waits(world));
}

static inline void commit_as(struct database *who)
{
    expect_ok(database_begin(who, &err));
    expect_ok(database_exec(who, "insert into t(v) values (1)", &err));
    expect_ok(database_commit(who, &err));
}

/* Until a write gets another time than the last one. */
static inline void wait_for_tick(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

#endif
