/* limit: what the parameters of a column's type allow: STRING(n) and BYTES(n) no longer value,
 * NUMERIC(p, s) and BIGNUMERIC(p, s) no larger one, and no more than s digits behind the point:
 * what has more is rounded, half away from zero ("Parameterized data types" of the GoogleSQL
 * reference). Pure; any thread. */
#ifndef BQLOCAL_STORE_LIMIT_H
#define BQLOCAL_STORE_LIMIT_H

#include "bqlocal/store/store.h"

#include "base/slice.h"

#define LIMIT_TEXT_SIZE 48

/* Whether the field's type has parameters. */
bool limit_is_set(const struct store_field *field);
/* The type as SQL writes it: "STRING(5)". */
const char *limit_type_name(const struct store_field *field, char out[LIMIT_TEXT_SIZE]);
/* Whether each value of the old field is one of the new, whose type is the same. */
bool limit_is_wider(const struct store_field *old, const struct store_field *new);

/* Whether a STRING or BYTES value fits; if not, err says why (invalid). */
MUST_CHECK bool limit_check(const struct store_field *field, struct slice value, struct error *err);
/* Rounds a decimal in the store's form and checks it; out has VALUE_TEXT_SIZE bytes. */
MUST_CHECK bool limit_round(
    const struct store_field *field, struct slice decimal, char *out, struct error *err);

/* SQL that gives the value as the field keeps it, or fails (bq_limit); of sqlite3_malloc, NULL if
 * there is no memory. */
char *limit_sql(const struct store_field *field, const char *value);

#endif
