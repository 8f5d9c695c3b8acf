/* Numbers: arithmetic that fails where BigQuery's does, instead of turning to NULL or REAL. */
#include "bqlocal/sql/functions/decimal.h"
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool divide_int(const char *op, int64_t a, int64_t b, int64_t *out)
{
    if (a == INT64_MIN && b == -1) {
        *out = 0;
        return strcmp(op, "%") == 0;
    }
    *out = strcmp(op, "%") == 0 ? a % b : a / b;
    if (strcmp(op, "floordiv") == 0 && a % b != 0 && (a < 0) != (b < 0))
        --*out;
    return true;
}

static int64_t shift(const char *op, int64_t a, int64_t b)
{
    if (b < 0 || b >= 64)
        return 0;
    return (int64_t)(op[0] == '<' ? (uint64_t)a << b : (uint64_t)a >> b);
}

/* bq_int(operator, a, b) */
static void udf_int(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *op = (const char *)sqlite3_value_text(args[0]);
    int64_t a = sqlite3_value_int64(args[1]);
    int64_t b = sqlite3_value_int64(args[2]);
    int64_t result = 0;
    bool ok = true;

    if (sql_udf_null(context, count, args))
        return;
    if (strcmp(op, "+") == 0) {
        ok = !__builtin_add_overflow(a, b, &result);
    } else if (strcmp(op, "-") == 0) {
        ok = !__builtin_sub_overflow(a, b, &result);
    } else if (strcmp(op, "*") == 0) {
        ok = !__builtin_mul_overflow(a, b, &result);
    } else if (strcmp(op, "^") == 0) {
        result = a ^ b;
    } else if (strcmp(op, "<<") == 0 || strcmp(op, ">>") == 0) {
        result = shift(op, a, b);
    } else if (strcmp(op, "count") == 0) {
        result = __builtin_popcountll((unsigned long long)a);
    } else if (strcmp(op, "abs") == 0) {
        ok = a != INT64_MIN;
        result = a < 0 && ok ? -a : a;
    } else if (b == 0) {
        sql_udf_error(context, "division by zero: %lld %s 0", (long long)a, op);
        return;
    } else {
        ok = divide_int(op, a, b, &result);
    }
    if (ok)
        sqlite3_result_int64(context, result);
    else
        sql_udf_error(context, "int64 overflow: %lld %s %lld", (long long)a, op, (long long)b);
}

static double float_result(const char *op, double a, double b)
{
    if (strcmp(op, "+") == 0)
        return a + b;
    if (strcmp(op, "-") == 0)
        return a - b;
    if (strcmp(op, "*") == 0)
        return a * b;
    if (strcmp(op, "abs") == 0)
        return fabs(a);
    if (strcmp(op, "floor") == 0)
        return floor(a);
    if (strcmp(op, "ceil") == 0)
        return ceil(a);
    if (strcmp(op, "trunc") == 0)
        return trunc(a);
    if (strcmp(op, "sqrt") == 0)
        return sqrt(a);
    if (strcmp(op, "pow") == 0)
        return pow(a, b);
    // The address sanitiser's companion objects to division by zero even of doubles.
    if (b == 0)
        return a == 0 || isnan(a) ? (double)NAN : copysign(HUGE_VAL, a) * copysign(1, b);
    return a / b;
}

/* bq_float(operator, a, b) */
static void udf_float(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *op = (const char *)sqlite3_value_text(args[0]);
    double a = sql_udf_double(args[1]);
    double b = sql_udf_double(args[2]);

    if (sql_udf_null(context, count, args))
        return;
    bool safe = strcmp(op, "safe/") == 0;
    if (b == 0 && safe) {
        sqlite3_result_null(context);
        return;
    }
    if (b == 0 && strcmp(op, "/") == 0) {
        sql_udf_error(context, "division by zero: %g / 0", a);
        return;
    }
    if (strcmp(op, "sqrt") == 0 && a < 0) {
        sql_udf_error(context, "Argument to SQRT cannot be negative: %g", a);
        return;
    }
    double result = float_result(op, a, b);
    bool ieee = strcmp(op, "ieee/") == 0;
    if (!ieee && isinf(result) && isfinite(a) && isfinite(b))
        sql_udf_error(context, "double overflow: %g %s %g", a, op, b);
    else
        sql_udf_result_double(context, result);
}

