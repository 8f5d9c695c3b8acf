/* tracking: the durable watermark of every table, its open intent, its rejects, and the records of
 * runs, in the control tables bq_sync_* of the state database. Written in short transactions. One
 * struct belongs to one thread; several may be open on the same file. */
#ifndef BQSYNC_SOURCE_TRACKING_H
#define BQSYNC_SOURCE_TRACKING_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "source/fingerprint.h"

#include <stdbool.h>
#include <stdint.h>

#define TRACKING_NONCE_SIZE   17 /* 16 hex digits */
#define TRACKING_CONTENT_SIZE 48
#define TRACKING_JOBS_SIZE    64 /* "Label limits": a value has at most 63 characters */

/* A label of a target: a generation, and the name of the jobs that follow it
 * (sync/pass/label_jobs.h), "" if it says none. Two with one number and two names were raised by
 * two states, of which one was once a copy of the other. */
struct label {
    int64_t generation; /* 0: there is none */
    char jobs[TRACKING_JOBS_SIZE];
};

struct tracking {
    struct database database;
    bool shared; /* the connection belongs to somebody else */
};

/* What is known of one table. found == false: it was never synced, or was reset; of the rest only
 * generation and last_error may be set. */
struct watermark {
    bool found;
    /* There is a row of the table at all: of a first sync that is under way or failed, if !found.
     */
    bool has_row;
    /* How often the row was marked to be sent again. */
    int64_t epoch;
    /* Highest INTEGER PRIMARY KEY ever synced. */
    int64_t last_synced_row_id;
    /* Changes up to this sequence are in BigQuery. */
    int64_t synced_sequence;
    /* Of the newest intent, also a label on the target table; the next intent takes one more. It
     * survives a reset, so that no number is used twice. */
    int64_t generation;
    /* What the target's label shows: that generation, or in a series (sync/series.h) an earlier
     * one; and what it showed when the intent that raised it was recorded. */
    struct label label;
    struct label label_before;
    /* Of the series that the newest label began, "" if it began none. */
    char series[TRACKING_NONCE_SIZE];
    /* Of the definition that the rows were sent under, with the plan's remark on how they were
     * found. "" if change capture was interrupted: the rows that were sent may lack changes. */
    char content_hash[TRACKING_CONTENT_SIZE];
    /* What the target holds was sent under this content hash, to this target, and no row under
     * another one since this generation. They survive a reset and an interruption as well; ""
     * if nothing is known. */
    char held_content[TRACKING_CONTENT_SIZE];
    char held_target[512];
    int64_t held_since;
    /* Of a table with history: _bqsync_at of the newest version that an intent has announced, and
     * the generation of the newest versions that belong to this database; later ones that the log
     * has were undone by a restore. 0: nothing is known. */
    int64_t logged_at_us;
    int64_t logged_generation;
    /* Of a table with history: its log has had a version of each row that its target (held_target)
     * has been sent since; what it lacks has expired. */
    bool log_whole;
    /* Of a table with history: rows that were rejected fit now or are gone, and no pass since has
     * been acknowledged. */
    bool fixed_rejects;
    /* Of the rows that were read last and whose changes neither triggers nor a shadow tell: all
     * rows of mode replace, else those with NULL in their key. "" if there were none. */
    char fingerprint[FINGERPRINT_SIZE];
    /* Of the definition that the target was last brought in line with. */
    char shape_hash[16];
    /* "project.dataset.table" that the watermark is about. */
    char target[512];
    /* ISO 8601 UTC, "" if never. */
    char last_synced_at[32];
    /* "" if the last sync of the table succeeded. */
    char last_error[1024];
    /* Rows at the last replacement plus later inserts less deletes; an estimate. */
    int64_t source_rows;
};

/* What a pass is about to do to one table; committed before the first request that changes
 * anything. */
