#include "warehouse/quota.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Most threads look again this often whether a slot is free; a DML statement takes seconds. */
#define SLOT_POLL_MS 100
/* How long an endpoint that went silent is left alone. */
#define CIRCUIT_PAUSE_MS 5000
/* Pacific standard time. In summer the quota's day begins an hour earlier by our count, which only
 * makes us careful an hour too early. */
#define PACIFIC_OFFSET_S (8 * 3600)
#define DAY_S            86400
/* How long a new table may be unknown in places; seconds as a rule. */
#define FRESH_MS 60000

/* Times of the latest actions, a ring as long as the limit: the oldest one says when the next
 * fits. */
struct window {
    int64_t at_ms[QUOTA_DML_LIMIT];
    unsigned next;
    unsigned filled;
};

struct table_quota {
    struct table_quota *next;
    struct window metadata;
    struct window dml;
    unsigned dml_running;
    struct quota_count count; /* of the day */
    bool created;             /* by us, at created_ms */
    int64_t created_ms;
    char table[];
};

struct quota {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct table_quota *tables;
    bool circuit_open;
    int64_t circuit_until_ms;
    bool trouble;
    int64_t trouble_since_ms;
    int64_t trouble_latest_ms;
    int64_t answered_ms; /* the latest good answer */
};

struct quota *quota_new(const struct clock *clock)
{
    struct quota *quota = calloc(1, sizeof *quota);

    if (quota == NULL)
        return NULL;
    quota->clock = clock;
    quota->answered_ms = INT64_MIN;
    pthread_mutex_init(&quota->lock, NULL);
    return quota;
}

void quota_free(struct quota *quota)
{
    if (quota == NULL)
        return;
    while (quota->tables != NULL) {
        struct table_quota *next = quota->tables->next;
        free(quota->tables);
        quota->tables = next;
    }
    pthread_mutex_destroy(&quota->lock);
    free(quota);
}

static int64_t now_ms(const struct quota *quota)
{
    return quota->clock->monotonic_ms(quota->clock->context);
}

static int64_t today(const struct quota *quota)
{
    return quota_day(quota->clock->wall_us(quota->clock->context));
}

int64_t quota_day(int64_t wall_us)
{
    return (wall_us / 1000000 - PACIFIC_OFFSET_S) / DAY_S;
}

static int64_t day_end_us(int64_t day)
{
    return ((day + 1) * DAY_S + PACIFIC_OFFSET_S) * 1000000;
}

/* Staging tables have names of their own each time: records of another day are deleted. */
static void forget_other_days(struct quota *quota, int64_t day)
{
    struct table_quota **link = &quota->tables;

    while (*link != NULL) {
        struct table_quota *one = *link;
        if (one->count.day == day || one->dml_running > 0) {
            link = &one->next;
        } else {
            *link = one->next;
            free(one);
        }
    }
}

/* The table's record, made if there is none, with a count of today; NULL without memory. */
static struct table_quota *find_table(struct quota *quota, const char *table)
{
    int64_t day = today(quota);
    struct table_quota *one = quota->tables;

    while (one != NULL && strcmp(one->table, table) != 0)
        one = one->next;
    if (one == NULL) {
        forget_other_days(quota, day);
        size_t length = strlen(table) + 1;
        one = calloc(1, sizeof *one + length);
        if (one == NULL)
            return NULL;
        memcpy(one->table, table, length);
        one->next = quota->tables;
        quota->tables = one;
    }
    if (one->count.day != day)
        one->count = (struct quota_count){.day = day};
    return one;
}

/* Milliseconds until one more fits in the window, 0 if it does now, and is counted then. */
static int64_t window_take(struct window *window, unsigned limit, int64_t now)
{
    if (window->filled == limit) {
        int64_t wait = window->at_ms[window->next] + QUOTA_WINDOW_MS - now;
        if (wait > 0)
            return wait;
    } else {
        window->filled++;
    }
    window->at_ms[window->next] = now;
    window->next = (window->next + 1) % limit;
    return 0;
}

static int64_t take(struct quota *quota, struct table_quota *one, enum quota_kind kind)
{
    int64_t now = now_ms(quota);

    switch (kind) {
    case QUOTA_METADATA:
        return window_take(&one->metadata, QUOTA_METADATA_LIMIT, now);
    case QUOTA_DML:
        if (one->dml_running >= QUOTA_DML_AT_ONCE)
            return SLOT_POLL_MS;
        int64_t wait = window_take(&one->dml, QUOTA_DML_LIMIT, now);
        if (wait == 0)
            one->dml_running++;
        return wait;
    case QUOTA_MODIFICATION:
        break;
    }
    one->count.modifications++;
    return 0;
}

static bool refuse_modification(const char *table, int64_t day, struct error *err)
{
    char text[CLOCK_TEXT_SIZE];

    return error_set(
        err, ERROR_QUOTA,
        "table %s: %d loads and copies today, the most that BigQuery allows for a table in a day; "
        "its next sync is at %s. A longer BQ_SYNC_INTERVAL, or mode upsert, uses fewer",
        table, QUOTA_DAILY_LIMIT, clock_format(day_end_us(day), text));
}

