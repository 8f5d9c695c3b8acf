/* Operators on one and two values: comparison, arithmetic, concatenation. */
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
            compiler->err, at->place,
            strcmp(op, "=") == 0 || strcmp(op, "<>") == 0
                ? "Equality is not defined for arguments of type JSON"
                : "Less than is not defined for arguments of type JSON");
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

/* Which of bq_int, bq_float ... computes with a type; NULL if it is not a number. */
static const char *arithmetic_name(int type)
{
    return type == STORE_INT64        ? "int"
           : type == STORE_FLOAT64    ? "float"
           : type == STORE_NUMERIC    ? "numeric"
           : type == STORE_BIGNUMERIC ? "bignumeric"
                                      : NULL;
}

/* + - * / on numbers. */
static bool arithmetic(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    char what[32];
    int type = 0;

    snprintf(what, sizeof what, "operator %s", expr->text);
    bool ok = sql_common_type(&args[0], &args[1], &type);
    if (ok && type == SQL_TYPE_NULL)
        type = STORE_INT64;
    if (ok && expr->text[0] == '/' && type == STORE_INT64)
        type = STORE_FLOAT64;
    if (args[0].type >= STORE_DATE && args[0].type <= STORE_TIMESTAMP)
        return sql_error(
            compiler->err, expr->place,
            "bqlocal does not have the operator %s on dates and times: write DATE_ADD, DATE_DIFF",
            expr->text);
    ok = ok && arithmetic_name(type) != NULL && sql_coerce(compiler, &args[0], type, &args[0]) &&
         sql_coerce(compiler, &args[1], type, &args[1]);
    if (!ok)
        return sql_no_signature(compiler, expr, what, args, 2);
    out->type = type;
    out->sql = sql_printf(
        compiler->arena, "bq_%s('%s',%s,%s)", arithmetic_name(type), expr->text, args[0].sql,
        args[1].sql);
    return true;
}

static bool concatenation(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    for (size_t i = 0; i < 2; i++)
        if (!sql_coerce(compiler, &args[i], STORE_STRING, &args[i]))
            return sql_no_signature(compiler, expr, "operator ||", args, 2);
    out->type = STORE_STRING;
    out->sql = sql_printf(compiler->arena, "(%s || %s)", args[0].sql, args[1].sql);
    return true;
}

bool sql_translate_operands(
    struct sql_compiler *compiler, const struct sql_expr *expr, const char *op,
    struct sql_value *out_args)
{
    for (size_t i = 0; i < expr->args.count; i++) {
        const struct sql_expr *operand = expr->args.items[i];
        if (operand->kind == SQL_EXPR_NULL)
            return sql_error(
                compiler->err, operand->place, "Operands of %s cannot be literal NULL", op);
        if (!sql_translate(compiler, operand, &out_args[i]))
            return false;
    }
    return true;
}

bool sql_translate_binary(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value args[2] = {0};

    if (!sql_translate_operands(compiler, expr, expr->text, args))
        return false;
    if (strchr("=<>!", expr->text[0]) != NULL) {
        const char *op = strcmp(expr->text, "!=") == 0 ? "<>" : expr->text;
        return sql_compare(compiler, expr, op, &args[0], &args[1], out);
    }
    if (strcmp(expr->text, "||") == 0)
        return concatenation(compiler, expr, args, out);
    return arithmetic(compiler, expr, args, out);
}

bool sql_translate_negation(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value value = {0};

    if (!sql_translate_operands(compiler, expr, "-", &value))
        return false;
    const char *kind = value.type == SQL_TYPE_NULL ? "int" : arithmetic_name(value.type);
    if (kind == NULL)
        return sql_no_signature(compiler, expr, "operator -", &value, 1);
    out->type = value.type == SQL_TYPE_NULL ? STORE_INT64 : value.type;
    // A FLOAT64 is multiplied by -1: 0 - 0.0 would lose the sign of -0.0.
    out->sql = sql_printf(
        compiler->arena, value.type == STORE_FLOAT64 ? "bq_%s('*',-1.0,%s)" : "bq_%s('-',0,%s)",
        kind, value.sql);
    return true;
}
