/* Tests of foreign_text: no secret and no value of a row passes, and names do. */
#include "support/prelude.h"

#include "base/secrets.h"
#include "warehouse/foreign_text.h"
#include "warehouse/foreign_value.h"

#include <stdio.h>
#include <string.h>

#define ACCESS "opaque/Access+Token=0123456789"

static int owner;

static const struct column columns[] = {{.name = "name", .source = "Name"}, {.name = "at"}};
static const struct table table = {
    .name = "users", .target = "app_users", .columns = columns, .column_count = 2};
static const struct table *const tables[] = {&table};

static int keep(void **state)
{
    (void)state;
    secrets_keep(&owner, ACCESS);
    foreign_value_know(tables, 1);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    secrets_forget(&owner);
    foreign_value_forget(tables);
    return 0;
}

struct row {
    const char *label;
    const char *text;
    const char *expected;
};

static void test_secrets_are_cut_out(void **state)
{
    static const struct row rows[] = {
        {"nothing", "", ""},
        {"no secret", "invalid_grant: Bad Request", "invalid_grant: Bad Request"},
        {"sent", "the token " ACCESS " is bad", "the token [secret] is bad"},
        {"sent, in a URL", "?t=opaque%2FAccess%2BToken%3D0123456789&b", "?t=[secret]&b"},
        {"of others: bearer", "got Bearer abc.def-9_ghi/x+y==, why?", "got Bearer [secret], why?"},
        {"the word alone", "Bearer authentication required", "Bearer authentication required"},
        {"of others: Google's", "ya29.a0Af_H6-x!", "[secret]!"},
        {"of others: a refresh token", "\"1//0abcdefghijklmnopqrstu\"", "\"[secret]\""},
        {"of others: a JWT", "(eyJhbGciOiJS.eyJpc3MiOi.c2ln-_)", "([secret])"},
        {"of others: a key",
         "x -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- y", "x [secret] y"},
        {"of others: a key that is cut", "-----BEGIN PRIVATE KEY-----\\nMIIE", "[secret]"},
        {"a certificate", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"},
        {"a form", "client_id=7&client_secret=s%263&refresh_token=r/1 x",
         "client_id=7&client_secret=[secret]&refresh_token=[secret] x"},
        {"JSON", "{\"assertion\": \"a.b\", \"subject_token\":\"x\"}",
         "{\"assertion\": \"[secret]\", \"subject_token\":\"[secret]\"}"},
        {"a field's name", "Missing required parameter: refresh_token",
         "Missing required parameter: refresh_token"},
    };
    char out[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(foreign_text(out, sizeof out, rows[i].text), rows[i].expected) != 0)
            fail_msg("%s: \"%s\"", rows[i].label, out);
}

static void test_what_a_terminal_obeys_is_a_space(void **state)
{
    char out[100];

    (void)state;
    assert_string_equal(
        foreign_text(out, sizeof out, "a\x1b[31mb\nc\x7f\xc2\x9b\xc2\x80.\xc2\xa0"),
        "a [31mb c   .\xc2\xa0");
    // U+202A to U+202E, U+2066 to U+2069, and the separators of lines; U+2020 is a dagger.
    assert_string_equal(
        foreign_text(
            out, sizeof out,
            "\xe2\x80\xaa\xe2\x80\xae.\xe2\x81\xa6\xe2\x81\xa9.\xe2\x80\xa8\xe2\x80\xa0"),
        "  .  . \xe2\x80\xa0");
    assert_string_equal(foreign_text(out, sizeof out, "M\xfcller"), "M?ller");
}

static void test_a_long_text_is_cut_after_its_secrets(void **state)
{
    static char text[6000];
    static char out[6000];

    (void)state;
    // The secret stands across the end of what is shown: its beginning must not remain.
    assert_string_equal(foreign_text(out, 12, "12345 " ACCESS), "12345 [secr");
    assert_string_equal(foreign_text(out, 4, "\xe2\x82\xac\xe2\x82\xac"), "\xe2\x82\xac");
    // And across the end of what is looked at.
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 0; i < strlen(ACCESS); i++)
        text[SECRETS_TEXT_MAX - 10 + i] = ACCESS[i];
    foreign_text(out, sizeof out, text);
    assert_true(strlen(out) <= SECRETS_TEXT_MAX);
    assert_null(strstr(out, "opaque"));
}

