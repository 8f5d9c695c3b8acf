/* oracle_json: a JSON text (RFC 8259) as a tree, read by recursion, and what BigQuery's JSON type
 * would lose of it (docs/schema.md, "Values"). Shares nothing with runtime. The trees live until
 * oracle_json_reset. */
#ifndef TESTS_FUZZ_ORACLE_JSON_H
#define TESTS_FUZZ_ORACLE_JSON_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum oracle_json_kind {
    ORACLE_JSON_WORD, /* null, true or false */
    ORACLE_JSON_NUMBER,
    ORACLE_JSON_STRING,
    ORACLE_JSON_ARRAY,
    ORACLE_JSON_OBJECT,
};

struct oracle_json {
    enum oracle_json_kind kind;
    struct slice text; /* of a word or a number as it stands, of a string its characters in UTF-8 */
    struct slice name; /* of a member of an object */
    struct oracle_json *first; /* of an array or object */
    struct oracle_json *next;
};

struct oracle_json_findings {
    size_t depth;        /* arrays and objects inside one another */
    bool lone_surrogate; /* escaped; it is left out of the text */
    bool beyond_real;    /* a number that is not an integer of 64 bits and beyond any double */
    bool long_integer;   /* an integer beyond -2^63 to 2^64 - 1 */
    bool inexact;        /* another number that its nearest double does not print back */
    bool doubled;        /* a name twice in one object */
};

/* Room for trees of so many values in all. */
#define ORACLE_JSON_VALUES 20000

void oracle_json_reset(void);

/* The tree; NULL if the text is no JSON, whatever its encoding. */
const struct oracle_json *oracle_json_read(
    struct slice text, struct oracle_json_findings *out_findings);

/* Whether both are the same value, number by number as they are written. sorted: the second has
 * each object's members in the order of their names, and of equal names only the first; numbers are
 * not looked at. */
bool oracle_json_same(const struct oracle_json *a, const struct oracle_json *b, bool sorted);

#endif
