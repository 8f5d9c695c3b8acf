/* Operators on one and two values: comparison, arithmetic, bits, concatenation. */
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>
#include <string.h>

bool sql_compare(
    struct sql_compiler *compiler, const struct sql_expr *at, const char *op,
    const struct sql_value *a, const struct sql_value *b, struct sql_value *out)
{
    struct sql_value both[2] = {*a, *b};
    char what[48];
    int type = 0;

    snprintf(what, sizeof what, "operator %s", strcmp(op, "<>") == 0 ? "!=" : op);
    if (!sql_common_type(a, b, &type) || !sql_coerce(compiler, a, type, &both[0]) ||
        !sql_coerce(compiler, b, type, &both[1]))
        return sql_no_signature(compiler, at, what, both, 2);
    if (!sql_compares(type))
        return sql_error(
            compiler->err, at->line, at->column, "%s is not defined for arguments of type %s",
            strcmp(op, "=") == 0 || strcmp(op, "<>") == 0 ? "Equality" : "Less than",
            sql_type_name(type));
    out->type = STORE_BOOL;
    if (type == STORE_FLOAT64)
        out->sql = sql_printf(
            compiler->arena, "bq_float_compare('%s',%s,%s)", op, both[0].sql, both[1].sql);
    else if (type == STORE_NUMERIC || type == STORE_BIGNUMERIC)
        out->sql = sql_printf(
            compiler->arena, "(%s %s %s COLLATE bq_decimal)", both[0].sql, op, both[1].sql);
    else
        out->sql = sql_printf(compiler->arena, "(%s %s %s)", both[0].sql, op, both[1].sql);
    return true;
}

static bool is_decimal(int type)
{
    return type == STORE_NUMERIC || type == STORE_BIGNUMERIC;
}

/* + - * / on numbers. */
static bool arithmetic(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    static const struct sql_value real = {.sql = "", .type = STORE_FLOAT64};
    char what[32];
    int type = 0;

    snprintf(what, sizeof what, "operator %s", expr->text);
    bool ok = sql_common_type(&args[0], &args[1], &type);
    if (ok && type == SQL_TYPE_NULL)
        type = STORE_INT64;
    if (ok && expr->text[0] == '/' && type == STORE_INT64)
        type = real.type;
    ok = ok && (type == STORE_INT64 || type == STORE_FLOAT64 || is_decimal(type)) &&
         sql_coerce(compiler, &args[0], type, &args[0]) &&
         sql_coerce(compiler, &args[1], type, &args[1]);
    if (!ok)
        return sql_no_signature(compiler, expr, what, args, 2);
    out->type = type;
    out->sql = sql_printf(
        compiler->arena, "bq_%s('%s',%s,%s)",
        type == STORE_INT64     ? "int"
        : type == STORE_FLOAT64 ? "float"
        : type == STORE_NUMERIC ? "numeric"
                                : "bignumeric",
        expr->text, args[0].sql, args[1].sql);
    return true;
}

/* DATE + INT64, and things with an INTERVAL. */
static bool date_arithmetic(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out,
    bool *out_done)
{
    const struct sql_expr *left = expr->args.items[0];
    const struct sql_expr *right = expr->args.items[1];
    struct sql_value value = {0};
    struct sql_value amount = {0};

    *out_done = right->kind == SQL_EXPR_INTERVAL && strchr("+-", expr->text[0]) != NULL;
    if (!*out_done)
        return true;
    if (!sql_translate(compiler, left, &value) ||
        !sql_translate(compiler, right->args.items[0], &amount))
        return false;
    if (amount.type != STORE_INT64 || value.type < STORE_DATE || value.type > STORE_TIMESTAMP)
        return sql_no_signature(compiler, expr, "operator +", &value, 1);
    *out = (struct sql_value){.type = value.type};
    // DATE and an interval of whole days, as in DATE_ADD.
    out->sql = sql_printf(
        compiler->arena, "bq_time_add(%d,%s,%s(%s),'%s')", value.type, value.sql,
        expr->text[0] == '-' ? "-" : "", amount.sql, right->text);
    return true;
}