static void test_values_of_rows_are_cut_out(void **state)
{
    static const struct row rows[] = {
        {"quoted", "Could not parse 'ROWVALUE' as INT64 for field name (position 1)",
         "Could not parse '..' as INT64 for field name (position 1)"},
        {"in double quotes", "Failed to parse input string \"ROW VALUE\"",
         "Failed to parse input string \"..\""},
        {"one character", "Could not parse 'R' as INT64", "Could not parse '..' as INT64"},
        {"with an apostrophe", "Could not parse 'O'ROW' as INT64", "Could not parse '..' as INT64"},
        {"with a prefix", "Invalid cast of b'ROW' to STRING", "Invalid cast of b'..' to STRING"},
        {"the end is missing", "last read: 'ROWVALUE", "last read: '.."},
        {"nested",
         "Could not convert value 'string_value: \"ROW\"' to integer. Field: name; "
         "Value: ROW",
         "Could not convert value '..' to integer. Field: name; Value: .."},
        {"after a colon", "Bad double value: ROWVALUE77", "Bad double value: .."},
        {"with spaces and more", "Bad double value: ROW; VALUE (7), 'x' in column at: ROW",
         "Bad double value: .. column at"},
        {"then the column", "Value: ROW VALUE. Field: name; Value: ROW", "Value: .. Field: name"},
        {"then what is no column", "Value: ROW. Field: ROW", "Value: .."},
        {"without a colon", "Invalid value ROW for column name", "Invalid value .. column name"},
        {"of", "an invalid timestamp value of 123456 microseconds",
         "an invalid timestamp value of .."},
        {"a sum", "int64 overflow: 9223372036854775807 + 1", "int64 overflow: .."},
        {"a fraction", "division by zero: 5 / 0", "division by zero: .."},
        {"a date", "Invalid date: 2020-13-01", "Invalid date: .."},
        {"a geometry", "ST_GeogFromText failed: Invalid WKT: POINT(1", //
         "ST_GeogFromText failed: Invalid WKT: .."},
        {"an apostrophe is no quote", "the table's rows don't fit 'ROW'",
         "the table's rows don't fit '..'"},
        {"a secret, too", "Could not parse 'x' of Bearer abcdefgh1234", //
         "Could not parse '..' of Bearer [secret]"},
    };
    char out[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        foreign_message(out, sizeof out, rows[i].text, NULL);
        if (strcmp(out, rows[i].expected) != 0)
            fail_msg("%s: \"%s\"", rows[i].label, out);
    }
}

static void test_names_stay(void **state)
{
    static const char *const own[] = {"my-project", "data", "bqsync-job-1", NULL};
    static const char *const messages[] = {
        "Unrecognized name: `ROW` at [1:2]",
        "Column 'name' is not in 'users', \"app_users\" or 'NAME'",
        "Cannot query over table 'data.app_users' without a filter over column(s) 'name, at'",
        "Not found: Table my-project:data.app_users was not found in location US",
        "table 'my-project:data.app_users' and job 'bqsync-job-1'",
        "table 'bqsync_staging_users_7_abc' and column '_bqsync_deleted_at'",
        "Permission 'bigquery.tables.get' or 'roles/bigquery.jobUser' is missing",
        "Query exceeded limit for bytes billed: 1000. 10485760 or higher required.",
        "No matching signature for operator = for argument types: INT64, STRING",
        "Required field name cannot be null; the value is missing",
        "NULL value in column at; a default value for it is needed, or values in a list",
        "Exceeded rate limits: too many table update operations for this table.",
        "Transaction is aborted due to concurrent update against table my-project:data.app_users",
    };
    char out[200];

    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        assert_string_equal(foreign_message(out, sizeof out, messages[i], own), messages[i]);
    assert_string_equal(
        foreign_message(out, sizeof out, "'name' 'names' 'users.ROW' ''", own),
        "'name' '..' '..' ''");
}

static void test_what_decisions_look_for_stays(void **state)
{
    static const char *const sentences[] = {
        "cannot round-trip through string representation",
        "error in PARSE_JSON expression",
        "round-trip",
        "JSON",
        "codec",
        "zstandard",
        "zstd",
        "Zstandard",
        "is declared immutable",
        "Too many partitions",
        "it is in the past",
        "10485760 or higher required",
        "Not found: Project",
        "Not found: Dataset",
        "was not found in location",
        "too many table update operations",
        "Could not serialize access",
        "Transaction is aborted",
        "Too many DML statements outstanding",
        "Too many DML statements",
        "Retrying the job may solve",
    };
    static const char *const formats[] = {
        "%s",
        "Invalid input: Input number: 7.5 %s; more",
        "Value: ROW 12%s",
        "a 'ROW %s",
        "a '%s: ROW'",
        "Invalid value of 7 %s: ROW",
        "Row_value %s",
        "Value %s",
    };
    char text[200];
    char out[200];

    (void)state;
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++) {
            snprintf(text, sizeof text, formats[k], sentences[i]);
            foreign_message(out, sizeof out, text, NULL);
            if (strstr(out, sentences[i]) == NULL || strstr(out, "ROW") != NULL)
                fail_msg("\"%s\": \"%s\"", text, out);
        }
}

