/* support: what the tests of source share: databases that are deleted with the test, and shorthands
 * for statements. */
#ifndef BQSYNC_TESTS_SOURCE_SUPPORT_H
#define BQSYNC_TESTS_SOURCE_SUPPORT_H

#include "support/prelude.h"

#include "base/buffer.h"
#include "base/table.h"
#include "source/capture.h"
#include "source/database.h"
#include "source/statement.h"
#include "source/tracking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The error that expect_ok and expect_error look at. */
static struct error err;

/* A fresh folder; remove_folder deletes it with the files in it. */
struct folder {
    char path[64];
};

static inline struct folder make_folder(void)
{
    struct folder folder = {"/tmp/bqsync-test-XXXXXX"};

    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static inline char *path_in(const struct folder *folder, const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder->path, name);
    return path;
}

static inline void remove_folder(const struct folder *folder)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", folder->path);
    assert_int_equal(system(command), 0);
}

static inline int64_t query_int(struct database *database, const char *sql)
{
    int64_t value = 0;

    expect_ok(database_query_int64(database, sql, INT64_MIN, &value, &err));
    return value;
}

/* The first column of the first row as text, in bytes that the next call overwrites. */
static inline const char *query_text(struct database *database, const char *sql)
{
    static char text[1 << 15];
    sqlite3_stmt *statement = NULL;
    bool row = false;

    expect_ok(database_prepare(database, sql, &statement, &err));
    expect_ok(database_step(database, statement, &row, &err));
    text[0] = '\0';
    if (row)
        statement_text(statement, 0, text, sizeof text);
    sqlite3_finalize(statement);
    return text;
}

static inline void run(struct database *database, const char *sql)
{
    expect_ok(database_exec(database, sql, &err));
}

/* Copies the content of one file over another, as cp does it: the file stays the same one. */
static inline void copy_over(const char *from, const char *to)
{
    char bytes[4096];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "r+b");

    assert_non_null(in);
    assert_non_null(out);
    for (size_t count = 0; (count = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, count, out), count);
    fclose(in);
    fclose(out);
}

#endif
