/* Aggregates that SQLite lacks or does differently: over decimals, doubles with NaN, and bits. */
#include "bqlocal/sql/functions/decimal.h"
#include "bqlocal/sql/functions/functions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct float_state {
    int64_t count;
    double value;
};

/* The user data names the aggregate: "sum", "avg", "min", "max". */
static void float_step(sqlite3_context *context, int count, sqlite3_value **args)
{
    struct float_state *state = sqlite3_aggregate_context(context, sizeof *state);
    const char *name = sqlite3_user_data(context);
    double number = sql_arg_double(args[0]);

    (void)count;
    if (state == NULL || sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    if (state->count++ == 0)
        state->value = number;
    else if (name[0] == 's' || name[0] == 'a')
        state->value += number;
    else if (isnan(number) || isnan(state->value))
        state->value = (double)NAN;
    else if (strcmp(name, "min") == 0 ? number < state->value : number > state->value)
        state->value = number;
}

static void float_final(sqlite3_context *context)
{
    struct float_state *state = sqlite3_aggregate_context(context, 0);
    const char *name = sqlite3_user_data(context);

    if (state == NULL || state->count == 0)
        sqlite3_result_null(context);
    else
        sql_result_double(
            context, name[0] == 'a' ? state->value / (double)state->count : state->value);
}

struct decimal_state {
    int64_t count;
    BIGNUM *sum;
    bool failed;
};

static void decimal_step(sqlite3_context *context, int count, sqlite3_value **args)
{
    struct decimal_state *state = sqlite3_aggregate_context(context, sizeof *state);

    (void)count;
    if (state == NULL || sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    BIGNUM *number = sql_decimal_read(sql_arg_slice(args[0]));
    state->count++;
    if (state->sum == NULL) {
        state->sum = number;
        state->failed = number == NULL;
        return;
    }
    state->failed = state->failed || number == NULL || !BN_add(state->sum, state->sum, number);
    BN_free(number);
}

/* The sum over the count, with twice the scale so that the last digit rounds well. */
static bool average(struct decimal_state *state)
{
    BIGNUM *divisor = BN_new();
    BIGNUM *shift = sql_decimal_read(slice_of("1"));
    BN_CTX *context = BN_CTX_new();
    bool ok = divisor != NULL && shift != NULL && context != NULL &&
              BN_set_word(divisor, (BN_ULONG)state->count) &&
              BN_mul(state->sum, state->sum, shift, context) &&
              BN_div(state->sum, NULL, state->sum, divisor, context);

    BN_free(divisor);
    BN_free(shift);
    BN_CTX_free(context);
    return ok;
}

/* The user data: "sum", "Sum" for BIGNUMERIC, "avg", "Avg". */
static void decimal_final(sqlite3_context *context)
{
    struct decimal_state *state = sqlite3_aggregate_context(context, 0);
    const char *name = sqlite3_user_data(context);
    char out[VALUE_TEXT_SIZE];
    int scale = SQL_DECIMAL_SCALE;

    if (state == NULL || state->count == 0) {
        sqlite3_result_null(context);
        return;
    }
    bool big = name[0] == 'S' || name[0] == 'A';
    bool ok = !state->failed;
    if (ok && (name[0] == 'a' || name[0] == 'A')) {
        ok = average(state);
        scale *= 2;
    }
    if (ok && sql_decimal_write(state->sum, scale, big, SQL_DECIMAL_ALL, out))
        sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
    else
        sql_result_error(context, "%s overflow in an aggregate", big ? "BIGNUMERIC" : "numeric");
    BN_free(state->sum);
    state->sum = NULL;
}

struct bit_state {
    bool any;
    int64_t bits;
};

static void bit_xor_step(sqlite3_context *context, int count, sqlite3_value **args)
{
    struct bit_state *state = sqlite3_aggregate_context(context, sizeof *state);

    (void)count;
    if (state == NULL || sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    state->bits ^= sqlite3_value_int64(args[0]);
    state->any = true;
}

static void bit_xor_final(sqlite3_context *context)
{
    struct bit_state *state = sqlite3_aggregate_context(context, 0);

    if (state == NULL || !state->any)
        sqlite3_result_null(context);
    else
        sqlite3_result_int64(context, state->bits);
}

bool sql_register_aggregates(sqlite3 *handle)
{
    static const struct {
        const char *name;
        void (*step)(sqlite3_context *, int, sqlite3_value **);
        void (*final)(sqlite3_context *);
        const char *data;
    } aggregates[] = {
        {"bq_sum_float", float_step, float_final, "sum"},
        {"bq_avg_float", float_step, float_final, "avg"},
        {"bq_min_float", float_step, float_final, "min"},
        {"bq_max_float", float_step, float_final, "max"},
        {"bq_sum_numeric", decimal_step, decimal_final, "sum"},
        {"bq_sum_bignumeric", decimal_step, decimal_final, "Sum"},
        {"bq_avg_numeric", decimal_step, decimal_final, "avg"},
        {"bq_avg_bignumeric", decimal_step, decimal_final, "Avg"},
        {"bq_bit_xor", bit_xor_step, bit_xor_final, ""},
    };

    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++)
        if (sqlite3_create_function_v2(
                handle, aggregates[i].name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                (void *)(uintptr_t)aggregates[i].data, NULL, aggregates[i].step,
                aggregates[i].final, NULL) != SQLITE_OK)
            return false;
    return true;
}
