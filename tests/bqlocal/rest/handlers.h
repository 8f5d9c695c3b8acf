/* handlers: what answers BigQuery's routes and bqlocal's own. Each is one row of the route table;
 * those of media uploads are in uploads.h, those of tokens in auth/strict.h. */
#ifndef BQLOCAL_REST_HANDLERS_H
#define BQLOCAL_REST_HANDLERS_H

#include "bqlocal/http/exchange.h"

/* projects.c */
request_handler rest_project_list, rest_service_account;
/* datasets.c */
request_handler rest_dataset_list, rest_dataset_insert, rest_dataset_get, rest_dataset_patch,
    rest_dataset_delete;
/* tables.c */
request_handler rest_table_list, rest_table_insert, rest_table_get, rest_table_patch,
    rest_table_update, rest_table_delete, rest_table_permissions;
/* table_data.c */
request_handler rest_rows_list;
/* routines.c */
request_handler rest_routine_list, rest_routine_get, rest_routine_delete;
/* absent.c: features that bqlocal does not have: their lists are empty */
request_handler rest_absent_list, rest_policy_list, rest_absent;
/* jobs.c */
request_handler rest_job_list, rest_job_insert, rest_job_get, rest_job_cancel, rest_job_delete;
/* queries.c */
request_handler rest_query, rest_query_results;
/* browse.c: pages of HTML */
request_handler rest_browse, rest_browse_table;
/* browse_query.c */
request_handler rest_browse_query;
/* control.c: /bqlocal/... */
request_handler rest_own_requests_get, rest_own_requests_delete, rest_own_faults_put,
    rest_own_faults_get, rest_own_faults_delete, rest_own_tables_get, rest_own_properties_get;

#endif
