/* connection: one request from its first byte to its answer: microhttpd's callbacks. Their context
 * is a const struct parts, which outlives the daemon. */
#ifndef BQLOCAL_SERVER_CONNECTION_H
#define BQLOCAL_SERVER_CONNECTION_H

#include <microhttpd.h>

/* MHD_OPTION_URI_LOG_CALLBACK: makes the request's state. */
void *connection_begin(void *context, const char *uri, struct MHD_Connection *connection);
/* MHD_AccessHandlerCallback. */
enum MHD_Result connection_serve(
    void *context, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload_data, size_t *upload_data_size, void **pointer);
/* MHD_OPTION_NOTIFY_COMPLETED: frees it. */
void connection_end(
    void *context, struct MHD_Connection *connection, void **pointer,
    enum MHD_RequestTerminationCode reason);

#endif
