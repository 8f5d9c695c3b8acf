/* Tests of sqlite_token: where a statement's tokens end. tests/fuzz/fuzz_filter.c asks SQLite about
 * any other. */
#include "support/prelude.h"

#include "base/buffer.h"
#include "source/sqlite_token.h"

static void test_tokens_end_where_those_of_sqlite_end(void **state)
{
    static const struct {
        const char *sql;
        const char *tokens;
    } rows[] = {
        {"a->>'x'->b", "a|->>|'x'|->|b|"},
        {"a>>b>=c<>d<<1", "a|>>|b|>=|c|<>|d|<<|1|"},
        {"x'00'||'it''s'", "x'00'||||'it''s'|"},
        {"1e-5+0x1e-5", "1e-5|+|0x1e|-|5|"},
        {"[a b].\"c\"\"d\"--end\n,`e`/* f */", "[a b]|.|\"c\"\"d\"|,|`e`|"},
    };
    struct buffer read;
    (void)state;

    buffer_init(&read, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = rows[i].sql;
        buffer_reset(&read);
        for (struct token token = sqlite_token_next(&at); token.kind != TOKEN_END;
             token = sqlite_token_next(&at)) {
            buffer_append_slice(&read, token.text);
            buffer_append_byte(&read, '|');
        }
        assert_string_equal(buffer_text(&read), rows[i].tokens);
    }
    buffer_clear(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_end_where_those_of_sqlite_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
