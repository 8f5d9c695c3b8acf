/* checker: what the parts of check work with, check_source, check_warehouse and check_permissions.
 * Types only, apart from check.h, so that the parts do not depend on the module that calls them. */
#ifndef BQSYNC_SYNC_REPORT_CHECKER_H
#define BQSYNC_SYNC_REPORT_CHECKER_H

#include "sync/deployment.h"
#include "sync/report/check_findings.h"

#include <stddef.h>

/* Everything is borrowed. The parts read the deployment and the tables to check, and add to
 * findings in the order in which the user reads them. */
struct checker {
    const struct deployment *deployment;
    const struct table *const *tables;
    size_t count;
    struct check_findings *findings;
};

#endif
