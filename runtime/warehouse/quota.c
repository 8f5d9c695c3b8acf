#include "warehouse/quota.h"

#include "base/text_fit.h"

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Most threads look again this often whether a slot is free; a DML statement takes seconds. */
#define SLOT_POLL_MS 100
/* How long an endpoint that went silent is left alone. */
#define CIRCUIT_PAUSE_MS 5000
#define HOUR_US          ((int64_t)3600 * 1000000)
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
    int64_t entered_ms;                   /* of the latest look at this record */
    struct quota_hour hours[QUOTA_HOURS]; /* each at its number modulo their count */
    bool created;                         /* by us, at created_ms */
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
    struct quota_outage outage;
    void (*watch)(void *context, const struct quota_outage *outage); /* may be NULL */
    void *watch_context;
    unsigned given_up; /* of its attempts, those of passes that have ended */
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

static int64_t present_hour(const struct quota *quota)
{
    return quota->clock->wall_us(quota->clock->context) / HOUR_US;
}

int64_t quota_first_hour(int64_t wall_us)
{
    return wall_us / HOUR_US - (QUOTA_HOURS - 1);
}

/* The first hour that counts now. */
static int64_t first_hour(const struct quota *quota)
{
    return present_hour(quota) - (QUOTA_HOURS - 1);
}

static int64_t used_since(const struct table_quota *one, int64_t first_hour)
{
    int64_t sum = 0;

    for (int i = 0; i < QUOTA_HOURS; i++)
        if (one->hours[i].hour >= first_hour)
            sum += one->hours[i].modifications;
    return sum;
}

/* The table's record of an hour, emptied if it is still that of an earlier one. */
static struct quota_hour *hour_of(struct table_quota *one, int64_t hour)
{
    struct quota_hour *out = &one->hours[hour % QUOTA_HOURS];

    if (out->hour != hour)
        *out = (struct quota_hour){.hour = hour};
    return out;
}

static bool is_fresh(const struct quota *quota, const struct table_quota *one)
{
    return one->created && now_ms(quota) - one->created_ms < FRESH_MS;
}

/* Staging tables have names of their own each time: records of tables that have used nothing lately
 * are deleted. */
static void forget_unused(struct quota *quota)
{
    int64_t first = first_hour(quota);
    int64_t now = now_ms(quota);
    struct table_quota **link = &quota->tables;

    while (*link != NULL) {
        struct table_quota *one = *link;
        if (one->dml_running > 0 || is_fresh(quota, one) ||
            now - one->entered_ms < QUOTA_WINDOW_MS || used_since(one, first) > 0) {
            link = &one->next;
        } else {
            *link = one->next;
            free(one);
        }
    }
}

/* The table's record, made if there is none; NULL without memory. */
static struct table_quota *find_table(struct quota *quota, const char *table)
{
    struct table_quota *one = quota->tables;

    while (one != NULL && strcmp(one->table, table) != 0)
        one = one->next;
    if (one == NULL) {
        forget_unused(quota);
        size_t length = strlen(table) + 1;
        one = calloc(1, sizeof *one + length);
        if (one == NULL)
            return NULL;
        memcpy(one->table, table, length);
        one->next = quota->tables;
        quota->tables = one;
    }
    one->entered_ms = now_ms(quota);
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

    if (kind == QUOTA_METADATA)
        return window_take(&one->metadata, QUOTA_METADATA_LIMIT, now);
    if (one->dml_running >= QUOTA_DML_AT_ONCE)
        return SLOT_POLL_MS;
    int64_t wait = window_take(&one->dml, QUOTA_DML_LIMIT, now);
    if (wait == 0)
        one->dml_running++;
    return wait;
}

