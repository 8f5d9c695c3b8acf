/* lock: one bqsync at a time on a state database. The lock is the kernel's (flock) on the file
 * "<state path>.bqsync-lock" next to the database, so it is free the moment its holder ends,
 * however it ends. The file says who holds it; it is left in place, because removing it would let
 * two processes lock two files of the same name. A file of its own, because SQLite's locks on the
 * database file vanish when anybody in the process closes that file. Any thread; calls with one
 * struct come one after the other. */
#ifndef BQSYNC_SOURCE_LOCK_H
#define BQSYNC_SOURCE_LOCK_H

#include "base/error.h"

#include <stdbool.h>

struct lock {
    int fd;     /* negative: not held */
    char *head; /* owned; what the file says of its holder */
    char *idle; /* owned; the documents of lock_keep_idle, NULL if there are none */
};

/* Why a run makes no progress: attempts of one call that failed one after the other. */
struct lock_outage {
    unsigned attempts; /* 0: there is no outage */
    char since[32];
    char message[256]; /* of the latest */
};

/* What a lock is held for. */
struct lock_run {
    char holder[256]; /* for people: process, host and command */
    char run_id[40];
    char kind[16];
    char started_at[32];
    struct lock_outage outage;
};

/* Takes the lock or fails at once: ERROR_LOCKED names the holder's process, host, command and since
 * when, ERROR_SOURCE says why the lock file cannot be made. what: the command, for that message.
 * Two paths that lead to the same file by links are the same lock. */
MUST_CHECK bool lock_acquire(
    const char *state_path, const char *what, struct lock *out_lock, struct error *err);

/* Whether this process may open the lock file, if there is one: ERROR_SOURCE names it and its
 * owner. Takes no lock. */
MUST_CHECK bool lock_check(const char *state_path, struct error *err);

/* Says in the lock file which run the lock is held for, so that others can tell. */
void lock_tell_run(struct lock *lock, const char *run_id, const char *kind, const char *started_at);

/* Says what hinders that run, until the next call. */
void lock_tell_outage(const struct lock *lock, const struct lock_outage *outage);

/* The run for which somebody holds the lock; false if there is none, or if its process cannot be
 * seen from here (another machine, another container). Takes no lock, not even for a moment. */
bool lock_find_run(const char *state_path, struct lock_run *out_run);

/* Gives it back; does nothing if it is not held. */
void lock_release(struct lock *lock);

/* The service on a state database. */
struct lock_service {
    long pid; /* in its own container, if it runs in one */
    char since[32];
    char schedule[4096]; /* what lock_tell_schedule said last, "" if nothing */
};

/* Says that a service runs, until the lock is given back: a second file, "<state
 * path>.bqsync-serve", so that passes of commands go on between those of the service. ERROR_LOCKED
 * names the service that runs already. */
MUST_CHECK bool lock_acquire_service(
    const char *state_path, struct lock *out_lock, struct error *err);

/* Says in the service's file by which settings it starts passes: one line of JSON. A later call
 * replaces what an earlier one said. */
void lock_tell_schedule(struct lock *lock, const char *json);

/* The service that runs; false if there is none. Unlike lock_find_run it also sees one in another
 * container, because it takes the lock for a moment. */
bool lock_find_service(const char *state_path, struct lock_service *out_service);

/* Whether a service could say that it runs, so that none runs if none is found. ERROR_SOURCE names
 * the file that cannot be made or opened, as far as that can be told without trying. */
MUST_CHECK bool lock_can_show_service(const char *state_path, struct error *err);

/* The documents of passes that changed nothing stay in the lock file, because such a pass writes
 * nothing into the database: one on each line, the newest first, NULL: none. Takes documents; they
 * are written when the lock is given back. A holder that does not call this leaves them as they
 * are, so what they say is still known after another command. */
void lock_keep_idle(struct lock *lock, char *documents);

/* These documents, NULL if there are none. While the file is written (some microseconds), they may
 * be cut short. Takes no lock. Returned owned (free). */
char *lock_read_idle(const char *state_path);

#endif