static void test_decisive_sentences_read_well(void **state)
{
    static const struct row rows[] = {
        {"JSON",
         "Invalid input: Input number: 1687473876.057356 cannot round-trip through string "
         "representation; error in PARSE_JSON expression",
         "Invalid input: .. cannot round-trip through string representation; error in PARSE_JSON "
         "expression"},
        {"with a value between", "Value: 7 codec ROW JSON; column at",
         "Value: .. codec .. JSON column at"},
        {"said twice", "Value: JSON a JSON b", "Value: .. JSON"},
        {"a column's name", "bqsync: row_value is declared immutable, but a row is not there",
         "bqsync: row_value is declared immutable, but a row is not there"},
        {"a value", "the value is declared", "the value is .."},
    };
    char out[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        foreign_message(out, sizeof out, rows[i].text, NULL);
        if (strcmp(out, rows[i].expected) != 0)
            fail_msg("%s: \"%s\"", rows[i].label, out);
    }
}

static void test_permissions_and_accounts_stay(void **state)
{
    static const struct row rows[] = {
        {"a permission", "Permission 'datacatalog.categories.fineGrainedGet' denied", NULL},
        {"another",
         "Permission 'iam.serviceAccounts.actAs' denied on account (or it may not exist)", NULL},
        {"of a key", "Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied", NULL},
        {"a constraint", "Constraint 'constraints/gcp.resourceLocations' violated", NULL},
        {"an account", "denied for 'bq-1@my-project.iam.gserviceaccount.com'", NULL},
        {"an account of Google's", "'service-7@gcp-sa-x.gserviceaccount.com' is unknown", NULL},
        {"a row's", "Permission 'ROW VALUE' denied", "Permission '..' denied"},
        {"no permission", "Mission 'row.value' denied", "Mission '..' denied"},
        {"another's address", "'me@example.com'", "'..'"},
        {"and more", "'ROW a@b.gserviceaccount.com'", "'..'"},
        {"no name", "'@b.gserviceaccount.com'", "'..'"},
    };
    char out[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *expected = rows[i].expected == NULL ? rows[i].text : rows[i].expected;
        foreign_message(out, sizeof out, rows[i].text, NULL);
        if (strcmp(out, expected) != 0)
            fail_msg("%s: \"%s\"", rows[i].label, out);
    }
}

static void test_only_who_has_told_the_tables_forgets_them(void **state)
{
    static const struct table *const others[] = {&table};
    char out[50];

    (void)state;
    foreign_value_forget(others);
    assert_string_equal(foreign_message(out, sizeof out, "'app_users'", NULL), "'app_users'");
    foreign_value_forget(tables);
    assert_string_equal(foreign_message(out, sizeof out, "'app_users'", NULL), "'..'");
    foreign_value_know(tables, 1);
}

static void test_what_is_used_comes_as_it_is(void **state)
{
    char out[12];

    (void)state;
    secrets_keep(&owner, "europe");
    assert_true(foreign_is_name("europe-west1"));
    assert_true(foreign_is_name("my.org:project:US.bquxjob_1-2"));
    assert_true(foreign_is_name(""));
    assert_false(foreign_is_name("EU\n"));
    assert_false(foreign_is_name("a/b"));
    assert_false(foreign_is_name("\xc3\xa9"));
    assert_string_equal(foreign_reason(out, sizeof out, "europe"), "europe");
    assert_string_equal(foreign_reason(out, sizeof out, "not_Found1"), "not_Found1");
    assert_string_equal(foreign_reason(out, sizeof out, ""), "");
    assert_string_equal(foreign_reason(out, sizeof out, "not-found"), "unknown");
    assert_string_equal(foreign_reason(out, sizeof out, "invalid_grant"), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_are_cut_out),
        cmocka_unit_test(test_what_a_terminal_obeys_is_a_space),
        cmocka_unit_test(test_a_long_text_is_cut_after_its_secrets),
        cmocka_unit_test(test_values_of_rows_are_cut_out),
        cmocka_unit_test(test_names_stay),
        cmocka_unit_test(test_what_decisions_look_for_stays),
        cmocka_unit_test(test_decisive_sentences_read_well),
        cmocka_unit_test(test_permissions_and_accounts_stay),
        cmocka_unit_test(test_only_who_has_told_the_tables_forgets_them),
        cmocka_unit_test(test_what_is_used_comes_as_it_is),
    };
    return cmocka_run_group_tests(tests, keep, forget);
}
