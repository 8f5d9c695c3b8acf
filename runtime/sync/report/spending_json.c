#include "sync/report/spending_json.h"

#include "base/clock.h"
#include "base/json_exact.h"

static void add_dollars(cJSON *json, const char *name, int64_t millionths)
{
    if (millionths == SPENDING_UNKNOWN)
        cJSON_AddNullToObject(json, name);
    else
        cJSON_AddNumberToObject(json, name, (double)millionths / 1e6);
}

/* The budget of the day, null if there is none. waits_until: tables that need a query wait for that
 * moment, null if there is something left. */
static void add_budget(cJSON *json, const struct spending *spending)
{
    char text[CLOCK_TEXT_SIZE];

    if (spending->budget == 0) {
        cJSON_AddNullToObject(json, "budget");
        return;
    }
    cJSON *budget = cJSON_AddObjectToObject(json, "budget");
    json_add_int64(budget, "bytes_a_day", spending->budget);
    json_add_int64(budget, "bytes_left", spending_left(spending));
    if (spending_is_over(spending))
        cJSON_AddStringToObject(budget, "waits_until", clock_format(spending->day_ends_us, text));
    else
        cJSON_AddNullToObject(budget, "waits_until");
}

/* The oldest day first, also those without a bill. */
static void add_days(cJSON *json, const struct spending *spending)
{
    cJSON *days = cJSON_AddArrayToObject(json, "bytes_billed_days");
    char day[CLOCK_TEXT_SIZE];

    for (int ago = SPENDING_DAYS - 1; ago >= 0; ago--) {
        cJSON *item = cJSON_CreateObject();
        clock_format(spending->day_ends_us - (ago + 1) * CLOCK_DAY_US, day);
        day[10] = '\0';
        cJSON_AddStringToObject(item, "day", day);
        json_add_int64(item, "bytes", spending->days[ago]);
        cJSON_AddItemToArray(days, item);
    }
}

void spending_json_add(cJSON *json, const struct config *config, const struct spending *spending)
{
    json_add_int64(json, "bytes_billed_today", spending->today);
    json_add_int64(json, "bytes_billed_month", spending->month);
    add_dollars(json, "usd_month", spending_micro_dollars(config, spending->month));
    if (spending->month_projected == SPENDING_UNKNOWN) {
        cJSON_AddNullToObject(json, "bytes_billed_month_projected");
        cJSON_AddNullToObject(json, "projected_from_days");
    } else {
        json_add_int64(json, "bytes_billed_month_projected", spending->month_projected);
        cJSON_AddNumberToObject(
            json, "projected_from_days", (double)spending->measured_us / (double)CLOCK_DAY_US);
    }
    add_dollars(
        json, "usd_month_projected", spending_micro_dollars(config, spending->month_projected));
    add_budget(json, spending);
    add_days(json, spending);
}