struct intent {
    char table[256];
    enum send_mode mode;
    int64_t generation;
    /* Random. Job ids and staging names are made from the intent with it, so they never occur
     * again, not even after a restored backup. */
    char nonce[TRACKING_NONCE_SIZE];
    char commit_job[320]; /* the one job that changes the target */
    char staging[320];    /* "" if none */
    /* The watermark when the commit job succeeds. */
    int64_t upper_sequence;
    int64_t upper_row_id;
    int64_t rows;
    char content_hash[TRACKING_CONTENT_SIZE];
    char fingerprint[FINGERPRINT_SIZE];
    char shape_hash[16];
    char target[512];
    /* Where the commit job runs. "" in an intent of a version that did not keep them: the names are
     * then those in target, and the location is not known. */
    char project[128];
    char dataset[128];
    char location[64];
    /* What its commit job may bill of the day's budget; 0 if there is no budget. */
    int64_t bytes_reserved;
    /* Not recorded with it, because the watermark says it: whether the target's label is raised for
     * it, which else stays behind, from what and to whose name, and the series that it begins or
     * belongs to, "" if none. */
    bool raises_label;
    struct label label_before;
    char jobs[TRACKING_JOBS_SIZE];
    char series[TRACKING_NONCE_SIZE];
    /* Of a table with history, not recorded with it either: _bqsync_at of its versions (0: no
     * history), which is later than that of all versions before, the generation beyond which
     * the versions in the log were undone by a restore (0: none were), and whether the log is whole
     * before (watermark). */
    int64_t logged_at_us;
    int64_t abandons_above;
    bool log_whole;
    /* Known when it ends and not recorded with it: what its jobs have billed, and what BigQuery
     * wants to be allowed to bill, if it has refused the commit job because that was too little. */
    int64_t bytes_billed;
    int64_t bytes_needed;
};

/* The budget that is left of a day is looked at when bytes are reserved. */
struct bill_limit {
    int64_t bytes_a_day; /* 0: there is no budget */
    int64_t now_us;      /* wall clock */
};

/* What an intent rests on: what its plan has read of the state, and what its snapshot has. */
struct tracking_basis {
    const struct watermark *watermark; /* borrowed */
    /* The table's sequence in bq_sync_capture of the same database, as the pass has raised it; 0 if
     * no sequence was raised. */
    int64_t sealed_sequence;
    struct bill_limit limit;
};

/* Opens the state database, creating it if it does not exist, and creates or upgrades the control
 * tables (also those that somebody dropped). Writes nothing if they are as they should be.
 * ERROR_SOURCE when a newer bqsync has written it. */
MUST_CHECK bool tracking_open(const char *path, struct tracking *out_tracking, struct error *err);
/* As above but never writes; the file or its control tables may be missing, everything then reads
 * as never synced. */
MUST_CHECK bool tracking_open_read(
    const char *path, struct tracking *out_tracking, struct error *err);
/* As tracking_open for a state database that somebody has open already, to whom the connection
 * still belongs: SQLite parses the schema once for each connection, which is most of what a pass
 * without changes costs. As long as it is shared, a transaction of the one is one of the other. */
MUST_CHECK bool tracking_share(
    const struct database *database, struct tracking *out_tracking, struct error *err);
/* Gives one that is shared a connection of its own to the same database, by its path. */
MUST_CHECK bool tracking_part(struct tracking *tracking, const char *path, struct error *err);
void tracking_close(struct tracking *tracking);
/* Whether a control table is there to be read; only a connection that may not write can lack it. */
MUST_CHECK bool tracking_has_table(
    struct tracking *tracking, const char *name, bool *out_exists, struct error *err);

MUST_CHECK bool tracking_load(
    struct tracking *tracking, const char *table, struct watermark *out_watermark,
    struct error *err);

/* The open intent of a table, if any. */
MUST_CHECK bool tracking_intent(
    struct tracking *tracking, const char *table, bool *out_found, struct intent *out_intent,
    struct error *err);

