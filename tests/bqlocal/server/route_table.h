/* route: the table of everything bqlocal answers, and how a path finds its row. */
#ifndef BQLOCAL_SERVER_ROUTE_TABLE_H
#define BQLOCAL_SERVER_ROUTE_TABLE_H

#include "bqlocal/http/exchange.h"

enum route_kind {
    ROUTE_API,    /* BigQuery's routes: logged, subject to faults and, in strict mode, to tokens */
    ROUTE_UPLOAD, /* the same, with media as body */
    ROUTE_TOKEN,  /* the token endpoint: logged, subject to faults */
    ROUTE_OWN,    /* bqlocal's own: neither */
};

/* Fills request->answer. Holds the server's lock (server_wait gives it away meanwhile). On false
 * the answer is err as Google's error body. */
typedef bool route_handler(struct server *server, struct request *request, struct error *err);

struct route {
    const char *method;
    const char *pattern; /* below the API's prefix; {d}, {t}, {j} take one segment */
    enum route_kind kind;
    route_handler *handler;
    const char *permission; /* what Google asks for, NULL: none of the ones that can be denied */
};

/* Finds the route of request->method and request->path and takes the path's parameters. */
void route_find(struct request *request);
void path_parameters_clear(struct path_parameters *parameters);

route_handler rest_dataset_list, rest_dataset_insert, rest_dataset_get, rest_dataset_patch,
    rest_dataset_delete;
route_handler rest_table_list, rest_table_insert, rest_table_get, rest_table_patch,
    rest_table_update, rest_table_delete, rest_table_permissions;
route_handler rest_rows_list, rest_rows_insert;
route_handler rest_job_list, rest_job_insert, rest_job_get, rest_job_cancel, rest_job_delete;
route_handler rest_query, rest_query_results;
route_handler rest_project_list, rest_service_account, rest_discovery;
route_handler upload_handle, upload_cancel;
route_handler strict_token, strict_revoke, strict_describe;
route_handler page_index, page_table;
route_handler own_requests_get, own_requests_delete, own_faults_put, own_faults_get,
    own_faults_delete, own_tables_get;

#endif
