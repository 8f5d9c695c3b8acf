/* every_failure: what a function leaves behind when a call of SQLite or an allocation in it, its
 * own or one of SQLite, fails, one after the other. Needs the libraries of failing_sql.h, scarce.h
 * and scarce_sql.h. */
#ifndef TESTS_SUPPORT_EVERY_FAILURE_H
#define TESTS_SUPPORT_EVERY_FAILURE_H

#include "support/prelude.h"

#include "support/failing_sql.h"
#include "support/scarce.h"
#include "support/scarce_sql.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct failing_act {
    const char *name;
    void (*begin)(void);
    bool (*act)(struct error *err);
    /* May be NULL. After a failure nothing is half done, */
    void (*check_failed)(void);
    /* and after a success, also of a second try, all is. */
    void (*check_done)(void);
    void (*end)(void);
};

enum scarcity { SCARCE_DISK, SCARCE_MEMORY, SCARCE_SQLITE_MEMORY };

static inline void begin_scarcity(enum scarcity kind, int n)
{
    if (kind == SCARCE_DISK)
        failing_sql_at(n);
    else if (kind == SCARCE_MEMORY)
        scarce_fail(n);
    else
        scarce_sql_fail(n);
}

static inline bool end_scarcity(enum scarcity kind)
{
    return kind == SCARCE_DISK     ? failing_sql_end()
           : kind == SCARCE_MEMORY ? scarce_end()
                                   : scarce_sql_end();
}

/* Whether the n-th call was one. */
static inline bool fails_well(const struct failing_act *tried, enum scarcity kind, int n)
{
    struct error error = {.message = ""};

    tried->begin();
    begin_scarcity(kind, n);
    bool ok = tried->act(&error);
    bool failed = end_scarcity(kind);
    if (!ok && !failed)
        fail_msg("%s: %s", tried->name, error.message);
    if (!ok && (error.code != (kind == SCARCE_DISK ? ERROR_DISK : ERROR_MEMORY) ||
                error.message[0] == '\0'))
        fail_msg(
            "%s, failure %d: %s: %s", tried->name, n, error_code_name(error.code), error.message);
    if (!ok && tried->check_failed != NULL)
        tried->check_failed();
    if (!ok && !tried->act(&error))
        fail_msg("%s, after failure %d: %s", tried->name, n, error.message);
    tried->check_done();
    tried->end();
    return failed;
}

/* SQLite makes a hundred allocations for one of its calls, so one of 61 of them fails. Under a
 * sanitizer, which takes many times as long, a fourth of that. BQSYNC_ALL=1: each. */
static inline int every_failure_stride(enum scarcity kind)
{
    const char *all = getenv("BQSYNC_ALL");
    int stride = kind == SCARCE_SQLITE_MEMORY ? 61 : 1;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    stride *= 4;
#endif
    return all != NULL && strcmp(all, "1") == 0 ? 1 : stride;
}

/* BQSYNC_SEED says which, or the process id. */
static inline int every_failure_first(const char *name, int stride)
{
    const char *seed = getenv("BQSYNC_SEED");
    long chosen = seed != NULL ? strtol(seed, NULL, 10) : (long)getpid();
    int first = 1 + (int)(chosen % stride);

    if (stride > 1)
        print_message("%s: failure %d and every %dth after it\n", name, first, stride);
    return first;
}

static inline void check_every_failure(const struct failing_act *tried, enum scarcity kind)
{
    int stride = every_failure_stride(kind);
    int n = every_failure_first(tried->name, stride);

    while (fails_well(tried, kind, n))
        n += stride;
}

#endif
