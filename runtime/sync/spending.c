#include "sync/spending.h"

#include "base/clock.h"
#include "source/tracking_bill.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIB (INT64_C(1) << 40)

struct adding {
    struct spending *spending;
    char today[BILL_DAY_SIZE];
    int first_day; /* of the month, 0: none */
};

static void add(void *context, const struct table_bill *bill)
{
    struct adding *adding = context;

    int day = atoi(bill->day + strlen("2026-01-"));

    if (adding->first_day == 0 || day < adding->first_day)
        adding->first_day = day;
    adding->spending->month += bill->bytes;
}

/* The number of days of the month of a moment. */
static int month_days(int64_t now_us)
{
    time_t now = (time_t)(now_us / 1000000);
    struct tm parts;

    gmtime_r(&now, &parts);
    parts.tm_mon++;
    parts.tm_mday = 0;
    // Day 0 of the next month is the last of this one.
    timegm(&parts);
    return parts.tm_mday;
}

static int64_t project(const struct adding *adding, int64_t now_us)
{
    int64_t today = atoi(adding->today + strlen("2026-01-"));

    if (adding->first_day == 0)
        return SPENDING_UNKNOWN;
    double days = (double)(today - adding->first_day) +
                  (double)(now_us % CLOCK_DAY_US) / (double)CLOCK_DAY_US;
    return (int64_t)((double)adding->spending->month / (days < 1 ? 1 : days) * month_days(now_us));
}

bool spending_read(
    const struct config *config, struct tracking *tracking, int64_t now_us,
    struct spending *out_spending, struct error *err)
{
    struct spending found = {
        .budget = config->max_bytes_a_day,
        .day_ends_us = (now_us / CLOCK_DAY_US + 1) * CLOCK_DAY_US,
    };
    struct adding adding = {.spending = &found};
    struct bill_use use;
    char month[BILL_DAY_SIZE];

    tracking_bill_day(now_us, adding.today);
    if (!tracking_bill_each(tracking, tracking_bill_month(now_us, month), add, &adding, err) ||
        !tracking_bill_use(tracking, now_us, &use, err))
        return false;
    found.month_projected = project(&adding, now_us);
    found.today = use.billed;
    found.of_intents = use.intents;
    found.of_queries = use.queries;
    *out_spending = found;
    return true;
}

int64_t spending_dollars(const struct config *config, int64_t month_bytes)
{
    if (config->price_per_tib == 0 || month_bytes == SPENDING_UNKNOWN)
        return SPENDING_UNKNOWN;
    return month_bytes <= TIB
               ? 0
               : (int64_t)((double)(month_bytes - TIB) / (double)TIB * (double)config->price_per_tib + 0.5);
}

int64_t spending_left(const struct spending *spending)
{
    const struct bill_use use = {
        .billed = spending->today,
        .intents = spending->of_intents,
        .queries = spending->of_queries,
    };

    return spending->budget == 0 ? INT64_MAX : bill_left(&use, spending->budget);
}

bool spending_is_over(const struct spending *spending)
{
    return spending->budget > 0 && spending->budget - spending->today < CONFIG_LEAST_BILLED_BYTES;
}

int64_t spending_grant(const struct spending *spending, const struct config *config, int64_t needed)
{
    int64_t most = config->max_bytes_billed;
    int64_t left = spending_left(spending);
    int64_t wanted = needed + needed / 8;

    // A query that BQ_MAX_BYTES_BILLED does not allow is BigQuery's to refuse.
    if (most > 0 && wanted > most)
        wanted = most;
    if (most > 0 && needed > most)
        needed = most;
    return left < needed ? 0 : left < wanted ? left : wanted;
}

int64_t spending_needed(const struct config *config, const struct error *refusal, int64_t cap)
{
    const char *end = strstr(refusal->message, " or higher required");
    int64_t needed = 0;

    if (cap == 0 || strcmp(refusal->reason, "bytesBilledLimitExceeded") != 0 ||
        (config->max_bytes_billed > 0 && cap >= config->max_bytes_billed))
        return 0;
    if (end != NULL) {
        const char *digits = end;
        while (digits > refusal->message && isdigit((unsigned char)digits[-1]))
            digits--;
        needed = strtoll(digits, NULL, 10);
    }
    return needed > cap ? needed : 2 * cap;
}

bool spending_refuse(const struct spending *spending, int64_t needed, struct error *err)
{
    char ends[CLOCK_TEXT_SIZE];
    char others[80] = "";

    if (spending->of_intents + spending->of_queries > 0)
        snprintf(
            others, sizeof others, ", queries under way may bill %" PRId64,
            spending->of_intents + spending->of_queries);
    return error_set(
        err, ERROR_BUDGET,
        "the budget of the day is used up: a query that may bill %" PRId64
        " bytes does not fit into BQ_MAX_BYTES_BILLED_PER_DAY=%" PRId64
        " (today's queries have billed %" PRId64 "%s); the next UTC day begins at %s",
        needed, spending->budget, spending->today, others,
        clock_format(spending->day_ends_us, ends));
}
