/* Which pairs of a column in SQLite and one in BigQuery leave keys as different as they were. */
#include "support/prelude.h"

#include "source/key_conversion.h"

struct pair {
    const char *type;
    enum column_type to;
    enum column_transform transform;
    bool strict;
    bool rowid_alias;
};

static bool one_to_one(struct pair pair)
{
    const struct column column = {.name = "k", .type = pair.to, .transform = pair.transform};

    return key_conversion_is_one_to_one(
        &column, &(struct key_declaration){
                     .type = pair.type, .strict = pair.strict, .rowid_alias = pair.rowid_alias});
}

static void test_types_that_leave_one_form_for_each_value_are_one_to_one(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"INTEGER", COLUMN_INT64, 0, false, true},
        {"INTEGER", COLUMN_STRING, 0, false, true},
        {"INTEGER", COLUMN_STRING, TRANSFORM_SHA256, false, true},
        {"bigint", COLUMN_INT64, 0, false, false},
        {"numeric", COLUMN_INT64, 0, false, false},
        {"decimal(10)", COLUMN_INT64, 0, false, false},
        {"text", COLUMN_STRING, 0, false, false},
        {"VARCHAR(20)", COLUMN_STRING, TRANSFORM_SHA256, false, false},
        {"text", COLUMN_STRING, TRANSFORM_HMAC_SHA256, false, false},
        {"text", COLUMN_BYTES, 0, true, false},
        {"blob", COLUMN_BYTES, 0, true, false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_true(one_to_one(pairs[i]));
}

static void test_types_that_leave_several_forms_are_not(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"", COLUMN_INT64, 0, false, false},
        {"", COLUMN_STRING, 0, false, false},
        {"", COLUMN_STRING, TRANSFORM_SHA256, false, false},
        {"blob", COLUMN_INT64, 0, false, false},
        {"text", COLUMN_INT64, 0, false, false},
        {"text", COLUMN_NUMERIC, 0, false, false},
        {"text", COLUMN_TIMESTAMP, 0, false, false},
        {"text", COLUMN_DATE, 0, true, false},
        {"text", COLUMN_BOOL, 0, false, false},
        {"text", COLUMN_BYTES, 0, false, false},
        {"blob", COLUMN_BYTES, 0, false, false},
        {"integer", COLUMN_STRING, 0, false, false},
        {"real", COLUMN_STRING, 0, false, false},
        {"any", COLUMN_INT64, 0, true, false},
        {"text", COLUMN_STRING, TRANSFORM_TRUNCATE, false, false},
        {"text", COLUMN_STRING, TRANSFORM_REDACT, false, false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_false(one_to_one(pairs[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_that_leave_one_form_for_each_value_are_one_to_one),
        cmocka_unit_test(test_types_that_leave_several_forms_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
