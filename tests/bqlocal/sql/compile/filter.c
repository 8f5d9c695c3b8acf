/* Which conditions on a table compare one of its columns with constants: BigQuery reads less of the
 * table by them ("Querying clustered tables", "Query partitioned tables"). The bill asks. */
#include "bqlocal/sql/compile/compile.h"

#include <string.h>
#include <strings.h>

cJSON *sql_note_scan(
    struct sql_compiler *compiler, const char *dataset, const char *table, const char *alias)
{
    if (compiler->result == NULL)
        return NULL;
    cJSON *scan = cJSON_CreateObject();
    cJSON_AddNumberToObject(scan, "statement", (double)compiler->result->statement_count);
    cJSON_AddStringToObject(scan, "dataset", dataset);
    cJSON_AddStringToObject(scan, "table", table);
    cJSON_AddStringToObject(scan, "alias", alias);
    cJSON_AddArrayToObject(scan, "filters");
    cJSON_AddItemToArray(compiler->result->scans, scan);
    return scan;
}

static bool is_constant(const struct sql_expr *expr)
{
    switch (expr->kind) {
    case SQL_EXPR_INT:
    case SQL_EXPR_FLOAT:
    case SQL_EXPR_STRING:
    case SQL_EXPR_BOOL:
    case SQL_EXPR_TYPED:
    case SQL_EXPR_PARAMETER:
        return true;
    case SQL_EXPR_NEGATE:
        return is_constant(expr->args.items[0]);
    default:
        return false;
    }
}

/* The range that a path names a column of, NULL if there is none, or more than one. */
static const struct sql_range *range_of(const struct sql_scope *scope, const struct sql_names *path)
{
    const char *name = path->items[path->count - 1];
    const struct sql_range *found = NULL;

    for (size_t i = 0; i < scope->range_count; i++) {
        const struct sql_range *range = &scope->ranges[i];
        if (path->count > 1 && strcasecmp(range->alias, path->items[path->count - 2]) != 0)
            continue;
        for (size_t k = 0; k < range->count; k++) {
            if (strcasecmp(range->fields[k].name, name) != 0)
                continue;
            if (found != NULL)
                return NULL;
            found = range;
        }
    }
    return found;
}

/* The column that a condition compares with constants alone, else NULL. */
static const struct sql_expr *compared_column(
    const struct sql_compiler *compiler, const struct sql_expr *expr)
{
    static const char *const operators[] = {"=", "<", "<=", ">", ">="};
    const struct sql_expr *column = NULL;
    bool compares = expr->kind == SQL_EXPR_BETWEEN && !expr->negated;

    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        compares =
            compares || (expr->kind == SQL_EXPR_BINARY && strcmp(expr->text, operators[i]) == 0);
    for (size_t i = 0; compares && i < expr->args.count; i++) {
        const struct sql_expr *arg = expr->args.items[i];
        bool argument = arg->kind == SQL_EXPR_PATH &&
                        sql_find_argument(compiler, &arg->path) != NULL &&
                        range_of(compiler->scope, &arg->path) == NULL;
        if (is_constant(arg) || argument)
            continue;
        if (arg->kind != SQL_EXPR_PATH || column != NULL)
            return NULL;
        column = arg;
    }
    return column;
}

static void note(struct sql_compiler *compiler, const struct sql_expr *expr)
{
    const struct sql_expr *column = compared_column(compiler, expr);
    struct error *err = compiler->err;
    struct error ignored = {0};
    struct sql_value value = {0};

    if (column == NULL)
        return;
    const struct sql_range *range = range_of(compiler->scope, &column->path);
    if (range == NULL || range->scan == NULL)
        return;
    compiler->err = &ignored;
    bool ok = sql_translate(compiler, expr, &value);
    compiler->err = err;
    if (!ok)
        return;
    cJSON *filter = cJSON_CreateObject();
    cJSON_AddStringToObject(filter, "column", column->path.items[column->path.count - 1]);
    cJSON_AddStringToObject(filter, "sql", value.sql);
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(range->scan, "filters"), filter);
}

void sql_note_filters(struct sql_compiler *compiler, const struct sql_expr *condition)
{
    if (condition == NULL || compiler->result == NULL)
        return;
    if (condition->kind != SQL_EXPR_AND) {
        note(compiler, condition);
        return;
    }
    for (size_t i = 0; i < condition->args.count; i++)
        sql_note_filters(compiler, condition->args.items[i]);
}