/* Whether the table's watermark awaits the end of that open intent: the table was not reset since.
 */
MUST_CHECK bool tracking_awaits(
    struct tracking *tracking, const struct intent *intent, bool *out_awaited, struct error *err);

/* Records (or replaces) the table's intent, if everything that it rests on is as it was read.
 * Otherwise writes nothing, and *out_changed says what has changed, as static text that completes
 * "while it was being synced, ..."; NULL if the intent was recorded. ERROR_BUDGET if what it
 * reserves does not fit into what the budget leaves. */
MUST_CHECK bool tracking_intend(
    struct tracking *tracking, const struct intent *intent, const struct tracking_basis *basis,
    const char **out_changed, struct error *err);
/* Gives the recorded intent another commit job and another reservation, those of *intent.
 * *out_changed as above, if the intent may not move the watermark any more; ERROR_BUDGET as above.
 */
MUST_CHECK bool tracking_intend_job(
    struct tracking *tracking, const struct intent *intent, struct bill_limit limit,
    const char **out_changed, struct error *err);
/* The commit job succeeded: sets the watermark to the intent's, deletes the intent and adds what
 * was billed to the bill of the day (tracking_bill.h), in one transaction. last_synced_row_id never
 * falls. If the table was reset, invalidated or restored since the intent was recorded, by bqsync
 * or by hand, the watermark stays, and *out_changed says so as above. Doing it twice does no harm.
 */
MUST_CHECK bool tracking_acknowledge(
    struct tracking *tracking, const struct intent *intent, int64_t now_us,
    const char **out_changed, struct error *err);
/* The commit job will never happen: deletes the intent, and adds what was billed all the same. The
 * watermark stays, but the generation counts as used. */
MUST_CHECK bool tracking_withdraw(
    struct tracking *tracking, const struct intent *intent, int64_t now_us, struct error *err);

/* Notes that a pass found the table unchanged ("": clears the last error), or failed it (message).
 * Writes nothing if that is known already. */
MUST_CHECK bool tracking_note(
    struct tracking *tracking, const char *table, const char *last_error, struct error *err);
/* Forgets the table's watermark: the next sync replaces its content. */
MUST_CHECK bool tracking_reset(struct tracking *tracking, const char *table, struct error *err);

/* Changes may be missing in what was sent: the watermark stays, but the next sync replaces the
 * content, and a plan or an intent made before does not count any more. */
MUST_CHECK bool tracking_invalidate(
    struct tracking *tracking, const char *table, struct error *err);

/* The table's log is about to be made: until it is filled it lacks versions that have not expired.
 */
MUST_CHECK bool tracking_begin_log(struct tracking *tracking, const char *table, struct error *err);

/* Small facts by name ("instance", "location"): reads the value into the caller's bytes, "" if it
 * is not set. */
MUST_CHECK bool tracking_get(
    struct tracking *tracking, const char *name, char *out_value, size_t size, struct error *err);
MUST_CHECK bool tracking_set(
    struct tracking *tracking, const char *name, const char *value, struct error *err);

/* Whether BigQuery has refused to load JSON of this table for a number in it, so that from then on
 * its JSON is loaded as text. It outlasts a reset. */
MUST_CHECK bool tracking_json_text(
    struct tracking *tracking, const char *table, bool *out_is, struct error *err);
MUST_CHECK bool tracking_set_json_text(
    struct tracking *tracking, const char *table, struct error *err);

/* Of as many runs a record is kept, the newest. */
#define TRACKING_RUNS_KEPT 500

/* The records of runs: each one JSON document as `sync --json` prints it, plus its state. */
MUST_CHECK bool tracking_save_run(
    struct tracking *tracking, const char *run_id, const char *state, const char *json,
    struct error *err);
MUST_CHECK bool tracking_each_run(
    struct tracking *tracking, int limit,
    bool (*visit)(void *context, const char *run_id, const char *state, const char *json),
    void *context, struct error *err);

#endif
