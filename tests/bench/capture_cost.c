/* What change capture costs the application: the same writes on the same table with and without it,
 * in interleaved rounds, so that a slow moment of the machine hits both. WAL, synchronous NORMAL,
 * rows of about 200 bytes, no index but the key: the worst case. Prints medians and ratios: of the
 * wall time, of the time on the processor, and of the least such time of any round, which is the
 * one to trust on a busy machine.
 *
 *     capture_cost [ROWS [ROUNDS [DIRECTORY]]]
 */
#include "base/error.h"
#include "source/capture.h"
#include "source/database.h"

#include "users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WRITE_INSERT, WRITE_UPDATE, WRITE_HOT, WRITE_DELETE, WRITE_COUNT };

static const char *const write_names[] = {
    "insert", "update random row", "update 2,000 hot rows", "delete random row"};

static const char *const write_sql[] = {
    "insert into users(email, first_name) values (?1, ?2)",
    "update users set first_name = ?2 where id = ?1",
    "update users set first_name = ?2 where id = ?1",
    "delete from users where id = ?1",
};

struct side {
    struct database database;
    char path[512];
    uint64_t seed; /* the same on both sides: they write the same */
    int64_t rows;
};

static void check(bool ok, const struct error *err)
{
    if (ok)
        return;
    fprintf(stderr, "capture_cost: %s\n", err->message);
    exit(1);
}

/* Wall time and time on the processor, in seconds. */
struct cost {
    double wall;
    double cpu;
};

static double seconds_of(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static struct cost now(void)
{
    return (struct cost){seconds_of(CLOCK_MONOTONIC), seconds_of(CLOCK_THREAD_CPUTIME_ID)};
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void side_open(struct side *side, const char *directory, const char *name, int64_t rows)
{
    struct error err;
    char sql[512];

    *side = (struct side){.seed = 88172645463325252, .rows = rows};
    snprintf(side->path, sizeof side->path, "%s/capture_cost_%s.db", directory, name);
    unlink(side->path);
    check(database_open(side->path, DATABASE_CREATE, 1000, &side->database, &err), &err);
    check(
        database_exec(
            &side->database,
            "pragma journal_mode = wal; pragma synchronous = normal;"
            "create table users(id integer primary key autoincrement, email text not null,"
            " first_name text, middle_name text, last_name text, default_dp_color text,"
            " created_at, updated_at, deleted_at)",
            &err),
        &err);
    snprintf(
        sql, sizeof sql,
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < %lld)"
        " insert into users(email, first_name) select i || '@example.com', printf('%%.*c', 160, "
        "'x')"
        " from n; pragma wal_checkpoint(truncate)",
        (long long)rows);
    check(database_exec(&side->database, sql, &err), &err);
}

static void side_close(struct side *side)
{
    char path[600];

    database_close(&side->database);
    unlink(side->path);
    snprintf(path, sizeof path, "%s-wal", side->path);
    unlink(path);
    snprintf(path, sizeof path, "%s-shm", side->path);
    unlink(path);
}

static int64_t pick(struct side *side, int kind)
{
    uint64_t range = kind == WRITE_HOT ? 2000 : (uint64_t)side->rows;

    return (int64_t)(next_random(&side->seed) % range) + 1;
}

/* What count writes cost, a commit each `batch` of them. */
static struct cost time_writes(struct side *side, int kind, int count, int batch)
{
    sqlite3_stmt *statement = NULL;
    struct error err;
    char text[161];
    bool row;

    memset(text, 'a' + (int)(next_random(&side->seed) % 26), 160);
    text[160] = '\0';
    check(database_prepare(&side->database, write_sql[kind], &statement, &err), &err);
    struct cost start = now();
    for (int i = 0; i < count; i++) {
        if (batch > 1 && i % batch == 0)
            check(database_begin(&side->database, &err), &err);
        sqlite3_bind_int64(statement, 1, pick(side, kind));
        if (kind != WRITE_DELETE)
            sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
        check(database_step(&side->database, statement, &row, &err), &err);
        sqlite3_reset(statement);
        if (batch > 1 && (i + 1) % batch == 0)
            check(database_commit(&side->database, &err), &err);
    }
    struct cost end = now();
    sqlite3_finalize(statement);
    return (struct cost){end.wall - start.wall, end.cpu - start.cpu};
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* What a sync does between two rounds: seal, acknowledge, clean. */
static void sync_side(struct side *side)
{
    const struct table *table = &users_table;
    struct source_shape shape;
    struct snapshot_table sealed = {.table = table, .shape = &shape};
    struct error err;

    check(capture_inspect(&side->database, table, &shape, &err), &err);
    check(capture_seal(&side->database, &sealed, 1, &err), &err);
    database_rollback(&side->database);
    check(capture_clean(&side->database, table, sealed.position.sequence, &err), &err);
}

static void checkpoint(struct side *side)
{
    struct error err;

    check(database_exec(&side->database, "pragma wal_checkpoint(truncate)", &err), &err);
}

static void measure(struct side sides[2], int kind, int batch, int count, int rounds)
{
    double walls[2][64];
    double wall_ratios[64];
    double cpu_ratios[64];
    double least_cpu[2] = {1e9, 1e9};

    for (int round = 0; round < rounds; round++) {
        struct cost costs[2];
        sync_side(&sides[1]);
        checkpoint(&sides[0]);
        checkpoint(&sides[1]);
        for (int turn = 0; turn < 2; turn++) {
            int which = (round + turn) % 2;
            costs[which] = time_writes(&sides[which], kind, count, batch);
            walls[which][round] = costs[which].wall;
            if (costs[which].cpu < least_cpu[which])
                least_cpu[which] = costs[which].cpu;
        }
        wall_ratios[round] = costs[1].wall / costs[0].wall;
        cpu_ratios[round] = costs[1].cpu / costs[0].cpu;
    }
    printf(
        "%-22s %5d  %9.0f  %9.0f  %+6.1f %%  %+6.1f %%  %+6.1f %%\n", write_names[kind], batch,
        count / median(walls[0], rounds), count / median(walls[1], rounds),
        (median(wall_ratios, rounds) - 1) * 100, (median(cpu_ratios, rounds) - 1) * 100,
        (least_cpu[1] / least_cpu[0] - 1) * 100);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int64_t rows = argc > 1 ? atoll(argv[1]) : 1000000;
    int rounds = argc > 2 ? atoi(argv[2]) : 11;
    const char *directory = argc > 3 ? argv[3] : ".";
    struct side sides[2];
    struct error err;

    if (rounds < 1 || rounds > 64 || rows < 10000) {
        fprintf(stderr, "usage: capture_cost [ROWS >= 10000 [ROUNDS 1..64 [DIRECTORY]]]\n");
        return 2;
    }
    side_open(&sides[0], directory, "plain", rows);
    side_open(&sides[1], directory, "captured", rows);
    check(capture_install(&sides[1].database, &users_table, &err), &err);
    printf(
        "%lld rows, %d rounds, medians; SQLite %s\n", (long long)rows, rounds,
        sqlite3_libversion());
    printf(
        "%-22s %5s  %9s  %9s  %8s  %8s  %8s\n", "writes", "tx", "plain/s", "capture/s", "wall",
        "cpu", "least");
    for (int kind = 0; kind < WRITE_COUNT; kind++)
        measure(sides, kind, 1, 2000, rounds);
    for (int kind = 0; kind < WRITE_COUNT; kind++)
        measure(sides, kind, 1000, 20000, rounds);
    side_close(&sides[0]);
    side_close(&sides[1]);
    return 0;
}
