/* routes_verify: the handlers of /admin/bigquery/verify. */
#ifndef BQSYNC_SERVICE_ROUTES_VERIFY_H
#define BQSYNC_SERVICE_ROUTES_VERIFY_H

#include "service/route.h"

/* Starts a verification of all tables, or of the tables that the body names. */
route_handler routes_post_verify;

/* Answers with the running verification and the last one that ended. */
route_handler routes_get_verify;

#endif
