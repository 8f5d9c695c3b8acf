#include "bqlocal/store/limit.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/value.h"

#include <stdio.h>
#include <string.h>

bool limit_is_set(const struct store_field *field)
{
    return field->length > 0 || field->precision > 0;
}

const char *limit_type_name(const struct store_field *field, char out[LIMIT_TEXT_SIZE])
{
    const char *type = store_type_sql(field->type);

    if (field->length > 0)
        snprintf(out, LIMIT_TEXT_SIZE, "%s(%lld)", type, (long long)field->length);
    else if (field->precision == 0 || field->type == STORE_INT64)
        snprintf(out, LIMIT_TEXT_SIZE, "%s", type);
    else if (field->scale > 0)
        snprintf(out, LIMIT_TEXT_SIZE, "%s(%d, %d)", type, field->precision, field->scale);
    else
        snprintf(out, LIMIT_TEXT_SIZE, "%s(%d)", type, field->precision);
    return out;
}

bool limit_is_wider(const struct store_field *old, const struct store_field *new)
{
    bool longer = new->length == 0 || (old->length > 0 && new->length >= old->length);
    bool larger = new->precision == 0 ||
                  (old->precision > 0 && new->scale >= old->scale &&new->precision - new->scale >=
                                             old->precision - old->scale);

    return longer && larger;
}

bool limit_check(const struct store_field *field, struct slice value, struct error *err)
{
    char type[LIMIT_TEXT_SIZE];
    int64_t length = 0;

    if (field->length == 0 || (int64_t)value.length <= field->length)
        return true;
    // A STRING counts characters.
    for (size_t i = 0; i < value.length; i++)
        length += field->type == STORE_BYTES || (value.data[i] & 0xC0) != 0x80;
    return length <= field->length ||
           failure_set(
               err, "invalid",
               "Field %s: %s has maximum length %lld but got a value with length %lld", field->name,
               limit_type_name(field, type), (long long)field->length, (long long)length);
}

/* Adds one to the last of the digits from first to end; the text has room for one more in front. */
static void count_up(char *first, char *end)
{
    char *at = end;

    while (at > first) {
        at--;
        if (*at == '.')
            continue;
        if (*at != '9') {
            ++*at;
            return;
        }
        *at = '0';
    }
    memmove(first + 1, first, strlen(first) + 1);
    *first = '1';
}

/* Leaves scale digits behind the point, and no zeros at their end. */
static void round_digits(char *text, size_t scale)
{
    char *digits = text + (text[0] == '-');
    char *dot = strchr(digits, '.');

    if (dot == NULL || strlen(dot + 1) <= scale)
        return;
    char *cut = scale == 0 ? dot : dot + 1 + scale;
    bool up = dot[1 + scale] >= '5';
    *cut = '\0';
    if (up)
        count_up(digits, cut);
    dot = strchr(digits, '.');
    for (char *end = text + strlen(text) - 1; dot != NULL && (*end == '0' || *end == '.'); end--) {
        bool was_dot = *end == '.';
        *end = '\0';
        if (was_dot)
            break;
    }
    if (strcmp(text, "-0") == 0)
        memcpy(text, "0", 2);
}

bool limit_round(
    const struct store_field *field, struct slice decimal, char *out, struct error *err)
{
    char type[LIMIT_TEXT_SIZE];
    int whole = field->precision - field->scale;

    if (decimal.length >= VALUE_TEXT_SIZE - 1)
        return failure_set(err, "invalid", "Field %s: a decimal is too long", field->name);
    memcpy(out, decimal.data, decimal.length);
    out[decimal.length] = '\0';
    if (field->precision == 0)
        return true;
    round_digits(out, (size_t)field->scale);
    const char *digits = out + (out[0] == '-');
    size_t length = digits[0] == '0' ? 0 : strcspn(digits, ".");
    return (int64_t)length <= whole ||
           failure_set(
               err, "invalid",
               "Field %s: %s has precision %d and scale %d but got a value with %zu digits before "
               "the decimal point",
               field->name, limit_type_name(field, type), field->precision, field->scale, length);
}

char *limit_sql(const struct store_field *field, const char *value)
{
    return sqlite3_mprintf(
        "bq_limit(%s,%Q,%d,%lld,%d,%d)", value, field->name, (int)field->type,
        (long long)field->length, field->precision, field->scale);
}
