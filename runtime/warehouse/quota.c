#include "warehouse/governor.h"

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
    int64_t at_ms[GOVERNOR_DML_LIMIT];
    unsigned next;
    unsigned filled;
};

struct usage {
    struct usage *next;
    struct window metadata;
    struct window dml;
    unsigned dml_running;
    struct governor_use use;
    bool created; /* by us, at created_ms */
    int64_t created_ms;
    char table[];
};

struct governor {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct usage *usages;
    bool circuit_open;
    int64_t circuit_until_ms;
    bool trouble;
    int64_t trouble_since_ms;
    int64_t trouble_latest_ms;
    int64_t answered_ms; /* the latest good answer */
};

struct governor *governor_new(const struct clock *clock)
{
    struct governor *governor = calloc(1, sizeof *governor);

    if (governor == NULL)
        return NULL;
    governor->clock = clock;
    governor->answered_ms = INT64_MIN;
    pthread_mutex_init(&governor->lock, NULL);
    return governor;
}

void governor_free(struct governor *governor)
{
    if (governor == NULL)
        return;
    while (governor->usages != NULL) {
        struct usage *next = governor->usages->next;
        free(governor->usages);
        governor->usages = next;
    }
    pthread_mutex_destroy(&governor->lock);
    free(governor);
}

static int64_t now_ms(const struct governor *governor)
{
    return governor->clock->monotonic_ms(governor->clock->context);
}

static int64_t today(const struct governor *governor)
{
    return governor_day(governor->clock->wall_us(governor->clock->context));
}

int64_t governor_day(int64_t wall_us)
{
    return (wall_us / 1000000 - PACIFIC_OFFSET_S) / DAY_S;
}

int64_t governor_day_end_us(int64_t day)
{
    return ((day + 1) * DAY_S + PACIFIC_OFFSET_S) * 1000000;
}

/* Staging tables have names of their own each time: what is left of another day goes. */
static void forget_other_days(struct governor *governor, int64_t day)
{
    struct usage **link = &governor->usages;

    while (*link != NULL) {
        struct usage *usage = *link;
        if (usage->use.day == day || usage->dml_running > 0) {
            link = &usage->next;
        } else {
            *link = usage->next;
            free(usage);
        }
    }
}

/* The table's record, made if there is none, with a count of today; NULL without memory. */
static struct usage *usage_of(struct governor *governor, const char *table)
{
    int64_t day = today(governor);
    struct usage *usage = governor->usages;

    while (usage != NULL && strcmp(usage->table, table) != 0)
        usage = usage->next;
    if (usage == NULL) {
        forget_other_days(governor, day);
        size_t length = strlen(table) + 1;
        usage = calloc(1, sizeof *usage + length);
        if (usage == NULL)
            return NULL;
        memcpy(usage->table, table, length);
        usage->next = governor->usages;
        governor->usages = usage;
    }
    if (usage->use.day != day)
        usage->use = (struct governor_use){.day = day};
    return usage;
}

/* Milliseconds until one more fits in the window, 0 if it does now, and is counted then. */
static int64_t window_take(struct window *window, unsigned limit, int64_t now)
{
    if (window->filled == limit) {
        int64_t wait = window->at_ms[window->next] + GOVERNOR_WINDOW_MS - now;
        if (wait > 0)
            return wait;
    } else {
        window->filled++;
    }
    window->at_ms[window->next] = now;
    window->next = (window->next + 1) % limit;
    return 0;
}

static int64_t take(struct governor *governor, struct usage *usage, enum governor_kind kind)
{
    int64_t now = now_ms(governor);

    switch (kind) {
    case GOVERNOR_METADATA:
        return window_take(&usage->metadata, GOVERNOR_METADATA_LIMIT, now);
    case GOVERNOR_DML:
        if (usage->dml_running >= GOVERNOR_DML_AT_ONCE)
            return SLOT_POLL_MS;
        int64_t wait = window_take(&usage->dml, GOVERNOR_DML_LIMIT, now);
        if (wait == 0)
            usage->dml_running++;
        return wait;
    case GOVERNOR_MODIFICATION:
        break;
    }
    usage->use.modifications++;
    return 0;
}

static bool refuse_modification(const char *table, int64_t day, struct error *err)
{
    char text[CLOCK_TEXT_SIZE];

    return error_set(
        err, ERROR_QUOTA,
        "table %s: %d loads and copies today, as many as BigQuery allows a table in a day; it goes "
        "on at %s. A longer BQ_SYNC_INTERVAL, or mode upsert, uses fewer",
        table, GOVERNOR_MODIFICATIONS_A_DAY, clock_format(governor_day_end_us(day), text));
}

bool governor_enter(
    struct governor *governor, const char *table, enum governor_kind kind, struct error *err)
{
    for (;;) {
        pthread_mutex_lock(&governor->lock);
        struct usage *usage = usage_of(governor, table);
        bool used_up = usage != NULL && kind == GOVERNOR_MODIFICATION &&
                       usage->use.modifications >= GOVERNOR_MODIFICATIONS_A_DAY;
        int64_t wait = usage == NULL || used_up ? 0 : take(governor, usage, kind);
        pthread_mutex_unlock(&governor->lock);

        if (usage == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory for quotas");
        if (used_up)
            return refuse_modification(table, today(governor), err);
        if (wait == 0)
            return true;
        if (!governor->clock->sleep_ms(governor->clock->context, wait))
            return error_set(err, ERROR_STOPPED, "asked to stop while pacing table %s", table);
    }
}

void governor_dml_done(struct governor *governor, const char *table)
{
    pthread_mutex_lock(&governor->lock);
    struct usage *usage = usage_of(governor, table);
    if (usage != NULL && usage->dml_running > 0)
        usage->dml_running--;
    pthread_mutex_unlock(&governor->lock);
}

struct governor_use governor_use(struct governor *governor, const char *table)
{
    struct governor_use use = {0};

