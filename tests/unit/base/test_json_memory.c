/* A document of JSON of which a part was lost is never printed. */
#include "support/prelude.h"

#include "base/json_memory.h"
#include "base/json_strict.h"
#include "support/scarce.h"

#include <stdlib.h>

static int set_up(void **state)
{
    (void)state;
    json_memory_watch();
    return 0;
}

/* A load that appends if its second member is lost. */
static cJSON *load(void)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "sourceFormat", "AVRO");
    cJSON_AddStringToObject(object, "writeDisposition", "WRITE_TRUNCATE_DATA");
    cJSON *fields = cJSON_Parse("[1,{\"name\":\"a\"}]");
    if (!cJSON_AddItemToObject(object, "fields", fields))
        cJSON_Delete(fields);
    return object;
}

#define LOAD                                                                                       \
    "{\"sourceFormat\":\"AVRO\",\"writeDisposition\":\"WRITE_TRUNCATE_DATA\","                     \
    "\"fields\":[1,{\"name\":\"a\"}]}"

static void test_a_document_is_printed_whole_or_not_at_all(void **state)
{
    bool whole = false;
    int failures = 0;

    (void)state;
    for (int n = 1; !whole; n++) {
        scarce_fail(n);
        cJSON *object = load();
        char *text = json_print(object);
        whole = !scarce_end();
        if (whole)
            assert_string_equal(text, LOAD);
        else if (text != NULL)
            fail_msg("without allocation %d: %s", n, text);
        failures += whole ? 0 : 1;
        free(text);
        cJSON_Delete(object);
    }
    // Two for each member and its name at least.
    assert_true(failures >= 10);
}

static void test_the_next_document_is_printed_again(void **state)
{
    (void)state;
    cJSON *object = load();

    scarce_fail(1);
    assert_null(json_print_lines(object));
    assert_true(scarce_end());
    char *text = json_print(object);
    assert_string_equal(text, LOAD);
    free(text);
    cJSON_Delete(object);
}

static void test_an_answer_for_which_memory_is_missing_is_told_from_a_broken_one(void **state)
{
    const char *text = "{\"a\":1,\"b\":2}";
    cJSON *answer = NULL;

    (void)state;
    assert_null(json_parse_answer(slice_of("{")));
    assert_false(json_memory_lost());
    for (int n = 1; answer == NULL; n++) {
        scarce_fail(n);
        answer = json_parse_answer(slice_of(text));
        scarce_end();
        assert_int_equal(json_memory_lost(), answer == NULL);
    }
    cJSON_Delete(answer);
}

static void test_each_byte_that_is_no_utf8_is_a_question_mark(void **state)
{
    (void)state;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "source", "/caf\xe9.d/\xf0\x9f\x98 a\xff.db");
    cJSON_AddStringToObject(object, "caf\xe9", "caf\xc3\xa9 \xed\xa0\x80");
    char *text = json_print(object);
    char *in_room = json_print_in_room(object, 8);
    char *lines = json_print_lines(object);

    assert_string_equal(text, "{\"source\":\"/caf?.d/??? a?.db\",\"caf?\":\"caf\xc3\xa9 ???\"}");
    assert_string_equal(in_room, text);
    assert_string_equal(
        lines, "{\n\t\"source\":\t\"/caf?.d/??? a?.db\",\n\t\"caf?\":\t\"caf\xc3\xa9 ???\"\n}");
    free(text);
    free(in_room);
    free(lines);
    cJSON_Delete(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_document_is_printed_whole_or_not_at_all, set_up),
        cmocka_unit_test_setup(test_the_next_document_is_printed_again, set_up),
        cmocka_unit_test_setup(
            test_an_answer_for_which_memory_is_missing_is_told_from_a_broken_one, set_up),
        cmocka_unit_test_setup(test_each_byte_that_is_no_utf8_is_a_question_mark, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
