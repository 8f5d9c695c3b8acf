/* routes_verify: the handlers of /admin/bigquery/verify, as those in routes. */
#ifndef BQSYNC_SERVICE_ROUTES_VERIFY_H
#define BQSYNC_SERVICE_ROUTES_VERIFY_H

#include "service/routes.h"

/* Starts a verification of all tables, or of those the body names. */
route_handler routes_post_verify;

/* The one that runs and the last one that ended. */
route_handler routes_get_verify;

#endif
