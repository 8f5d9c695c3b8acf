/* sql_ast: the syntax tree of GoogleSQL, as parsed: names are not resolved, types not known. Every
 * node lives in the arena of its run. */
#ifndef BQLOCAL_SQL_PARSE_AST_H
#define BQLOCAL_SQL_PARSE_AST_H

#include "bqlocal/sql/parse/arena.h"
#include "bqlocal/sql/parse/lex.h"
#include "bqlocal/store/store.h"

#include <stdbool.h>
#include <stddef.h>

struct sql_query;

enum sql_expr_kind {
    SQL_EXPR_NULL,
    SQL_EXPR_INT,
    SQL_EXPR_FLOAT,
    SQL_EXPR_STRING,
    SQL_EXPR_BYTES,
    SQL_EXPR_BOOL,      /* negated: FALSE */
    SQL_EXPR_TYPED,     /* DATE '...': type and text */
    SQL_EXPR_PARAMETER, /* text: its name, NULL if positional; index */
    SQL_EXPR_PATH,      /* a, a.b, a.b.c */
    SQL_EXPR_STAR,      /* the * of COUNT(*) */
    SQL_EXPR_NEGATE,
    SQL_EXPR_BINARY, /* text: the operator */
    SQL_EXPR_AND,    /* two or more arguments */
    SQL_EXPR_OR,
    SQL_EXPR_NOT,
    SQL_EXPR_IS_NULL, /* these may be negated */
    SQL_EXPR_IS_TRUE,
    SQL_EXPR_IS_FALSE,
    SQL_EXPR_IS_DISTINCT, /* IS DISTINCT FROM */
    SQL_EXPR_IN,          /* argument 0 IN the others, IN query, or IN UNNEST(argument 1) */
    SQL_EXPR_BETWEEN,
    SQL_EXPR_LIKE,
    SQL_EXPR_CASE, /* has_operand, then pairs, then the else part if has_else */
    SQL_EXPR_CAST, /* to type; safe */
    SQL_EXPR_CALL, /* text: name in upper case */
    SQL_EXPR_EXTRACT,
    SQL_EXPR_SUBQUERY,
    SQL_EXPR_EXISTS,
    SQL_EXPR_ARRAY,
    SQL_EXPR_STRUCT,   /* (a, b) */
    SQL_EXPR_INTERVAL, /* text: the part */
};

struct sql_order {
    struct sql_expr *expr;
    bool descending;
    bool nulls_given;
    bool nulls_first;
};

struct sql_orders {
    struct sql_order *items;
    size_t count;
};

struct sql_exprs {
    struct sql_expr **items;
    size_t count;
};

struct sql_names {
    const char **items;
    size_t count;
};

struct sql_window {
    struct sql_exprs partition;
    struct sql_orders order;
};

struct sql_expr {
    enum sql_expr_kind kind;
    struct sql_place place;
    const char *text;
    size_t length;
    struct sql_names path;
    struct sql_exprs args;
    const char *named; /* a call's last argument is given by this name, in capitals */
    size_t index;
    enum store_type type;
    bool negated;
    bool distinct;
    bool has_operand; /* CASE x, IN UNNEST(x), ARRAY<type>: see kind */
    bool has_else;
    bool safe;
    struct sql_query *query;
    struct sql_window *window;
};

struct sql_item {
    struct sql_expr *expr; /* NULL for a star */
    const char *alias;
    const char *star_of; /* t.*; NULL for a bare star */
    struct sql_names except;
    struct sql_place place;
};

enum sql_from_kind {
    SQL_FROM_TABLE,
    SQL_FROM_FUNCTION, /* path, called with args */
    SQL_FROM_QUERY,
    SQL_FROM_UNNEST,
    SQL_FROM_JOIN,
};
enum sql_join_kind { SQL_JOIN_CROSS, SQL_JOIN_INNER, SQL_JOIN_LEFT, SQL_JOIN_RIGHT, SQL_JOIN_FULL };

struct sql_from {
    enum sql_from_kind kind;
    struct sql_place place;
    struct sql_names path;
    struct sql_exprs args;
    const char *alias;
    struct sql_query *query;
    struct sql_expr *expr; /* the array */
    enum sql_join_kind join;
    struct sql_from *left;
    struct sql_from *right;
    struct sql_expr *on;
};

