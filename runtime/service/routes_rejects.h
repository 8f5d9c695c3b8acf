/* routes_rejects: the handler of /admin/bigquery/rejects. */
#ifndef BQSYNC_SERVICE_ROUTES_REJECTS_H
#define BQSYNC_SERVICE_ROUTES_REJECTS_H

#include "service/route.h"

/* Answers with a page of rejected values, of the table that the request names or of all, behind the
 * value at which the page before ended. Values of columns with a transform are not shown. */
route_handler routes_get_rejects;

#endif