bool quota_enter(struct quota *quota, const char *table, enum quota_kind kind, struct error *err)
{
    for (;;) {
        pthread_mutex_lock(&quota->lock);
        struct table_quota *one = find_table(quota, table);
        bool used_up = one != NULL && kind == QUOTA_MODIFICATION &&
                       one->count.modifications >= QUOTA_DAILY_LIMIT;
        int64_t wait = one == NULL || used_up ? 0 : take(quota, one, kind);
        pthread_mutex_unlock(&quota->lock);

        if (one == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory for quotas");
        if (used_up)
            return refuse_modification(table, today(quota), err);
        if (wait == 0)
            return true;
        if (!quota->clock->sleep_ms(quota->clock->context, wait))
            return error_set(err, ERROR_STOPPED, "asked to stop while pacing table %s", table);
    }
}

void quota_dml_done(struct quota *quota, const char *table)
{
    pthread_mutex_lock(&quota->lock);
    struct table_quota *one = find_table(quota, table);
    if (one != NULL && one->dml_running > 0)
        one->dml_running--;
    pthread_mutex_unlock(&quota->lock);
}

struct quota_count quota_count(struct quota *quota, const char *table)
{
    struct quota_count use = {0};

    pthread_mutex_lock(&quota->lock);
    struct table_quota *one = find_table(quota, table);
    if (one != NULL)
        use = one->count;
    pthread_mutex_unlock(&quota->lock);
    return use;
}

void quota_restore(struct quota *quota, const char *table, struct quota_count use)
{
    pthread_mutex_lock(&quota->lock);
    struct table_quota *one = find_table(quota, table);
    if (one != NULL && one->count.day == use.day && one->count.modifications < use.modifications)
        one->count.modifications = use.modifications;
    pthread_mutex_unlock(&quota->lock);
}

static bool is_fresh(const struct quota *quota, const struct table_quota *one)
{
    return one->created && now_ms(quota) - one->created_ms < FRESH_MS;
}

void quota_note_created(struct quota *quota, const char *table)
{
    pthread_mutex_lock(&quota->lock);
    struct table_quota *one = find_table(quota, table);
    if (one != NULL) {
        one->created = true;
        one->created_ms = now_ms(quota);
    }
    pthread_mutex_unlock(&quota->lock);
}

bool quota_is_fresh(struct quota *quota, const char *table)
{
    bool fresh = false;

    pthread_mutex_lock(&quota->lock);
    for (struct table_quota *one = quota->tables; one != NULL && !fresh; one = one->next)
        fresh = strcmp(one->table, table) == 0 && is_fresh(quota, one);
    pthread_mutex_unlock(&quota->lock);
    return fresh;
}

bool quota_names_fresh(struct quota *quota, const char *text)
{
    bool names = false;

    pthread_mutex_lock(&quota->lock);
    for (struct table_quota *one = quota->tables; one != NULL && !names; one = one->next)
        names = is_fresh(quota, one) && strstr(text, one->table) != NULL;
    pthread_mutex_unlock(&quota->lock);
    return names;
}

int64_t quota_forecast(int64_t interval_ms, int64_t modifications_a_pass)
{
    int64_t day_ms = (int64_t)86400 * 1000;

    if (interval_ms <= 0)
        return 0;
    return (day_ms + interval_ms - 1) / interval_ms * modifications_a_pass;
}

bool quota_circuit_allows(struct quota *quota)
{
    pthread_mutex_lock(&quota->lock);
    bool allows = !quota->circuit_open;
    if (!allows && now_ms(quota) >= quota->circuit_until_ms) {
        // Lets one caller try. If it is stopped before it has a result, the next one may try after
        // another pause.
        quota->circuit_until_ms = now_ms(quota) + CIRCUIT_PAUSE_MS;
        allows = true;
    }
    pthread_mutex_unlock(&quota->lock);
    return allows;
}

void quota_answered_well(struct quota *quota)
{
    pthread_mutex_lock(&quota->lock);
    quota->circuit_open = false;
    quota->trouble = false;
    quota->answered_ms = now_ms(quota);
    pthread_mutex_unlock(&quota->lock);
}

int64_t quota_trouble_left(struct quota *quota, int64_t budget_ms)
{
    pthread_mutex_lock(&quota->lock);
    int64_t now = now_ms(quota);
    if (!quota->trouble || now - quota->trouble_latest_ms > budget_ms) {
        quota->trouble = true;
        quota->trouble_since_ms = now;
    }
    quota->trouble_latest_ms = now;
    int64_t left = quota->trouble_since_ms + budget_ms - now;
    pthread_mutex_unlock(&quota->lock);
    return left;
}

bool quota_is_silent_since(struct quota *quota, int64_t since_ms)
{
    pthread_mutex_lock(&quota->lock);
    bool silent = quota->answered_ms < since_ms;
    pthread_mutex_unlock(&quota->lock);
    return silent;
}

void quota_forget_trouble(struct quota *quota)
{
    pthread_mutex_lock(&quota->lock);
    quota->trouble = false;
    quota->circuit_open = false;
    pthread_mutex_unlock(&quota->lock);
}

void quota_circuit_silent(struct quota *quota)
{
    pthread_mutex_lock(&quota->lock);
    quota->circuit_open = true;
    quota->circuit_until_ms = now_ms(quota) + CIRCUIT_PAUSE_MS;
    pthread_mutex_unlock(&quota->lock);
}
