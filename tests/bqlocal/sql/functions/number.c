/* Numbers: arithmetic that fails where BigQuery's does; SQLite's would give NULL or REAL. */
#include "bqlocal/sql/functions/decimal.h"
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* % and the division that rounds down. */
static bool divide_int(const char *op, int64_t a, int64_t b, int64_t *out)
{
    bool remainder = strcmp(op, "%") == 0;

    if (b == -1) {
        *out = 0;
        return remainder || !__builtin_sub_overflow(0, a, out);
    }
    *out = remainder ? a % b : a / b - (a % b != 0 && (a < 0) != (b < 0));
    return true;
}

/* bq_int(operator, a, b) */
static void bq_int(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *op = (const char *)sqlite3_value_text(args[0]);
    int64_t a = sqlite3_value_int64(args[1]);
    int64_t b = sqlite3_value_int64(args[2]);
    int64_t result = 0;
    bool ok = true;

    if (sql_result_null_if_any(context, count, args))
        return;
    if (strcmp(op, "+") == 0) {
        ok = !__builtin_add_overflow(a, b, &result);
    } else if (strcmp(op, "-") == 0) {
        ok = !__builtin_sub_overflow(a, b, &result);
    } else if (strcmp(op, "*") == 0) {
        ok = !__builtin_mul_overflow(a, b, &result);
    } else if (strcmp(op, "abs") == 0) {
        ok = a != INT64_MIN;
        result = a < 0 && ok ? -a : a;
    } else if (b == 0) {
        sql_result_error(context, "division by zero: %lld %s 0", (long long)a, op);
        return;
    } else {
        ok = divide_int(op, a, b, &result);
    }
    if (ok)
        sqlite3_result_int64(context, result);
    else
        sql_result_error(context, "int64 overflow: %lld %s %lld", (long long)a, op, (long long)b);
}

static double float_result(const char *op, double a, double b)
{
    if (strcmp(op, "+") == 0)
        return a + b;
    if (strcmp(op, "-") == 0)
        return a - b;
    if (strcmp(op, "*") == 0)
        return a * b;
    return strcmp(op, "abs") == 0 ? fabs(a) : a / b;
}

/* bq_float(operator, a, b) */
static void bq_float(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *op = (const char *)sqlite3_value_text(args[0]);
    double a = sql_arg_double(args[1]);
    double b = sql_arg_double(args[2]);

    if (sql_result_null_if_any(context, count, args))
        return;
    if (b == 0 && strcmp(op, "/") == 0) {
        sql_result_error(context, "division by zero: %g / 0", a);
        return;
    }
    double result = float_result(op, a, b);
    if (isinf(result) && isfinite(a) && isfinite(b))
        sql_result_error(context, "double overflow: %g %s %g", a, op, b);
    else
        sql_result_double(context, result);
}

/* bq_float_compare(operator, a, b): NaN compares false, and differs from everything. */
static void bq_float_compare(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *op = (const char *)sqlite3_value_text(args[0]);
    double a = sql_arg_double(args[1]);
    double b = sql_arg_double(args[2]);

    if (sql_result_null_if_any(context, count, args))
        return;
    bool result = strcmp(op, "=") == 0    ? a == b
                  : strcmp(op, "<>") == 0 ? a != b
                  : strcmp(op, "<") == 0  ? a < b
                  : strcmp(op, "<=") == 0 ? a <= b
                  : strcmp(op, ">") == 0  ? a > b
                                          : a >= b;
    sqlite3_result_int(context, result);
}

/* bq_float_key(x): sorts NaN in front of all numbers. */
static void bq_float_key(sqlite3_context *context, int count, sqlite3_value **args)
{
    double number = sql_arg_double(args[0]);

    if (sql_result_null_if_any(context, count, args))
        return;
    if (isnan(number))
        number = -HUGE_VAL;
    else if (isinf(number) && number < 0)
        number = -1.7976931348623157e308;
    sqlite3_result_double(context, number);
}

/* bq_float_needle(x): x, or for NaN a value that no FLOAT64 equals, NaN included. */
static void bq_float_needle(sqlite3_context *context, int count, sqlite3_value **args)
{
    (void)count;
    if (sqlite3_value_type(args[0]) == SQLITE_TEXT)
        sqlite3_result_blob(context, "", 0, SQLITE_STATIC);
    else
        sqlite3_result_value(context, args[0]);
}

/* a op b, where a and b are values times 10^38. *scale: the result is a value times 10^scale. */
static bool decimal_compute(
    const char *op, const BIGNUM *a, const BIGNUM *b, BIGNUM *result, int *scale)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *one = sql_decimal_read(slice_of("1"));
    bool ok = context != NULL && one != NULL;

    *scale = op[0] == '*' || op[0] == '/' ? 2 * SQL_DECIMAL_SCALE : SQL_DECIMAL_SCALE;
    if (op[0] == '+')
        ok = ok && BN_add(result, a, b);
    else if (op[0] == '-')
        ok = ok && BN_sub(result, a, b);
    else if (op[0] == '*')
        ok = ok && BN_mul(result, a, b, context);
    else // at twice the scale, so that the last digit kept is rounded from enough of them
        ok = ok && BN_mul(result, a, one, context) && BN_mul(result, result, one, context) &&
             BN_div(result, NULL, result, b, context);
    BN_free(one);
    BN_CTX_free(context);
    return ok;
}

