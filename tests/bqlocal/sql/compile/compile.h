/* sql_compile: syntax tree to typed SQLite SQL. Every expression becomes a text of SQL and a type;
 * names are looked up in scopes, one for each FROM clause. Functions fill compiler->err and return
 * false on failure. scope.c knows names, parameter.c query parameters, type.c types and literals;
 * expr.c, operator.c and predicate.c translate expressions, call.c, call_aggregate.c and function.c
 * calls, query.c, select.c and from.c queries, stored.c those of views and table functions. */
#ifndef BQLOCAL_SQL_COMPILE_COMPILE_H
#define BQLOCAL_SQL_COMPILE_COMPILE_H

#include "bqlocal/sql/parse/arena.h"
#include "bqlocal/sql/parse/ast.h"
#include "bqlocal/sql/parse/lex.h"
#include "bqlocal/sql/run/sql.h"

#include "base/buffer.h"
#include "base/slice.h"

/* A type is an enum store_type, or this one of an untyped NULL. */
enum { SQL_TYPE_NULL = 100 };

/* A translated expression. A literal's text may still become another type. */
struct sql_value {
    const char *sql;
    int type;
    bool literal;     /* a literal or a parameter: strings coerce to dates and the like */
    const char *text; /* of a literal STRING, INT64 or FLOAT64 */
    size_t length;
};

struct sql_field {
    const char *name; /* "" for an expression without alias */
    int type;
    const char *sql; /* how to refer to it */
};

struct sql_range {
    const char *alias; /* "" if none */
    struct sql_field *fields;
    size_t count;
    cJSON *scan; /* of a table: what is noted of its conditions (filter.c), borrowed; else NULL */
};

/* What GROUP BY leaves visible. */
struct sql_grouping {
    const struct sql_expr **exprs;
    struct sql_value *values;
    size_t count;
};

struct sql_scope {
    struct sql_scope *parent;
    struct sql_range *ranges;
    size_t range_count;
    const struct sql_select *aliases; /* SELECT aliases that names may mean; NULL: none */
    const struct sql_grouping *grouping;
    const struct sql_grouping *distinct; /* values that ORDER BY may name; NULL: any */
    bool in_aggregate;
    const char *no_aggregates; /* the clause that allows none; NULL: allowed */
    bool no_windows;
};

struct sql_cte {
    const struct sql_cte *next;
    const char *name;
    struct sql_field *fields;
    size_t count;
    const char *sql;
};

/* What a table function is called with: its parameters, with the SQL of their values. */
struct sql_arguments {
    struct sql_field *items;
    size_t count;
};

/* Counts the names that resolve in one scope, and in those around it. */
struct sql_probe {
    const struct sql_scope *scope;
    size_t inner;
    size_t outer;
};

struct sql_compiler {
    struct sql_arena *arena;
    struct store *store;
    const struct sql_request *request;
    struct sql_result *result; /* takes note of tables and of the location; NULL: nobody asks */
    struct error *err;
    struct sql_scope *scope; /* innermost */
    struct sql_probe *probe; /* NULL: nobody counts */
    const struct sql_cte *ctes;
    const struct sql_arguments *arguments; /* of the table function whose query this is, or NULL */
    int stored_depth;                      /* of views and table functions in one another */
    int next_alias;
    const char *bad_literal; /* what sql_coerce found wrong with a literal, for sql_mismatch */
    int64_t now_us;          /* CURRENT_TIMESTAMP of the whole script */
};

/* A translated query: sql selects columns c0, c1, ... */
struct sql_output {
    const char *sql;
    struct sql_field *fields; /* name and type */
    size_t count;
};

/* type.c */
const char *sql_type_name(int type);
const char *sql_quote_text(struct sql_arena *arena, const char *text, size_t length);
const char *sql_quote_bytes(struct sql_arena *arena, const char *bytes, size_t length);
const char *sql_quote_name(struct sql_arena *arena, const char *name);
/* The literal of a type written as text; false if the text is not one. */
bool sql_literal(
    struct sql_compiler *compiler, enum store_type type, const char *text, size_t length,
    struct sql_value *out);
/* Converts where GoogleSQL converts implicitly. Elsewhere false without an error, which the caller
 * reports with sql_mismatch. */
bool sql_coerce(
    struct sql_compiler *compiler, const struct sql_value *value, int type, struct sql_value *out);