bool quota_enter(struct quota *quota, const char *table, enum quota_kind kind, struct error *err)
{
    for (;;) {
        pthread_mutex_lock(&quota->lock);
        struct table_quota *one = find_table(quota, table);
        int64_t wait = one == NULL ? 0 : take(quota, one, kind);
        pthread_mutex_unlock(&quota->lock);

        if (one == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory for quotas");
        if (wait == 0)
            return true;
        if (!quota->clock->sleep_ms(quota->clock->context, wait))
            return error_set(err, ERROR_STOPPED, "asked to stop while pacing table %s", table);
    }
}

/* The first hour that has to count no longer before the load fits; 0 if it fits. */
static int64_t hour_in_the_way(
    const struct table_quota *one, int64_t present, const struct quota_load *load)
{
    int64_t first = present - (QUOTA_HOURS - 1);

    if (used_since(one, first) + load->modifications <= load->limit)
        return 0;
    while (first < present && used_since(one, first + 1) + load->modifications > load->limit)
        first++;
    return first;
}

static bool refuse_modification(
    const char *table, int64_t used, const struct quota_load *load, int64_t fits_us,
    struct error *err)
{
    char text[CLOCK_TEXT_SIZE];
    bool partitions = load->limit != QUOTA_DAILY_LIMIT;

    return error_set(
        err, ERROR_QUOTA,
        "table %s: %" PRId64 " %s in the last 24 hours%s, and BigQuery allows %" PRId64 " for a "
        "table; its next sync is at %s. A longer BQ_SYNC_INTERVAL, or mode upsert, uses fewer",
        table, used, partitions ? "partitions changed" : "loads and copies",
        partitions ? " by loads" : "", load->limit, clock_format(fits_us, text));
}

bool quota_modify(
    struct quota *quota, const char *table, const struct quota_load *load, struct error *err)
{
    int64_t present = present_hour(quota);

    pthread_mutex_lock(&quota->lock);
    struct table_quota *one = find_table(quota, table);
    int64_t used = one == NULL ? 0 : used_since(one, present - (QUOTA_HOURS - 1));
    int64_t hour = one == NULL ? 0 : hour_in_the_way(one, present, load);
    if (one != NULL && hour == 0)
        hour_of(one, present)->modifications += load->modifications;
    pthread_mutex_unlock(&quota->lock);
    if (one == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for quotas");
    return hour == 0 || refuse_modification(table, used, load, (hour + QUOTA_HOURS) * HOUR_US, err);
}

void quota_dml_done(struct quota *quota, const char *table)
{
    pthread_mutex_lock(&quota->lock);
    struct table_quota *one = find_table(quota, table);
    if (one != NULL && one->dml_running > 0)
        one->dml_running--;
    pthread_mutex_unlock(&quota->lock);
}

int64_t quota_used(struct quota *quota, const char *table)
{
    struct quota_hour hours[QUOTA_HOURS];
    int64_t used = 0;

    for (size_t i = quota_hours(quota, table, hours); i > 0; i--)
        used += hours[i - 1].modifications;
    return used;
}

size_t quota_hours(
    struct quota *quota, const char *table, struct quota_hour out[static QUOTA_HOURS])
{
    int64_t first = first_hour(quota);
    size_t count = 0;

    pthread_mutex_lock(&quota->lock);
    const struct table_quota *one = find_table(quota, table);
    for (int i = 0; one != NULL && i < QUOTA_HOURS; i++)
        if (one->hours[i].hour >= first && one->hours[i].modifications > 0)
            out[count++] = one->hours[i];
    pthread_mutex_unlock(&quota->lock);
    return count;
}

void quota_restore(struct quota *quota, const char *table, struct quota_hour hour)
{
    int64_t present = present_hour(quota);

    if (hour.hour < present - (QUOTA_HOURS - 1) || hour.hour > present)
        return;
    pthread_mutex_lock(&quota->lock);
    struct table_quota *one = find_table(quota, table);
    struct quota_hour *known = one == NULL ? NULL : hour_of(one, hour.hour);
    if (known != NULL && known->modifications < hour.modifications)
        known->modifications = hour.modifications;
    pthread_mutex_unlock(&quota->lock);
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

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

/* Whether the name stands in the text, and not inside of another. */
static bool names(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name))
        if ((at == text || !is_of_name(at[-1])) && !is_of_name(at[length]))
            return true;
    return false;
}

bool quota_names_fresh(struct quota *quota, const char *text)
{
    bool found = false;

    pthread_mutex_lock(&quota->lock);
    for (struct table_quota *one = quota->tables; one != NULL && !found; one = one->next)
        found = is_fresh(quota, one) && names(text, one->table);
    pthread_mutex_unlock(&quota->lock);
    return found;
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

/* The caller holds the lock. */
static void tell_watch(struct quota *quota)
{
    if (quota->watch != NULL)
        quota->watch(quota->watch_context, &quota->outage);
}

void quota_watch(
    struct quota *quota, void (*watch)(void *context, const struct quota_outage *outage),
    void *context)
{
    pthread_mutex_lock(&quota->lock);
    quota->watch = watch;
    quota->watch_context = context;
    if (quota->outage.attempts > 0)
        tell_watch(quota);
    pthread_mutex_unlock(&quota->lock);
}

void quota_answered_well(struct quota *quota)
{
    pthread_mutex_lock(&quota->lock);
    quota->circuit_open = false;
    quota->trouble = false;
    quota->answered_ms = now_ms(quota);
    bool over = quota->outage.attempts > 0;
    quota->outage = (struct quota_outage){0};
    if (over)
        tell_watch(quota);
    quota->given_up = 0;
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
    quota->given_up = quota->outage.attempts;
    pthread_mutex_unlock(&quota->lock);
}

void quota_note_attempt(struct quota *quota, unsigned attempt, const char *message)
{
    pthread_mutex_lock(&quota->lock);
    struct quota_outage *outage = &quota->outage;
    if (outage->attempts == 0)
        outage->since_us = quota->clock->wall_us(quota->clock->context);
    // Of calls that fail side by side, the one that has been tried most often counts.
    if (quota->given_up + attempt > outage->attempts)
        outage->attempts = quota->given_up + attempt;
    text_format(outage->message, sizeof outage->message, "%s", message);
    tell_watch(quota);
    pthread_mutex_unlock(&quota->lock);
}

void quota_outage(struct quota *quota, struct quota_outage *out_outage)
{
    pthread_mutex_lock(&quota->lock);
    *out_outage = quota->outage;
    pthread_mutex_unlock(&quota->lock);
}

void quota_circuit_silent(struct quota *quota)
{
    pthread_mutex_lock(&quota->lock);
    quota->circuit_open = true;
    quota->circuit_until_ms = now_ms(quota) + CIRCUIT_PAUSE_MS;
    pthread_mutex_unlock(&quota->lock);
}