/* bq_numeric(operator, a, b), bq_bignumeric: the user data says which. */
static void bq_decimal(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *op = (const char *)sqlite3_value_text(args[0]);
    bool big = sqlite3_user_data(context) != NULL;
    char out[VALUE_TEXT_SIZE];

    if (sql_result_null_if_any(context, count, args))
        return;
    BIGNUM *a = sql_decimal_read(sql_arg_slice(args[1]));
    BIGNUM *b = sql_decimal_read(sql_arg_slice(args[2]));
    BIGNUM *result = BN_new();
    int scale = 0;
    if (a == NULL || b == NULL || result == NULL)
        sqlite3_result_error_nomem(context);
    else if (op[0] == '/' && BN_is_zero(b))
        sql_result_error(
            context, "division by zero: %s / 0", (const char *)sqlite3_value_text(args[1]));
    else if (
        decimal_compute(op, a, b, result, &scale) &&
        sql_decimal_write(result, scale, big, SQL_DECIMAL_ALL, out))
        sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
    else
        sql_result_error(
            context, "%s overflow: %s %s %s", big ? "BIGNUMERIC" : "numeric",
            (const char *)sqlite3_value_text(args[1]), op,
            (const char *)sqlite3_value_text(args[2]));
    BN_free(a);
    BN_free(b);
    BN_free(result);
}

/* bq_format(format, x): FORMAT with one directive, as in "%.16e". */
static void bq_format(sqlite3_context *context, int count, sqlite3_value **args)
{
    double number = sql_arg_double(args[1]);
    char text[400];

    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice format = sql_arg_slice(args[0]);
    bool fits = format.length == 5 && memcmp(format.data, "%.", 2) == 0 &&
                strchr("efg", format.data[4]) != NULL;
    int digits = fits ? (int)strtol(format.data + 2, NULL, 10) : 0;
    if (format.length == 4 && memcmp(format.data, "%.", 2) == 0) {
        fits = strchr("efg", format.data[3]) != NULL;
        digits = format.data[2] - '0';
    }
    if (!fits || digits < 0 || digits > 17)
        sql_result_error(context, "bqlocal's FORMAT has %%.Ne, %%.Nf and %%.Ng only");
    else if (!isfinite(number))
        sqlite3_result_text(
            context,
            isnan(number) ? "nan"
            : number < 0  ? "-inf"
                          : "inf",
            -1, SQLITE_STATIC);
    else {
        char letter = format.data[format.length - 1];
        // GoogleSQL's FORMAT shows no sign of zero.
        number = number == 0 ? 0.0 : number;
        snprintf(
            text, sizeof text,
            letter == 'e'   ? "%.*e"
            : letter == 'f' ? "%.*f"
                            : "%.*g",
            digits, number);
        sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
    }
}

static void bq_round(sqlite3_context *context, int count, sqlite3_value **args)
{
    double number = sql_arg_double(args[0]);
    int64_t digits = count > 1 ? sqlite3_value_int64(args[1]) : 0;

    if (sql_result_null_if_any(context, count, args))
        return;
    if (!isfinite(number) || digits > 300) {
        sql_result_double(context, number);
        return;
    }
    double power = pow(10, digits < -300 ? 300 : (double)llabs(digits));
    double scaled = digits < 0 ? round(number / power) * power : round(number * power) / power;
    sql_result_double(context, isfinite(scaled) ? scaled : number);
}

/* bq_round_decimal(big, value, digits or NULL) */
static void bq_round_decimal(sqlite3_context *context, int count, sqlite3_value **args)
{
    bool big = sqlite3_value_int(args[0]) != 0;
    int64_t digits = sqlite3_value_int64(args[2]);
    char out[VALUE_TEXT_SIZE];

    (void)count;
    if (sql_result_null_if_any(context, 2, args))
        return;
    BIGNUM *number = sql_decimal_read(sql_arg_slice(args[1]));
    digits = digits > 38 ? 38 : digits < -40 ? -40 : digits;
    if (number != NULL && sql_decimal_write(number, SQL_DECIMAL_SCALE, big, (int)digits, out))
        sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
    else
        sql_result_error(context, "numeric overflow in ROUND");
    BN_free(number);
}

static int collate_decimal(void *data, int length_a, const void *a, int length_b, const void *b)
{
    (void)data;
    return sql_decimal_compare(
        (struct slice){a, (size_t)length_a}, (struct slice){b, (size_t)length_b});
}

bool sql_register_numbers(sqlite3 *handle)
{
    static const struct sql_function functions[] = {
        {"bq_int", 3, bq_int, NULL, false},
        {"bq_float", 3, bq_float, NULL, false},
        {"bq_float_compare", 3, bq_float_compare, NULL, false},
        {"bq_float_key", 1, bq_float_key, NULL, false},
        {"bq_float_needle", 1, bq_float_needle, NULL, false},
        {"bq_numeric", 3, bq_decimal, NULL, false},
        {"bq_bignumeric", 3, bq_decimal, "big", false},
        {"bq_round", -1, bq_round, NULL, false},
        {"bq_round_decimal", 3, bq_round_decimal, NULL, false},
        {"bq_format", 2, bq_format, NULL, false},
    };

    return sql_add_functions(handle, functions, sizeof functions / sizeof *functions) &&
           sqlite3_create_collation(handle, "bq_decimal", SQLITE_UTF8, NULL, collate_decimal) ==
               SQLITE_OK;
}
