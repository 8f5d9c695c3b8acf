/* Numbers between text, INTEGER and REAL: INT64, FLOAT64, NUMERIC and BIGNUMERIC columns read a
 * number if nothing of it is lost, and what is printed is the same number. The oracle writes all
 * digits down; the C library's strtod says which double is the nearest. */
#include "fuzz/fuzz.h"
#include "fuzz/one_value.h"
#include "fuzz/oracle_decimal.h"

#include "base/int_text.h"
#include "base/json_number.h"
#include "encode/column.h"
#include "encode/decimal.h"
#include "encode/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTEGER, REAL, NUMERIC, BIGNUMERIC, COUNT };

static const struct column columns[] = {
    [INTEGER] = {.name = "i", .type = COLUMN_INT64},
    [REAL] = {.name = "r", .type = COLUMN_FLOAT64},
    [NUMERIC] = {.name = "n", .type = COLUMN_NUMERIC},
    [BIGNUMERIC] = {.name = "b", .type = COLUMN_BIGNUMERIC},
};

static const struct table table = {.name = "t", .columns = columns, .column_count = COUNT};

static struct one_value_reader reader;

/* The limits ("Data types", "Decimal types"): 10^38 - 1 of 10^-9, 2^255 - 1 of 10^-38, and one more
 * of that below zero. */
#define NUMERIC_MAX "99999999999999999999999999999.999999999"
#define BIGNUMERIC_MAX                                                                             \
    "578960446186580977117854925043439539266.34992332820282019728792003956564819967"
#define BIGNUMERIC_MIN                                                                             \
    "578960446186580977117854925043439539266.34992332820282019728792003956564819968"

/* A value, and the number that it is. */
struct given {
    struct one_value value;
    bool plain; /* sign and digits only */
    struct oracle_decimal number;
    double nearest; /* the number as strtod rounds it */
    char text[700];
};

static void take_number(struct fuzz *in, struct given *out)
{
    uint64_t bits;
    size_t kind = fuzz_choice(in, 4);

    *out = (struct given){.value.storage = SQLITE_TEXT};
    if (kind == 0) {
        out->value.storage = SQLITE_INTEGER;
        out->value.integer = (int64_t)fuzz_uint64(in) >> fuzz_choice(in, 64);
        snprintf(out->text, sizeof out->text, "%" PRId64, out->value.integer);
    } else if (kind == 1) {
        out->value.storage = SQLITE_FLOAT;
        bits = fuzz_uint64(in);
        memcpy(&out->value.real, &bits, sizeof bits);
        if (!isfinite(out->value.real))
            out->value.real = (double)(int64_t)bits;
    } else {
        struct slice rest = fuzz_rest(in);
        rest.length = rest.length < sizeof out->text - 1 ? rest.length : sizeof out->text - 1;
        memcpy(out->text, rest.data, rest.length);
        out->value.bytes = (struct slice){out->text, rest.length};
    }
}

/* Whether it is a number at all. */
static bool understand(struct given *given)
{
    if (given->value.storage == SQLITE_FLOAT) {
        oracle_decimal_shortest(given->value.real, &given->number);
        given->nearest = given->value.real;
        return true;
    }
    struct slice text =
        given->value.storage == SQLITE_TEXT ? given->value.bytes : slice_of(given->text);
    if (!oracle_decimal_read(text, &given->number))
        return false;
    given->plain = text.length == strcspn(text.data, ".eE");
    given->nearest = strtod(given->text, NULL);
    return true;
}

#define SHOWN(given) (given)->value.storage, (given)->value.real, (given)->text

static void check_integer(const struct given *given, bool number)
{
    struct value_int64 got = column_int64(&reader.in, INTEGER);
    struct oracle_decimal printed;
    char room[INT_TEXT_SIZE];
    int64_t value = 0;
    bool exact = false;
    bool fits =
        number && (given->value.storage == SQLITE_FLOAT || given->plain) &&
        oracle_decimal_scale(
            &given->number, &(struct oracle_scale){1, 1, 0}, ORACLE_FLOOR, &value, &exact) &&
        exact;

    if (number && given->value.storage == SQLITE_FLOAT) {
        // Its exact value, which its shortest digits need not be.
        struct oracle_decimal all;
        oracle_decimal_of_real(given->value.real, &all);
        fits = oracle_decimal_scale(
                   &all, &(struct oracle_scale){1, 1, 0}, ORACLE_FLOOR, &value, &exact) &&
               exact;
    }
    FUZZ_REQUIRE(
        got.null != fits && (!fits || got.value == value),
        "class %d, %a, \"%s\": INT64 %" PRId64 "%s", SHOWN(given), got.value,
        got.null ? ", refused" : "");
    if (!fits)
        return;
    FUZZ_REQUIRE(
        oracle_decimal_read(int_text(value, room), &printed) &&
            oracle_decimal_scale(
                &printed, &(struct oracle_scale){1, 1, 0}, ORACLE_FLOOR, &got.value, &exact) &&
            got.value == value && exact,
        "%" PRId64 " is printed as another number", value);
}

