/* page: the dashboard, one HTML page compiled in, and the Content-Security-Policy that lets its own
 * script and style run and nothing else. */
#ifndef BQSYNC_SERVICE_PAGE_H
#define BQSYNC_SERVICE_PAGE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>

/* The page; static. */
struct slice page_html(void);

/* Its policy: hashes of its one <script> and its one <style> ("Content Security Policy Level 3",
 * hash sources). Returned owned. ERROR_MEMORY. */
MUST_CHECK bool page_policy(char **out_policy, struct error *err);

#endif
