#include "cli/bill.h"

#include "base/clock.h"

#include <stdio.h>

#define MIB INT64_C(1048576)

const char *bill_bytes(int64_t bytes, char out[static BILL_BYTES_SIZE])
{
    if (bytes == SPENDING_UNKNOWN)
        snprintf(out, BILL_BYTES_SIZE, "?");
    else if (bytes < 1024 * MIB)
        snprintf(out, BILL_BYTES_SIZE, "%.1f MiB", (double)bytes / (double)MIB);
    else if (bytes < 1024 * 1024 * MIB)
        snprintf(out, BILL_BYTES_SIZE, "%.1f GiB", (double)bytes / (double)(1024 * MIB));
    else
        snprintf(out, BILL_BYTES_SIZE, "%.2f TiB", (double)bytes / (double)(1024 * 1024 * MIB));
    return out;
}

static void print_dollars(const struct config *config, int64_t month_bytes)
{
    int64_t millionths = spending_micro_dollars(config, month_bytes);

    if (millionths != SPENDING_UNKNOWN)
        printf(" ($%.2f)", (double)millionths / 1e6);
}

static void print_forecast(const struct config *config, const struct spending *spending)
{
    char bytes[BILL_BYTES_SIZE];

    if (spending->month_projected == SPENDING_UNKNOWN)
        return;
    printf("; %s a month", bill_bytes(spending->month_projected, bytes));
    print_dollars(config, spending->month_projected);
    if (spending->measured_us < CLOCK_DAY_US)
        printf(
            " if each day bills what the last %.1f hours have",
            (double)spending->measured_us / 3600e6);
    else
        printf(
            " at the rate of the last %.1f days",
            (double)spending->measured_us / (double)CLOCK_DAY_US);
}

static void print_budget(
    const struct config *config, const struct spending *spending, const char *warn, const char *end)
{
    char bytes[BILL_BYTES_SIZE];
    char until[CLOCK_TEXT_SIZE];

    if (spending_is_over(spending))
        printf(
            "    %sthe budget of the day is used up: tables that need a query wait until %s%s\n",
            warn, clock_format(spending->day_ends_us, until), end);
    else if (spending_runs_out(spending) && config->sync_follow_ms > 0)
        printf(
            "    %s%s of the day's budget are left: tables whose queries are billed are followed "
            "less often%s\n",
            warn, bill_bytes(spending_left(spending), bytes), end);
}

void bill_print(
    const struct config *config, const struct spending *spending, const char *warn, const char *end)
{
    char today[BILL_BYTES_SIZE];
    char month[BILL_BYTES_SIZE];

    if (spending->month == 0 && spending->budget == 0 &&
        spending->month_projected == SPENDING_UNKNOWN)
        return;
    printf(
        "billed       %s today, %s this month", bill_bytes(spending->today, today),
        bill_bytes(spending->month, month));
    print_dollars(config, spending->month);
    print_forecast(config, spending);
    putchar('\n');
    print_budget(config, spending, warn, end);
}
