/* check_note: what the parts of check share. Nobody else includes it. */
#ifndef BQSYNC_SYNC_REPORT_CHECK_FINDINGS_H
#define BQSYNC_SYNC_REPORT_CHECK_FINDINGS_H

#include "sync/report/check.h"

struct bigquery;

struct checker {
    const struct deployment *deployment;
    const struct table *const *tables;
    size_t count;
    check_visit *visit;
    void *context;
    bool failed;
};

/* One finding. */
void check_note(
    struct checker *c, const char *name, enum check_status status, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* The source database, the control tables, room on disk, and each table with a sample of its rows.
 */
void check_source(struct checker *c);
/* The dataset, what may be done there, and each target. */
void check_warehouse(struct checker *c);

/* What check_permissions finds out on its way. */
struct check_rights {
    char location[64]; /* the dataset's, "" if it could not be read */
    bool listed;       /* the list of tables could be read: exists is known */
    bool *exists;      /* of each table to check, whether its target exists; owned */
};
/* Probes every right that a sync needs, without writing, and says of each missing one which role
 * brings it and how to grant it. Returns false, with the finding noted, if BigQuery could not be
 * asked, or the dataset does not exist: there is no point in going on. */
bool check_permissions(
    struct checker *c, struct bigquery *bigquery, struct check_rights *out_rights);

#endif