static bool date_plus_days(const struct sql_expr *expr, const struct sql_value *args)
{
    return args[0].type == STORE_DATE && args[1].type == STORE_INT64 &&
           (expr->text[0] == '+' || expr->text[0] == '-');
}

static bool bit_operator(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    char what[32];

    snprintf(what, sizeof what, "operator %s", expr->text);
    for (size_t i = 0; i < 2; i++)
        if (!sql_coerce(compiler, &args[i], STORE_INT64, &args[i]))
            return sql_no_signature(compiler, expr, what, args, 2);
    out->type = STORE_INT64;
    if (strcmp(expr->text, "&") == 0 || strcmp(expr->text, "|") == 0)
        out->sql = sql_printf(compiler->arena, "(%s %s %s)", args[0].sql, expr->text, args[1].sql);
    else
        out->sql =
            sql_printf(compiler->arena, "bq_int('%s',%s,%s)", expr->text, args[0].sql, args[1].sql);
    return true;
}

static bool concatenation(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    bool bytes = args[0].type == STORE_BYTES || args[1].type == STORE_BYTES;
    int type = bytes ? STORE_BYTES : STORE_STRING;

    for (size_t i = 0; i < 2; i++)
        if (!sql_coerce(compiler, &args[i], type, &args[i]))
            return sql_no_signature(compiler, expr, "operator ||", args, 2);
    out->type = type;
    out->sql = sql_printf(
        compiler->arena, bytes ? "bq_concat(%s,%s)" : "(%s || %s)", args[0].sql, args[1].sql);
    return true;
}

bool sql_translate_binary(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value args[2] = {0};
    bool done = false;

    if (!date_arithmetic(compiler, expr, out, &done))
        return false;
    if (done)
        return true;
    for (size_t i = 0; i < 2; i++)
        if (!sql_translate(compiler, expr->args.items[i], &args[i]))
            return false;
    if (strchr("=<>!", expr->text[0]) != NULL && strcmp(expr->text, "<<") != 0 &&
        strcmp(expr->text, ">>") != 0) {
        const char *op = strcmp(expr->text, "!=") == 0 ? "<>" : expr->text;
        return sql_compare(compiler, expr, op, &args[0], &args[1], out);
    }
    if (strcmp(expr->text, "||") == 0)
        return concatenation(compiler, expr, args, out);
    if (date_plus_days(expr, args)) {
        out->type = STORE_DATE;
        out->sql = sql_printf(
            compiler->arena, "bq_time_add(%d,%s,%s(%s),'DAY')", STORE_DATE, args[0].sql,
            expr->text[0] == '-' ? "-" : "", args[1].sql);
        return true;
    }
    if (strchr("+-*/", expr->text[0]) != NULL)
        return arithmetic(compiler, expr, args, out);
    return bit_operator(compiler, expr, args, out);
}

bool sql_translate_unary(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value value = {0};
    char what[32];

    snprintf(what, sizeof what, "operator %s", expr->text);
    if (!sql_translate(compiler, expr->args.items[0], &value))
        return false;
    if (value.type == SQL_TYPE_NULL)
        value.type = STORE_INT64;
    out->type = value.type;
    if (expr->text[0] == '~' && value.type == STORE_INT64) {
        out->sql = sql_printf(compiler->arena, "(~%s)", value.sql);
        return true;
    }
    bool number =
        value.type == STORE_INT64 || value.type == STORE_FLOAT64 || is_decimal(value.type);
    if (expr->text[0] == '~' || !number)
        return sql_no_signature(compiler, expr, what, &value, 1);
    if (expr->text[0] == '+')
        out->sql = value.sql;
    else if (value.type == STORE_FLOAT64)
        out->sql = sql_printf(compiler->arena, "bq_float('*',-1.0,%s)", value.sql);
    else
        out->sql = sql_printf(
            compiler->arena, "bq_%s('-',0,%s)",
            value.type == STORE_INT64     ? "int"
            : value.type == STORE_NUMERIC ? "numeric"
                                          : "bignumeric",
            value.sql);
    return true;
}
