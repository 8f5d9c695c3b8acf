/* verifier: runs verifications on request. Owns the one thread that runs them, one at a time, also
 * while a pass runs, and keeps the newest result in memory. Other threads post requests and read
 * copies. */
#ifndef BQSYNC_SERVICE_VERIFIER_H
#define BQSYNC_SERVICE_VERIFIER_H

#include "base/clock.h"
#include "base/error.h"
#include "sync/pass/result.h"
#include "sync/verify/verify.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct verifier;

/* As verify_run; called on the verifier's thread. */
typedef bool verifier_run(
    void *context, const struct table *const *tables, size_t count,
    const struct verify_watch *watch, struct verify_table **out_tables, struct error *err);

struct verifier_options {
    verifier_run *run;
    /* Called on the verifier's thread for each table that could be compared, as soon as it is. */
    void (*judged)(void *context, const struct verify_table *table);
    void *context;
    const struct clock *clock;
    const struct table *const *tables; /* all there are; borrowed */
    size_t table_count;
};

/* Returns owned; nothing runs yet. */
MUST_CHECK bool verifier_new(
    const struct verifier_options *options, struct verifier **out_verifier, struct error *err);
/* Stops it if it runs. */
void verifier_free(struct verifier *verifier);

/* Starts the thread. */
MUST_CHECK bool verifier_start(struct verifier *verifier, struct error *err);
/* Takes no more requests. A verification that runs is ended by clock_stop. */
void verifier_stop(struct verifier *verifier);
/* Waits for the thread, at most timeout_ms; false if a verification still runs. */
bool verifier_join(struct verifier *verifier, int64_t timeout_ms);

enum verifier_answer {
    VERIFIER_ACCEPTED, /* it begins at once */
    VERIFIER_BUSY,     /* another one runs */
    VERIFIER_STOPPING,
};

/* tables NULL: all (copied otherwise; the descriptors are static). out_id: of the new verification,
 * or of the one in the way; made as the ids of runs are. */
enum verifier_answer verifier_request(
    struct verifier *verifier, const struct table *const *tables, size_t count,
    char out_id[RUN_ID_SIZE]);

/* What runs and the newest result: {"running": null or
 * {"verify_id","started_at","tables":[names],"tables_done","table"}, "last": null or
 * {"verify_id","started_at","finished_at","duration_ms","ok","error","tables"}}: ok and tables are
 * those of `verify --json`, error says why there are none. Returned owned, NULL out of memory. */
cJSON *verifier_json(struct verifier *verifier);

/* The last verification as numbers, for metrics. */
struct verifier_view {
    int64_t finished_us; /* 0: there is none */
    bool compared;       /* whether it could compare all its tables */
};
void verifier_view(struct verifier *verifier, struct verifier_view *out_view);

#endif
