/* JSON texts: what JSON columns take, with "exact" and with "round", what bqsync prints of them,
 * and what its readers of JSON from outside take. */
#include "fuzz/fuzz.h"
#include "fuzz/oracle_json.h"

#include "base/buffer.h"
#include "base/json_exact.h"
#include "base/json_normal.h"
#include "base/json_strict.h"
#include "encode/json.h"

#include <stdlib.h>
#include <string.h>

/* Whether the bytes are UTF-8 without U+0000, as the C library sees it: SQLite's and ours are asked
 * elsewhere. */
static bool is_text(struct slice text)
{
    uint32_t left = 0;
    uint32_t point = 0;
    uint32_t lowest = 0;

    for (size_t i = 0; i < text.length; i++) {
        uint32_t byte = (unsigned char)text.data[i];
        if (left > 0) {
            if (byte >> 6 != 2)
                return false;
            point = point << 6 | (byte & 0x3f);
            left--;
        } else {
            if (byte >= 0x80 && (byte < 0xc0 || byte > 0xf7))
                return false;
            left = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
            lowest = left == 0 ? 1 : left == 1 ? 0x80 : left == 2 ? 0x800 : 0x10000;
            point = left == 0 ? byte : byte & (0x3fu >> left);
        }
        if (left == 0 &&
            (point < lowest || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)))
            return false;
    }
    return left == 0;
}

static void check_normal(
    struct slice text, const struct oracle_json *tree, bool taken, bool doubled)
{
    struct oracle_json_findings ignored;
    struct json_losses losses;
    struct buffer out;
    struct buffer again;

    buffer_init(&out, 1 << 20);
    buffer_init(&again, 1 << 20);
    bool ok = json_normal(text, &out, &losses);
    FUZZ_REQUIRE(ok || !taken, "\"%.*s\" is JSON and has no normal form", FUZZ_TEXT(text));
    if (ok && tree != NULL) {
        struct slice normal = {buffer_text(&out), out.length};
        const struct oracle_json *printed = oracle_json_read(normal, &ignored);
        FUZZ_REQUIRE(
            printed != NULL && oracle_json_same(tree, printed, true) && losses.duplicate == doubled,
            "\"%.*s\" is printed as %.*s", FUZZ_TEXT(text), FUZZ_TEXT(normal));
        FUZZ_REQUIRE(
            json_normal(normal, &again, NULL) && slice_equals(buffer_slice(&again), normal),
            "%.*s is printed as %s", FUZZ_TEXT(normal), buffer_text(&again));
    }
    buffer_clear(&out);
    buffer_clear(&again);
}

/* Documents from outside: nothing that is JSON is refused without a reason, and numbers are kept as
 * they are written. */
static void check_readers(struct slice text, const struct oracle_json *tree, bool doubled)
{
    struct oracle_json_findings ignored;
    const char *wrong = NULL;
    bool has_null = memmem(text.data, text.length, "\\u0000", 6) != NULL;
    cJSON *strict = json_parse_strict(text, &wrong);
    cJSON *answer = json_parse_answer(text);
    char *terminated = strndup(text.data, text.length);
    cJSON *exact = json_parse_exact(terminated);
    char *printed = exact == NULL ? NULL : cJSON_PrintUnformatted(exact);

    FUZZ_REQUIRE(has_null || strict != NULL, "\"%.*s\" is refused", FUZZ_TEXT(text));
    FUZZ_REQUIRE(
        has_null || (answer == NULL) == doubled, "the answer \"%.*s\" is %s", FUZZ_TEXT(text),
        answer == NULL ? "refused" : "taken");
    FUZZ_REQUIRE(exact != NULL && printed != NULL, "\"%.*s\" is refused", FUZZ_TEXT(text));
    if (!has_null) {
        const struct oracle_json *read = oracle_json_read(slice_of(printed), &ignored);
        FUZZ_REQUIRE(
            read != NULL && oracle_json_same(tree, read, false), "\"%.*s\" is printed as %s",
            FUZZ_TEXT(text), printed);
    }
    cJSON_Delete(strict);
    cJSON_Delete(answer);
    cJSON_Delete(exact);
    cJSON_free(printed);
    free(terminated);
}

static void check(struct slice text)
{
    struct oracle_json_findings found;
    bool is_utf8 = is_text(text);

    oracle_json_reset();
    const struct oracle_json *tree = oracle_json_read(text, &found);
    bool json = tree != NULL && is_utf8 && found.depth <= JSON_DEPTH_MAX && !found.lone_surrogate;
    bool rounds = json && !found.beyond_real;
    bool exact =
        json && !found.long_integer && !found.inexact && !found.doubled && !found.beyond_real;
    const char *reason = json_check(text);
    const char *exact_reason = json_check_exact(text);
    FUZZ_REQUIRE(
        (reason == NULL) == rounds, "\"%.*s\": %s", FUZZ_TEXT(text),
        reason == NULL ? "taken" : reason);
    FUZZ_REQUIRE(
        (exact_reason == NULL) == exact, "\"%.*s\": exact: %s", FUZZ_TEXT(text),
        exact_reason == NULL ? "taken" : exact_reason);
    check_normal(text, tree, rounds, found.doubled);
    if (rounds)
        check_readers(text, tree, found.doubled);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);
    // Deep texts are made, as no mutation finds so many brackets in pairs.
    size_t depth = fuzz_byte(&in);
    bool object = depth % 2 == 1;
    depth = depth < 128 ? depth / 16 : depth < 144 ? 490 + (depth - 128) : (depth - 144) / 4;
    struct slice rest = fuzz_rest(&in);
    size_t unit = object ? 5 : 1;
    size_t length = rest.length + depth * (unit + 1);
    char *text = malloc(length + 1);

    if (rest.length > 1800) {
        free(text);
        return 0;
    }
    for (size_t i = 0; i < depth; i++) {
        memcpy(text + i * unit, object ? "{\"a\":" : "[", unit);
        text[length - 1 - i] = object ? '}' : ']';
    }
    memcpy(text + depth * unit, rest.data, rest.length);
    text[length] = '\0';
    check((struct slice){text, length});
    free(text);
    return 0;
}
