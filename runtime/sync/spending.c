#include "sync/spending.h"

#include "source/tracking_bill.h"

#include <string.h>

#define DAY_US (INT64_C(86400) * 1000000)

struct adding {
    struct spending *spending;
    char today[BILL_DAY_SIZE];
};

static void add(void *context, const struct table_bill *bill)
{
    struct adding *adding = context;

    adding->spending->month += bill->bytes;
    if (strcmp(bill->day, adding->today) == 0)
        adding->spending->today += bill->bytes;
}

bool spending_read(
    const struct config *config, struct tracking *tracking, int64_t now_us,
    struct spending *out_spending, struct error *err)
{
    struct spending found = {
        .budget = config->max_bytes_a_day,
        .day_ends_us = (now_us / DAY_US + 1) * DAY_US,
    };
    struct adding adding = {.spending = &found};
    char month[BILL_DAY_SIZE];

    tracking_bill_day(now_us, adding.today);
    if (!tracking_bill_each(tracking, tracking_bill_month(now_us, month), add, &adding, err))
        return false;
    *out_spending = found;
    return true;
}

int64_t spending_left(const struct spending *spending)
{
    if (spending->budget == 0)
        return INT64_MAX;
    return spending->today < spending->budget ? spending->budget - spending->today : 0;
}

bool spending_is_over(const struct spending *spending)
{
    return spending_left(spending) < CONFIG_LEAST_BILLED_BYTES;
}
