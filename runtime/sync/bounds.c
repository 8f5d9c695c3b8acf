#include "sync/bounds.h"

#include "encode/avro_value.h"
#include "encode/parameter.h"

#include <stdio.h>
#include <stdlib.h>

/* An encoded text has its length in front. */
#define VALUE_CEILING (BOUNDS_TEXT_MAX + 16)

void bounds_open(struct bounds *out, const struct table *table, size_t number)
{
    *out = (struct bounds){.table = table, .number = number};
}

static void give_up(struct bounds *bounds)
{
    for (size_t k = 0; bounds->keys != NULL && k < bounds->table->key_count; k++) {
        buffer_clear(&bounds->keys[k].low);
        buffer_clear(&bounds->keys[k].high);
    }
    free(bounds->keys);
    bounds->keys = NULL;
    bounds->given_up = true;
}

void bounds_clear(struct bounds *bounds)
{
    give_up(bounds);
    *bounds = (struct bounds){0};
}

/* --- the keys of rows -------------------------------------------------------------------- */

static void set(struct buffer *bound, struct slice value)
{
    buffer_reset(bound);
    buffer_append_slice(bound, value);
}

static bool begin(struct bounds *bounds, struct error *err)
{
    size_t count = bounds->table->key_count;

    bounds->keys = calloc(count, sizeof *bounds->keys);
    if (bounds->keys == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for the bounds of keys");
    for (size_t k = 0; k < count; k++) {
        buffer_init(&bounds->keys[k].low, VALUE_CEILING);
        buffer_init(&bounds->keys[k].high, VALUE_CEILING);
    }
    return true;
}

/* The key column that this column is, key_count if it is none that has bounds. */
static size_t key_of(const struct table *table, size_t column)
{
    size_t k = 0;

    while (k < table->key_count && table->key[k] != column)
        k++;
    return k < table->key_count && table->columns[column].bounded ? k : table->key_count;
}

/* False: the value cannot be a bound. */
static bool widen(struct bound *bound, enum column_type type, struct slice value)
{
    bool first = bound->low.length == 0;

    if (value.length > VALUE_CEILING)
        return false;
    if (first || avro_value_compare(type, value, buffer_slice(&bound->low)) < 0)
        set(&bound->low, value);
    if (first || avro_value_compare(type, value, buffer_slice(&bound->high)) > 0)
        set(&bound->high, value);
    return bound->low.failure == BUFFER_OK && bound->high.failure == BUFFER_OK;
}

bool bounds_add(struct bounds *bounds, struct slice record, struct error *err)
{
    const struct table *table = bounds->table;
    size_t left = 0;

    if (bounds->given_up || table->bounds_sql == NULL)
        return true;
    if (bounds->keys == NULL && !begin(bounds, err))
        return false;
    for (size_t k = 0; k < table->key_count; k++)
        left += table->columns[table->key[k]].bounded ? 1 : 0;
    for (size_t i = 0; left > 0 && i < table->column_count; i++) {
        enum column_type type = table->columns[i].type;
        bool present = avro_value_present(&record);
        const struct slice value =
            present ? avro_value_take(&record, type) : (struct slice){NULL, 0};
        size_t k = key_of(table, i);
        if (k == table->key_count)
            continue;
        left--;
        // NULL is below no value and above none.
        if (!present || !widen(&bounds->keys[k], type, value)) {
            give_up(bounds);
            return true;
        }
    }
    return true;
}

/* --- what the statement says ------------------------------------------------------------- */

/* What stands in front of the names of this statement's parameters. */
static const char *prefix(const struct bounds *bounds, char room[static 32])
{
    room[0] = '\0';
    if (bounds->number > 0)
        snprintf(room, 32, "t%zu_", bounds->number);
    return room;
}

void bounds_append_condition(struct buffer *sql, const struct bounds *bounds)
{
    char room[32];

    if (bounds->keys == NULL)
        return;
    // Names of columns are letters, digits and underscores, so each @ begins a parameter.
    for (const char *at = bounds->table->bounds_sql; *at != '\0'; at++) {
        buffer_append_byte(sql, (uint8_t)*at);
        if (*at == '@')
            buffer_append_text(sql, prefix(bounds, room));
    }
}

static void append_parameter(
    struct buffer *out, const struct bounds *bounds, const char *side, size_t key,
    const struct buffer *value)
{
    enum column_type type = bounds->table->columns[bounds->table->key[key]].type;
    char room[32];
    char name[96];

    snprintf(name, sizeof name, "%s%s_%zu", prefix(bounds, room), side, key + 1);
    if (out->length > 0)
        buffer_append_byte(out, ',');
    parameter_append_scalar(out, name, type, buffer_slice(value));
}

void bounds_append_parameters(struct buffer *out, const struct bounds *bounds)
{
    for (size_t k = 0; bounds->keys != NULL && k < bounds->table->key_count; k++) {
        if (!bounds->table->columns[bounds->table->key[k]].bounded)
            continue;
        append_parameter(out, bounds, "low", k, &bounds->keys[k].low);
        append_parameter(out, bounds, "high", k, &bounds->keys[k].high);
    }
}