    pthread_mutex_lock(&governor->lock);
    struct usage *usage = usage_of(governor, table);
    if (usage != NULL)
        use = usage->use;
    pthread_mutex_unlock(&governor->lock);
    return use;
}

void governor_restore(struct governor *governor, const char *table, struct governor_use use)
{
    pthread_mutex_lock(&governor->lock);
    struct usage *usage = usage_of(governor, table);
    if (usage != NULL && usage->use.day == use.day && usage->use.modifications < use.modifications)
        usage->use.modifications = use.modifications;
    pthread_mutex_unlock(&governor->lock);
}

void governor_visit(
    struct governor *governor,
    void (*visit)(void *context, const char *table, struct governor_use use), void *context)
{
    pthread_mutex_lock(&governor->lock);
    int64_t day = today(governor);
    for (struct usage *usage = governor->usages; usage != NULL; usage = usage->next)
        if (usage->use.day == day && usage->use.modifications > 0)
            visit(context, usage->table, usage->use);
    pthread_mutex_unlock(&governor->lock);
}

static bool is_fresh(const struct governor *governor, const struct usage *usage)
{
    return usage->created && now_ms(governor) - usage->created_ms < FRESH_MS;
}

void governor_note_created(struct governor *governor, const char *table)
{
    pthread_mutex_lock(&governor->lock);
    struct usage *usage = usage_of(governor, table);
    if (usage != NULL) {
        usage->created = true;
        usage->created_ms = now_ms(governor);
    }
    pthread_mutex_unlock(&governor->lock);
}

bool governor_is_fresh(struct governor *governor, const char *table)
{
    bool fresh = false;

    pthread_mutex_lock(&governor->lock);
    for (struct usage *usage = governor->usages; usage != NULL && !fresh; usage = usage->next)
        fresh = strcmp(usage->table, table) == 0 && is_fresh(governor, usage);
    pthread_mutex_unlock(&governor->lock);
    return fresh;
}

bool governor_names_fresh(struct governor *governor, const char *text)
{
    bool names = false;

    pthread_mutex_lock(&governor->lock);
    for (struct usage *usage = governor->usages; usage != NULL && !names; usage = usage->next)
        names = is_fresh(governor, usage) && strstr(text, usage->table) != NULL;
    pthread_mutex_unlock(&governor->lock);
    return names;
}

int64_t governor_forecast(int64_t interval_ms, int64_t modifications_a_pass)
{
    int64_t day_ms = (int64_t)86400 * 1000;

    if (interval_ms <= 0)
        return 0;
    return (day_ms + interval_ms - 1) / interval_ms * modifications_a_pass;
}

bool governor_circuit_allows(struct governor *governor)
{
    pthread_mutex_lock(&governor->lock);
    bool allows = !governor->circuit_open;
    if (!allows && now_ms(governor) >= governor->circuit_until_ms) {
        // One goes ahead. Should it end without a word (stopped), the next may go in its turn.
        governor->circuit_until_ms = now_ms(governor) + CIRCUIT_PAUSE_MS;
        allows = true;
    }
    pthread_mutex_unlock(&governor->lock);
    return allows;
}

void governor_answered_well(struct governor *governor)
{
    pthread_mutex_lock(&governor->lock);
    governor->circuit_open = false;
    governor->trouble = false;
    governor->answered_ms = now_ms(governor);
    pthread_mutex_unlock(&governor->lock);
}

int64_t governor_trouble_left(struct governor *governor, int64_t budget_ms)
{
    pthread_mutex_lock(&governor->lock);
    int64_t now = now_ms(governor);
    if (!governor->trouble || now - governor->trouble_latest_ms > budget_ms) {
        governor->trouble = true;
        governor->trouble_since_ms = now;
    }
    governor->trouble_latest_ms = now;
    int64_t left = governor->trouble_since_ms + budget_ms - now;
    pthread_mutex_unlock(&governor->lock);
    return left;
}

bool governor_is_silent_since(struct governor *governor, int64_t since_ms)
{
    pthread_mutex_lock(&governor->lock);
    bool silent = governor->answered_ms < since_ms;
    pthread_mutex_unlock(&governor->lock);
    return silent;
}

void governor_forget_trouble(struct governor *governor)
{
    pthread_mutex_lock(&governor->lock);
    governor->trouble = false;
    governor->circuit_open = false;
    pthread_mutex_unlock(&governor->lock);
}

void governor_circuit_silent(struct governor *governor)
{
    pthread_mutex_lock(&governor->lock);
    governor->circuit_open = true;
    governor->circuit_until_ms = now_ms(governor) + CIRCUIT_PAUSE_MS;
    pthread_mutex_unlock(&governor->lock);
}
