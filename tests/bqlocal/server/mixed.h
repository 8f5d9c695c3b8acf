/* mixed: answers that are not about what was asked, as a proxy, a cache or a connection out of step
 * gives them. Callers are inside of the monitor, but for the callback. */
#ifndef BQLOCAL_SERVER_MIXED_H
#define BQLOCAL_SERVER_MIXED_H

#include "bqlocal/http/exchange.h"

#include <microhttpd.h>

/* MHD_OPTION_NOTIFY_CONNECTION: makes and frees what is kept of a connection. */
void mixed_connection(
    void *context, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode code);

/* Replaces the answer by one about another job, table or dataset. */
void mixed_answer_other(struct request *request);

/* From here on the connection carries each answer one request late, and this one twice. */
void mixed_begin_lag(struct request *request);
/* Exchanges the answer with that of the request before it, if the connection lags. */
void mixed_lag(struct request *request);

#endif