struct sql_select {
    bool distinct;
    struct sql_item *items;
    size_t item_count;
    struct sql_from *from;
    struct sql_expr *where;
    struct sql_exprs group;
    struct sql_expr *having;
    struct sql_expr *qualify;
};

struct sql_with {
    const char *name;
    struct sql_query *query;
};

/* Either a SELECT, or set_operation over left and right, or (both NULL) the query in left alone. */
struct sql_query {
    struct sql_place place;
    struct sql_with *with;
    size_t with_count;
    struct sql_select *select;
    const char *set_operation; /* "UNION ALL", "UNION" */
    struct sql_query *left;
    struct sql_query *right;
    struct sql_orders order;
    struct sql_expr *limit;
    struct sql_expr *offset;
};

enum sql_statement_kind {
    SQL_QUERY,
    SQL_INSERT,
    SQL_UPDATE,
    SQL_DELETE,
    SQL_MERGE,
    SQL_TRUNCATE,
    SQL_CREATE_TABLE, /* the first of the DDL */
    SQL_CREATE_VIEW,
    SQL_CREATE_TABLE_FUNCTION,
    SQL_ALTER_TABLE,
    SQL_DROP_VIEW,
    SQL_DROP_TABLE_FUNCTION,
    SQL_DROP_TABLE, /* the last */
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
};

struct sql_set {
    const char *column;
    struct sql_expr *expr;
    struct sql_place place;
};

struct sql_sets {
    struct sql_set *items;
    size_t count;
};

struct sql_row {
    struct sql_exprs values;
    struct sql_place place;
};

enum sql_when_kind { SQL_WHEN_MATCHED, SQL_WHEN_NOT_MATCHED, SQL_WHEN_NOT_MATCHED_BY_SOURCE };
enum sql_action { SQL_ACTION_UPDATE, SQL_ACTION_DELETE, SQL_ACTION_INSERT };

struct sql_when {
    enum sql_when_kind kind;
    enum sql_action action;
    struct sql_expr *condition; /* NULL: always */
    struct sql_sets sets;
    struct sql_names columns; /* empty: all of the target's */
    struct sql_exprs values;
    struct sql_place place;
};

struct sql_option {
    const char *name;
    struct sql_expr *value;
};

struct sql_options {
    struct sql_option *items;
    size_t count;
};

struct sql_column {
    const char *name;
    enum store_type type;
    int64_t length; /* STRING(n), BYTES(n), precision; 0 if not given */
    int64_t scale;
    bool required;
    bool if_not_exists;
    const char *default_sql;
    struct sql_expr *default_expr;
    struct sql_options options;
    bool has_primary_key;
    struct sql_place place;
};

enum sql_alter_kind {
    SQL_ADD_COLUMN,
    SQL_DROP_COLUMN,
    SQL_COLUMN_DROP_NOT_NULL,
    SQL_COLUMN_SET_TYPE,
    SQL_COLUMN_SET_OPTIONS,
    SQL_SET_OPTIONS,
};

struct sql_alter {
    enum sql_alter_kind kind;
    struct sql_column column;
    bool if_exists;
    struct sql_options options;
    struct sql_place place;
};

struct sql_node {
    enum sql_statement_kind kind;
    struct sql_place place;
    size_t start; /* offsets of the statement in the text */
    size_t end;
    struct sql_query *query; /* SELECT, INSERT ... SELECT, CREATE ... AS */
    const char *query_text;  /* of a view or a table function, as it was written */
    struct sql_names path;   /* the target */
    const char *alias;
    struct sql_names columns;
    struct sql_row *rows;
    size_t row_count;
    struct sql_sets sets;
    struct sql_from *from; /* MERGE ... USING */
    struct sql_expr *where;
    struct sql_expr *on;
    struct sql_when *whens;
    size_t when_count;
    bool or_replace;
    bool if_exists;             /* IF EXISTS, or IF NOT EXISTS of a CREATE */
    struct sql_column *defined; /* columns; the parameters of a table function */
    size_t defined_count;
    struct sql_names primary_key;
    bool has_primary_key;
    struct sql_expr *partition;
    struct sql_names cluster;
    bool has_cluster;
    struct sql_options options;
    struct sql_alter *alters;
    size_t alter_count;
};

#endif
