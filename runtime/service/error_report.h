/* error_report: one failure of a pass or a table as texts that are ready to be sent. Made from a
 * run's result; values of rows that BigQuery quotes in a message are removed. */
#ifndef BQSYNC_SERVICE_ERROR_REPORT_H
#define BQSYNC_SERVICE_ERROR_REPORT_H

#include "sync/pass/result.h"

#include <stdbool.h>
#include <stdint.h>

#define ERROR_REPORT_ENVIRONMENT_SIZE 64

struct error_report {
    /* 32 hex digits. */
    char event_id[33];
    int64_t at_us;
    /* "": the pass as a whole failed. */
    char table[256];
    char run_id[RUN_ID_SIZE];
    char kind[16];
    char mode[16];
    char code[32];
    /* BigQuery's reason, "" if it gave none. */
    char reason[48];
    char message[1024];
    int http_status;
    bool retryable;
    int attempts;
    char environment[ERROR_REPORT_ENVIRONMENT_SIZE];
    char host[128];
};

/* The failure of the pass as a whole, run->error. */
void error_report_of_run(
    struct error_report *out_report, const char *environment, const struct run_result *run);

/* The failure of one table of the run. */
void error_report_of_table(
    struct error_report *out_report, const char *environment, const struct run_result *run,
    const struct table_result *table);

#endif