static void check_real(const struct given *given, bool number)
{
    struct value_float64 got = column_float64(&reader.in, REAL);
    bool fits = number && isfinite(given->nearest) &&
                (given->nearest != 0 ||
                 (given->number.size == ORACLE_SIZE_KNOWN && given->number.count == 0));

    if (fits && (given->value.storage == SQLITE_INTEGER || given->plain)) {
        struct oracle_decimal all;
        oracle_decimal_of_real(given->nearest, &all);
        // A minus zero is the same integer.
        all.negative = given->number.negative;
        fits = oracle_decimal_equals(&all, &given->number);
    }
    FUZZ_REQUIRE(
        got.null != fits && (!fits || got.value == given->nearest),
        "class %d, %a, \"%s\": FLOAT64 %a%s", SHOWN(given), got.value, got.null ? ", refused" : "");
}

/* Whether the decimal type can hold it exactly. */
static bool decimal_fits(const struct given *given, size_t scale, const char *max, const char *min)
{
    const struct oracle_decimal *number = &given->number;
    struct oracle_decimal limit;

    return number->size == ORACLE_SIZE_KNOWN && number->count <= number->whole + scale &&
           oracle_decimal_read(slice_of(number->negative ? min : max), &limit) &&
           !oracle_decimal_exceeds(number, &limit);
}

/* BigQuery's text of a decimal has no zeros behind, and no point without digits behind it. */
static void check_text(const struct given *given, const char *text)
{
    struct oracle_decimal printed;
    size_t length = strlen(text);
    const char *point = strchr(text, '.');
    size_t first = text[0] == '-';

    FUZZ_REQUIRE(
        oracle_decimal_read(slice_of(text), &printed) &&
            oracle_decimal_equals(&printed, &given->number),
        "\"%s\" is printed as %s", given->text, text);
    FUZZ_REQUIRE(
        (point == NULL || (point > text + first && text[length - 1] != '0' && point[1] != '\0')) &&
            (text[first] != '0' || length == first + 1 || text + first + 1 == point) &&
            (printed.count > 0 || strcmp(text, "0") == 0),
        "\"%s\" is printed as %s", given->text, text);
}

static void check_decimal(const struct given *given, bool number, bool big)
{
    int scale = big ? 38 : 9;
    struct value_decimal got =
        big ? column_bignumeric(&reader.in, BIGNUMERIC) : column_numeric(&reader.in, NUMERIC);
    char room[DECIMAL_TEXT_SIZE];
    bool fits = number && decimal_fits(
                              given, (size_t)scale, big ? BIGNUMERIC_MAX : NUMERIC_MAX,
                              big ? BIGNUMERIC_MIN : NUMERIC_MAX);

    FUZZ_REQUIRE(
        got.null != fits, "class %d, %a, \"%s\": %s %s", SHOWN(given),
        big ? "BIGNUMERIC" : "NUMERIC", got.null ? "refused" : "read");
    if (fits)
        check_text(given, decimal_text(got, scale, room));
}

/* How a double is printed: as one that reads back, with the fewest digits where that is promised.
 */
static void check_printed(double real)
{
    struct oracle_decimal shortest;
    struct oracle_decimal printed;
    struct number number;
    struct buffer out;
    char text[NUMBER_TEXT_SIZE + 1];

    text[number_json_text(real, text)] = '\0';
    oracle_decimal_shortest(real, &shortest);
    FUZZ_REQUIRE(
        oracle_decimal_read(slice_of(text), &printed) &&
            oracle_decimal_equals(&printed, &shortest) && strpbrk(text, ".e") != NULL,
        "%a is printed as %s", real, text);
    FUZZ_REQUIRE(strtod(text, NULL) == real, "%a is printed as %s", real, text);
    number_of_real(real, &number);
    FUZZ_REQUIRE(number_survives_real(&number), "the shortest form of %a does not survive", real);
    buffer_init(&out, 100);
    json_number_append(&out, real);
    FUZZ_REQUIRE(strtod(buffer_text(&out), NULL) == real, "%a: JSON %s", real, buffer_text(&out));
    FUZZ_REQUIRE(
        json_number_equals(slice_of(text), buffer_slice(&out)) ==
            (oracle_decimal_read(buffer_slice(&out), &printed) &&
             oracle_decimal_equals(&printed, &shortest)),
        "%s and %s", text, buffer_text(&out));
    buffer_clear(&out);
}

/* Whether a number survives a double: its shortest form is the number. */
static void check_survival(const struct given *given)
{
    struct oracle_decimal shortest;
    struct number number;

    FUZZ_REQUIRE(number_parse(given->value.bytes, &number), "\"%s\" is no number", given->text);
    bool survives = isfinite(given->nearest);
    if (survives) {
        oracle_decimal_shortest(given->nearest, &shortest);
        shortest.negative = given->number.negative;
        survives = oracle_decimal_equals(&shortest, &given->number);
    }
    FUZZ_REQUIRE(
        number_survives_real(&number) == survives &&
            number_is_beyond_real(&number) == (isinf(given->nearest) != 0),
        "\"%s\" %s", given->text, survives ? "survives" : "does not survive");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);
    struct given given;

    if (reader.db == NULL)
        one_value_open(&reader, &table, "UTF-8");
    take_number(&in, &given);
    one_value_set(&reader, &given.value);
    bool number = understand(&given);
    check_integer(&given, number);
    check_real(&given, number);
    check_decimal(&given, number, false);
    check_decimal(&given, number, true);
    if (number && isfinite(given.nearest))
        check_printed(given.nearest);
    if (number && given.value.storage == SQLITE_TEXT)
        check_survival(&given);
    return 0;
}
