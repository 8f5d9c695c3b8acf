#include "sync/bounds.h"

#include "encode/avro_value.h"
#include "encode/parameter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* An encoded text has its length in front. */
#define VALUE_CEILING (BOUNDS_TEXT_MAX + 16)

void bounds_open(struct bounds *out, const struct table *table, size_t number)
{
    *out = (struct bounds){.table = table, .number = number};
}

void bounds_begin_within(struct bounds *bounds, int64_t known)
{
    bounds->within = bounds->table->merge_within_sql != NULL;
    bounds->known = known;
    buffer_init(&bounds->partition.low, VALUE_CEILING);
    buffer_init(&bounds->partition.high, VALUE_CEILING);
}

void bounds_end_within(struct bounds *bounds)
{
    buffer_clear(&bounds->partition.low);
    buffer_clear(&bounds->partition.high);
    bounds->within = false;
}

static void give_up(struct bounds *bounds)
{
    bounds_end_within(bounds);
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

/* What is behind the columns of a record: _bqsync_deleted. */
static bool is_tombstone(struct slice rest)
{
    return rest.length > 0 && avro_value_present(&rest) && avro_value_bool(&rest);
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
    for (size_t i = 0; (left > 0 || bounds->within) && i < table->column_count; i++) {
        enum column_type type = table->columns[i].type;
        bool present = avro_value_present(&record);
        const struct slice value =
            present ? avro_value_take(&record, type) : (struct slice){NULL, 0};
        size_t k = key_of(table, i);
        if (bounds->within && table->columns[i].immutable &&
            !(present && widen(&bounds->partition, type, value)))
            bounds_end_within(bounds);
        if (k == table->key_count)
            continue;
        left--;
        // NULL is below no value and above none.
        if (!present || !widen(&bounds->keys[k], type, value)) {
            give_up(bounds);
            return true;
        }
    }
    if (bounds->within && is_tombstone(record))
        bounds_end_within(bounds);
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

/* Two parameters, the number-th from 1. */
static void append_bound(
    struct buffer *out, const struct bounds *bounds, size_t number, enum column_type type,
    const struct bound *bound)
{
    const struct buffer *values[] = {&bound->low, &bound->high};
    char room[32];
    char name[96];

    for (size_t side = 0; side < 2; side++) {
        snprintf(
            name, sizeof name, "%s%s_%zu", prefix(bounds, room), side == 0 ? "low" : "high",
            number);
        parameter_append_scalar(out, name, type, buffer_slice(values[side]));
    }
}

static void append_within(struct buffer *out, const struct bounds *bounds)
{
    const struct table *table = bounds->table;
    size_t column = 0;

    while (!table->columns[column].immutable)
        column++;
    append_bound(
        out, bounds, table->key_count + 1, table->columns[column].type, &bounds->partition);
    buffer_printf(
        out,
        ",{\"name\":\"known\",\"parameterType\":{\"type\":\"INT64\"},"
        "\"parameterValue\":{\"value\":\"%" PRId64 "\"}}",
        bounds->known);
}

void bounds_append_parameters(struct buffer *out, const struct bounds *bounds)
{
    for (size_t k = 0; bounds->keys != NULL && k < bounds->table->key_count; k++) {
        const struct column *column = &bounds->table->columns[bounds->table->key[k]];
        if (column->bounded)
            append_bound(out, bounds, k + 1, column->type, &bounds->keys[k]);
    }
    if (bounds->within)
        append_within(out, bounds);
}
