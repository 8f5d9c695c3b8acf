/* ddl: what the files of CREATE, ALTER and DROP share. Functions that can fail fill
 * compiler->err and return false. */
#ifndef BQLOCAL_SQL_RUN_DDL_H
#define BQLOCAL_SQL_RUN_DDL_H

#include "bqlocal/sql/compile/compile.h"

/* ddl_resource.c */
/* Sets a key, or removes it for NULL. */
void sql_put_text(cJSON *resource, const char *key, const char *text);
void sql_put_names(cJSON *parent, const char *key, const struct sql_names *names);
/* An object under a key, made if it is not there; borrowed. */
cJSON *sql_get_or_add(cJSON *resource, const char *key);
/* Runs a constant expression and gives back its value, converted to type, as SQLite's text; NULL
 * for NULL. */
bool sql_evaluate(
    struct sql_compiler *compiler, const struct sql_expr *expr, int type, const char **out_text);
/* OPTIONS(...) of a table and of a column. */
bool sql_put_options(
    struct sql_compiler *compiler, const struct sql_options *options, cJSON *resource);
bool sql_put_column_options(
    struct sql_compiler *compiler, const struct sql_options *options, cJSON *field);
void sql_put_type(struct sql_compiler *compiler, const struct sql_column *column, cJSON *field);
bool sql_add_column(struct sql_compiler *compiler, const struct sql_column *column, cJSON *fields);
/* The field of that name in any case, borrowed, or NULL. */
cJSON *sql_find_field(cJSON *fields, const char *name);
bool sql_put_partition(struct sql_compiler *compiler, const struct sql_expr *expr, cJSON *resource);
void sql_put_primary_key(cJSON *resource, const struct sql_names *columns);

/* ddl.c */
bool sql_table_exists(struct sql_compiler *compiler, const char *dataset, const char *table);
void sql_set_target(struct sql_statement *out, const char *dataset, const char *table);

/* Whether the target is there and a "TABLE", or a "VIEW". */
bool sql_check_type(
    struct sql_compiler *compiler, const struct sql_statement *target, const char *type);
/* What the statement does to what is or is not there: CREATE, REPLACE or SKIP; DROP or SKIP. */
void sql_set_operation(const struct sql_node *node, bool exists, struct sql_statement *out);
/* The columns that the query of a CREATE gives where none are written down, all NULLABLE. */
bool sql_put_query_columns(
    struct sql_compiler *compiler, const struct sql_node *node, const struct sql_output *output,
    cJSON *fields);

/* ddl_view.c */
bool sql_run_create_view(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out);
bool sql_run_create_table_function(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out);
bool sql_run_drop_table_function(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out);

bool sql_run_alter(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out);

#endif
