/* checker: what the parts of check work with. Types only. */
#ifndef BQSYNC_SYNC_REPORT_CHECKER_H
#define BQSYNC_SYNC_REPORT_CHECKER_H

#include "sync/deployment.h"
#include "sync/report/check_findings.h"

#include <stddef.h>

/* Everything is borrowed; the parts add to findings. */
struct checker {
    const struct deployment *deployment;
    const struct table *const *tables;
    size_t count;
    struct check_findings *findings;
};

#endif