/* bq_float_compare(operator, a, b): NaN compares false, and differs from everything. */
static void udf_float_compare(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *op = (const char *)sqlite3_value_text(args[0]);
    double a = sql_udf_double(args[1]);
    double b = sql_udf_double(args[2]);

    if (sql_udf_null(context, count, args))
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
static void udf_float_key(sqlite3_context *context, int count, sqlite3_value **args)
{
    double number = sql_udf_double(args[0]);

    if (sql_udf_null(context, count, args))
        return;
    if (isnan(number))
        number = -HUGE_VAL;
    else if (isinf(number) && number < 0)
        number = -1.7976931348623157e308;
    sqlite3_result_double(context, number);
}

static bool multiply_or_divide(
    const char *op, const BIGNUM *a, const BIGNUM *b, BIGNUM *result, BN_CTX *context, int *scale)
{
    if (op[0] == '*') {
        *scale = 2 * SQL_DECIMAL_SCALE;
        return BN_mul(result, a, b, context);
    }
    if (op[0] == '%')
        return BN_mod(result, a, b, context);
    // a / b at twice the scale, so that the last digit kept is rounded from enough of them.
    BIGNUM *shifted = sql_decimal_read(slice_of("1"));
    BIGNUM *scaled = BN_new();
    bool ok = shifted != NULL && scaled != NULL && BN_mul(scaled, a, shifted, context) &&
              BN_mul(scaled, scaled, shifted, context) && BN_div(result, NULL, scaled, b, context);
    *scale = 2 * SQL_DECIMAL_SCALE;
    BN_free(shifted);
    BN_free(scaled);
    return ok;
}

static bool decimal_result(
    const char *op, const BIGNUM *a, const BIGNUM *b, bool big, char out[VALUE_TEXT_SIZE])
{
    BIGNUM *result = BN_new();
    BN_CTX *context = BN_CTX_new();
    int scale = SQL_DECIMAL_SCALE;
    bool ok = result != NULL && context != NULL;

    if (op[0] == '+')
        ok = ok && BN_add(result, a, b);
    else if (op[0] == '-')
        ok = ok && BN_sub(result, a, b);
    else
        ok = ok && multiply_or_divide(op, a, b, result, context, &scale);
    ok = ok && sql_decimal_write(result, scale, big, SQL_DECIMAL_ALL, out);
    BN_free(result);
    BN_CTX_free(context);
    return ok;
}

/* bq_numeric(operator, a, b), bq_bignumeric: the user data says which. */
static void udf_decimal(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *op = (const char *)sqlite3_value_text(args[0]);
    bool big = sqlite3_user_data(context) != NULL;
    char out[VALUE_TEXT_SIZE];

    if (sql_udf_null(context, count, args))
        return;
    BIGNUM *a = sql_decimal_read(sql_udf_slice(args[1]));
    BIGNUM *b = sql_decimal_read(sql_udf_slice(args[2]));
    if (a == NULL || b == NULL)
        sqlite3_result_error_nomem(context);
    else if ((op[0] == '/' || op[0] == '%') && BN_is_zero(b))
        sql_udf_error(
            context, "division by zero: %s / 0", (const char *)sqlite3_value_text(args[1]));
    else if (decimal_result(op, a, b, big, out))
        sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
    else
        sql_udf_error(
            context, "%s overflow: %s %s %s", big ? "BIGNUMERIC" : "numeric",
            (const char *)sqlite3_value_text(args[1]), op,
            (const char *)sqlite3_value_text(args[2]));
    BN_free(a);
    BN_free(b);
}

static void udf_round(sqlite3_context *context, int count, sqlite3_value **args)
{
    double number = sql_udf_double(args[0]);
    int64_t digits = count > 1 ? sqlite3_value_int64(args[1]) : 0;

    if (sql_udf_null(context, count, args))
        return;
    if (!isfinite(number) || digits > 300) {
        sql_udf_result_double(context, number);
        return;
    }
    double power = pow(10, digits < -300 ? 300 : (double)llabs(digits));
    double scaled = digits < 0 ? round(number / power) * power : round(number * power) / power;
    sql_udf_result_double(context, isfinite(scaled) ? scaled : number);
}

/* bq_round_decimal(big, value, digits or NULL) */
static void udf_round_decimal(sqlite3_context *context, int count, sqlite3_value **args)
{
    bool big = sqlite3_value_int(args[0]) != 0;
    int64_t digits = sqlite3_value_int64(args[2]);
    char out[VALUE_TEXT_SIZE];

    (void)count;
    if (sql_udf_null(context, 2, args))
        return;
    BIGNUM *number = sql_decimal_read(sql_udf_slice(args[1]));
    digits = digits > 38 ? 38 : digits < -40 ? -40 : digits;
    if (number == NULL)
        sqlite3_result_error_nomem(context);
    else if (sql_decimal_write(number, SQL_DECIMAL_SCALE, big, (int)digits, out))
        sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
    else
        sql_udf_error(context, "numeric overflow in ROUND");
    BN_free(number);
}

static int compare_values(int type, sqlite3_value *a, sqlite3_value *b)
{
    if (type == STORE_NUMERIC || type == STORE_BIGNUMERIC)
        return sql_decimal_compare(sql_udf_slice(a), sql_udf_slice(b));
    if (type == STORE_FLOAT64) {
        double x = sqlite3_value_double(a);
        double y = sqlite3_value_double(b);
        return (x > y) - (x < y);
    }
    if (type == STORE_STRING || type == STORE_BYTES) {
        struct slice x = sql_udf_slice(a);
        struct slice y = sql_udf_slice(b);
        size_t shared = x.length < y.length ? x.length : y.length;
        int order = memcmp(x.data, y.data, shared);
        return order != 0 ? order : (x.length > y.length) - (x.length < y.length);
    }
    int64_t x = sqlite3_value_int64(a);
    int64_t y = sqlite3_value_int64(b);
    return (x > y) - (x < y);
}

/* bq_greatest(type, a, b) and bq_least: a NULL or a NaN wins. */
static void udf_extreme(sqlite3_context *context, int count, sqlite3_value **args)
{
    bool greatest = sqlite3_user_data(context) != NULL;
    int type = sqlite3_value_int(args[0]);

    if (sql_udf_null(context, count, args))
        return;
    for (int i = 1; type == STORE_FLOAT64 && i < 3; i++)
        if (isnan(sql_udf_double(args[i]))) {
            sqlite3_result_value(context, args[i]);
            return;
        }
    int order = compare_values(type, args[1], args[2]);
    sqlite3_result_value(context, (greatest ? order >= 0 : order <= 0) ? args[1] : args[2]);
}

static int collate_decimal(void *data, int length_a, const void *a, int length_b, const void *b)
{
    (void)data;
    return sql_decimal_compare(
        (struct slice){a, (size_t)length_a}, (struct slice){b, (size_t)length_b});
}

bool sql_udf_register_numbers(sqlite3 *handle)
{
    static const struct sql_udf functions[] = {
        {"bq_int", 3, udf_int, NULL, false},
        {"bq_float", 3, udf_float, NULL, false},
        {"bq_float_compare", 3, udf_float_compare, NULL, false},
        {"bq_float_key", 1, udf_float_key, NULL, false},
        {"bq_numeric", 3, udf_decimal, NULL, false},
        {"bq_bignumeric", 3, udf_decimal, "big", false},
        {"bq_round", -1, udf_round, NULL, false},
        {"bq_round_decimal", 3, udf_round_decimal, NULL, false},
        {"bq_greatest", 3, udf_extreme, "greatest", false},
        {"bq_least", 3, udf_extreme, NULL, false},
    };

    return sql_udf_add(handle, functions, sizeof functions / sizeof *functions) &&
           sqlite3_create_collation(handle, "bq_decimal", SQLITE_UTF8, NULL, collate_decimal) ==
               SQLITE_OK;
}