/* Reports a coercion that failed: the given message, or what was wrong with the literal. */
bool sql_mismatch(struct sql_compiler *compiler, const struct sql_expr *at, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The type that both convert to; false if there is none. */
bool sql_common_type(const struct sql_value *a, const struct sql_value *b, int *out_type);
bool sql_common_type_of(const struct sql_value *values, size_t count, int *out_type);
const char *sql_cast(struct sql_compiler *compiler, const char *sql, int from, int to, bool safe);
/* Whether values of the type can be compared, sorted and grouped; those that cannot have no casts
 * either. */
bool sql_compares(int type);

bool sql_cast_allowed(int from, int to);
/* The SQL that sorts as values of this type do. */
const char *sql_sort_key(struct sql_compiler *compiler, const struct sql_value *value);

/* scope.c */
/* notFound unless the dataset is one of this project (NULL: none is named) and, if it exists, at
 * the request's location. */
bool sql_check_dataset(struct sql_compiler *compiler, const char *project, const char *dataset);
bool sql_resolve_table(
    struct sql_compiler *compiler, const struct sql_names *path, struct sql_place place,
    const char **out_dataset, const char **out_table);
/* The range of a table of the store under an alias of SQLite's side. */
bool sql_table_range(
    struct sql_compiler *compiler, const char *dataset, const char *table, const char *alias,
    const char *sqlite_alias, struct sql_range *out);
bool sql_resolve_path(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
/* INFORMATION_SCHEMA.TABLES and COLUMNS; *out_found false for any other path. */
bool sql_information_schema(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_output *out,
    bool *out_found);

/* The argument of a table function that a path means where it is no column; NULL: none. */
const struct sql_field *sql_find_argument(
    const struct sql_compiler *compiler, const struct sql_names *path);

/* stored.c */
/* A query that is stored, of a view or (arguments not NULL) of a table function: it sees nothing of
 * the statement around it, neither names nor parameters nor the default dataset. */
bool sql_translate_stored(
    struct sql_compiler *compiler, const struct sql_query *query,
    const struct sql_arguments *arguments, struct sql_output *out);
/* The query of a view; *out_found false if the table is none. */
bool sql_translate_view(
    struct sql_compiler *compiler, const char *dataset, const char *table, struct sql_output *out,
    bool *out_found);
/* A call of a table function. */
bool sql_translate_table_function(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_output *out);

/* filter.c */
/* Notes that the statement reads a table; returns where its conditions are noted, borrowed, NULL if
 * nobody asks. alias: of SQLite's side. */
cJSON *sql_note_scan(
    struct sql_compiler *compiler, const char *dataset, const char *table, const char *alias);
/* Notes which parts of a condition that holds for all rows that matter (a WHERE, or the ON of a
 * MERGE) compare a column of a table in the scope with constants. NULL is fine. */
void sql_note_filters(struct sql_compiler *compiler, const struct sql_expr *condition);

/* parameter.c */
/* Whether each name is there once, in any case. */
bool sql_check_parameters(struct sql_compiler *compiler);
bool sql_parameter(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
/* The members of an array literal or parameter. */
bool sql_array(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value **out_values,
    size_t *out_count, int *out_type);
/* The rows of a parameter that is an array of structs, each as "(value,...)". */
struct sql_structs {
    struct sql_field *fields; /* name and type */
    size_t count;
    const char **rows;
    size_t row_count;
};
bool sql_is_struct_array(const struct sql_compiler *compiler, const struct sql_expr *expr);
bool sql_struct_array(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_structs *out);

/* operator.c */
/* The arguments of an operator, of which none may be the word NULL. */
bool sql_translate_operands(
    struct sql_compiler *compiler, const struct sql_expr *expr, const char *op,
    struct sql_value *out_args);
bool sql_translate_binary(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_negation(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);

/* predicate.c */
bool sql_translate_chain(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_not(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_is(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_distinct(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_in(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_between(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_like(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);

/* expr.c */
bool sql_translate(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
/* The same, and it has to be (or convert to) a BOOL; what: "WHERE clause". */
bool sql_translate_bool(
    struct sql_compiler *compiler, const struct sql_expr *expr, const char *what,
    const char **out_sql);
bool sql_same_expr(const struct sql_expr *a, const struct sql_expr *b);
bool sql_compare(
    struct sql_compiler *compiler, const struct sql_expr *at, const char *op,
    const struct sql_value *a, const struct sql_value *b, struct sql_value *out);
bool sql_no_signature(
    struct sql_compiler *compiler, const struct sql_expr *at, const char *what,
    const struct sql_value *args, size_t count);
/* The query of an expression, which must have one column. */
bool sql_translate_scalar_query(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_output *out);
/* Brings the values (results of CASE, IF, COALESCE ...) to their common type. */
bool sql_unify(
    struct sql_compiler *compiler, const struct sql_expr *expr, const char *what,
    struct sql_value *values, size_t count, int *out_type);
bool sql_has_aggregate(const struct sql_expr *expr);
const char *sql_join(
    struct sql_compiler *compiler, const char *separator, const char *const *items, size_t count);

/* call.c */
bool sql_translate_call(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_args(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value **out);
/* "No matching signature" for a call with these arguments; false. */
bool sql_no_match(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct sql_value *args);

/* call_aggregate.c */
bool sql_is_aggregate(const char *name);
bool sql_is_window_function(const char *name);
bool sql_translate_aggregate(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);
bool sql_translate_window_function(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out);

/* function.c: the table of plain functions. */
enum sql_match { SQL_MATCHED, SQL_NO_FUNCTION, SQL_NO_SIGNATURE };
enum sql_match sql_function_find(
    struct sql_compiler *compiler, const char *name, const struct sql_value *args, size_t count,
    struct sql_value *out);

/* select.c */
/* " ORDER BY ..." or "". An integer is a position among the values of a SELECT list, if given. */
bool sql_translate_orders(
    struct sql_compiler *compiler, const struct sql_orders *orders, const struct sql_value *values,
    size_t count, const char **out_sql);
bool sql_translate_select(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *out);

/* query.c */
/* " LIMIT ..." or "". */
bool sql_translate_limit(
    struct sql_compiler *compiler, const struct sql_query *query, const char **out_sql);
bool sql_translate_query(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *out);

/* Makes the columns of a query that is read from be computed once for each of its rows. */
void sql_compute_once(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *output);

/* from.c */
/* A FROM clause: fills the scope and returns the SQL behind FROM. */
bool sql_translate_from(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql);

/* exists.c: EXISTS (query) as a lookup in what the query finds once, *out NULL if it is not of that
 * form. The query has been translated before, so that nothing is wrong with it. */
bool sql_translate_exists(
    struct sql_compiler *compiler, const struct sql_query *query, const char **out);

/* dml.c and merge.c */
struct sql_target {
    const char *dataset;
    const char *table;
    const char *quoted;
    struct store_schema schema; /* the caller clears it */
};

bool sql_target_open(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_target *out);
/* The name of SQLite's row id in this table: one that no column has. */
bool sql_rowid(struct sql_compiler *compiler, const struct sql_target *target, const char **out);
/* A value as a column stores it: converted, checked, and an error if it is NULL and the column
 * REQUIRED. */
bool sql_assign(
    struct sql_compiler *compiler, const struct sql_expr *at, const struct store_field *field,
    const struct sql_value *value, const char **out_sql);
/* The same from an expression. */
bool sql_assign_expr(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct store_field *field,
    const char **out_sql);
bool sql_default(
    struct sql_compiler *compiler, const struct store_field *field, const char **out_sql);
/* Indexes of columns by name, every column if the list is empty. */
bool sql_target_columns(
    struct sql_compiler *compiler, const struct sql_target *target, const struct sql_names *names,
    struct sql_place place, size_t **out_indexes, size_t *out_count);
/* SET a = 1, ... as assignments in SQLite. */
bool sql_translate_sets(
    struct sql_compiler *compiler, const struct sql_target *target, const struct sql_sets *sets,
    const char **out_sql);
/* "INSERT INTO t (columns)" and ", value" for each column left out that must not stay NULL. */
bool sql_insert_head(
    struct sql_compiler *compiler, const struct sql_target *target, const size_t *indexes,
    size_t count, const char **out_head, const char **out_defaults);
bool sql_run_dml(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_statement *out);
bool sql_run_merge(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_target *target,
    struct sql_statement *out);
bool sql_run_ddl(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result,
    struct sql_statement *out);

/* run.c: runs a SQLite statement, whose error becomes an invalidQuery. In a dry run it does
 * nothing. changes: rows changed, may be NULL. */
bool sql_execute(struct sql_compiler *compiler, const char *sql, int64_t *out_changes);
/* The error of a connection, as an invalidQuery; returns false. */
bool sql_sqlite_failed(struct sql_compiler *compiler, sqlite3 *handle);
/* A new name of a table of results, and such a table: a temporary one, which other
 * connections do not wait for. */
char *sql_result_name(struct sql_compiler *compiler);
bool sql_create_result(
    struct sql_compiler *compiler, sqlite3 *handle, const char *table, size_t count);
/* Names of result columns: f0_, f1_ for those without, and no name twice. */
bool sql_name_columns(
    struct sql_compiler *compiler, const struct sql_output *output, struct store_schema *out);
/* Drops the rows of a result and forgets its columns. */
void sql_clear_result_set(struct store *store, struct sql_result *result);
/* Statements in order, up to the first that fails. */
bool sql_run_script(
    struct sql_compiler *compiler, const struct sql_list *nodes, struct sql_result *result);
/* aside.c: one SELECT on the store's reader, and a script on its writer. */
bool sql_run_on_reader(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result);
bool sql_run_on_writer(
    struct sql_compiler *compiler, const struct sql_list *nodes, struct sql_result *result);
/* The first column of the first row. */
bool sql_query_int64(struct sql_compiler *compiler, const char *sql, int64_t *out_number);

#endif
