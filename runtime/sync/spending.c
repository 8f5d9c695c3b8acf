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

/* A forecast rests on so many days before today, and on today: a week has each weekday once. */
#define MEASURED_DAYS 7
_Static_assert(MEASURED_DAYS < SPENDING_DAYS, "their bytes are read with the others");

struct adding {
    struct spending *spending;
    char month[BILL_DAY_SIZE];               /* its first day */
    char days[SPENDING_DAYS][BILL_DAY_SIZE]; /* today, yesterday, ... */
    int64_t measured;                        /* bytes of these days */
    int first;                               /* of them that billed anything, -1: none */
};

static void add(void *context, const struct table_bill *bill)
{
    struct adding *adding = context;

    if (strcmp(bill->day, adding->month) >= 0)
        adding->spending->month += bill->bytes;
    for (int ago = 0; ago < SPENDING_DAYS; ago++) {
        if (strcmp(bill->day, adding->days[ago]) != 0)
            continue;
        adding->spending->days[ago] += bill->bytes;
        if (ago > MEASURED_DAYS)
            continue;
        adding->measured += bill->bytes;
        if (ago > adding->first)
            adding->first = ago;
    }
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

static void project(const struct adding *adding, int64_t now_us, struct spending *spending)
{
    spending->month_projected = SPENDING_UNKNOWN;
    if (adding->first < 0)
        return;
    spending->measured_us = adding->first * CLOCK_DAY_US + now_us % CLOCK_DAY_US;
    double days = (double)spending->measured_us / (double)CLOCK_DAY_US;
    spending->month_projected =
        (int64_t)((double)adding->measured / (days < 1 ? 1 : days) * month_days(now_us));
}

bool spending_read(
    const struct config *config, struct tracking *tracking, int64_t now_us,
    struct spending *out_spending, struct error *err)
{
    struct spending found = {
        .budget = config->max_bytes_a_day,
        .day_ends_us = (now_us / CLOCK_DAY_US + 1) * CLOCK_DAY_US,
    };
    struct adding adding = {.spending = &found, .first = -1};
    struct bill_use use;

    tracking_bill_month(now_us, adding.month);
    for (int ago = 0; ago < SPENDING_DAYS; ago++)
        tracking_bill_day(now_us - ago * CLOCK_DAY_US, adding.days[ago]);
    const char *oldest = adding.days[SPENDING_DAYS - 1];
    const char *since = strcmp(oldest, adding.month) < 0 ? oldest : adding.month;
    if (!tracking_bill_each(tracking, since, adding.days[0], add, &adding, err) ||
        !tracking_bill_use(tracking, now_us, &use, err))
        return false;
    project(&adding, now_us, &found);
    found.today = use.billed;
    found.of_intents = use.intents;
    found.of_queries = use.queries;
    *out_spending = found;
    return true;
}

int64_t spending_micro_dollars(const struct config *config, int64_t month_bytes)
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

bool spending_runs_out(const struct spending *spending)
{
    return spending->budget > 0 && spending_left(spending) < spending->budget / 2;
}

int64_t spending_lasts_ms(const struct spending *spending, int64_t now_us, int64_t bytes)
{
    int64_t rest_ms = now_us < spending->day_ends_us ? (spending->day_ends_us - now_us) / 1000 : 0;
    int64_t left = spending_left(spending);

    if (spending_is_over(spending))
        return rest_ms;
    if (!spending_runs_out(spending))
        return 0;
    return bytes >= left ? rest_ms : (int64_t)((double)rest_ms * (double)bytes / (double)left);
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
    // foreign_value.c keeps these words of the message.
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

bool spending_never_fits(const struct spending *spending, int64_t needed)
{
    return spending->budget > 0 && needed > spending->budget;
}

bool spending_refuse(const struct spending *spending, int64_t needed, struct error *err)
{
    char ends[CLOCK_TEXT_SIZE];
    char others[80] = "";

    if (spending_never_fits(spending, needed))
        return error_set(
            err, ERROR_BUDGET,
            "a query that may bill %" PRId64
            " bytes never fits into BQ_MAX_BYTES_BILLED_PER_DAY=%" PRId64
            ", whatever else the day bills. Raise it to %" PRId64 " or more",
            needed, spending->budget, needed);
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
