#include "base/log_repeat.h"

#include "base/fnv.h"

#include <string.h>

/* The length of a number that measures something, as libcurl's words hold: "after 12 ms". */
static size_t measure_length(const char *text)
{
    static const char *const units[] = {" ms", " milliseconds", " bytes"};
    size_t digits = strspn(text, "0123456789");

    for (size_t i = 0; digits > 0 && i < sizeof units / sizeof units[0]; i++)
        if (strncmp(text + digits, units[i], strlen(units[i])) == 0)
            return digits;
    return 0;
}

/* As fnv_add_text, without the numbers that measure something. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (;; text++) {
        text += measure_length(text);
        hash = fnv_add_byte(hash, *text);
        if (*text == '\0')
            return hash;
    }
}

static uint64_t key_of(const char *event, const struct log_field *fields)
{
    uint64_t key = hash_text(FNV_OFFSET, event);

    for (const struct log_field *field = fields; field->key != NULL; field++)
        if (field->text != NULL)
            key = hash_text(hash_text(key, field->key), field->text);
    return key;
}

/* The line's place, else a free one, else NULL. */
static struct log_repeat_line *find(struct log_repeat *repeat, uint64_t key, const char *event)
{
    struct log_repeat_line *unused = NULL;

    for (size_t i = 0; i < LOG_REPEAT_LINES; i++) {
        struct log_repeat_line *line = &repeat->lines[i];
        if (line->event == NULL)
            unused = unused == NULL ? line : unused;
        else if (line->key == key && strcmp(line->event, event) == 0)
            return line;
    }
    return unused;
}

static bool is_over(const struct log_repeat_line *line, int64_t now_ms)
{
    return now_ms - line->written_ms >= LOG_REPEAT_WINDOW_MS;
}

bool log_repeat_admit(
    struct log_repeat *repeat, const char *event, const struct log_field *fields, int64_t now_ms,
    int64_t now_us, uint64_t *out_repeated)
{
    uint64_t key = key_of(event, fields);
    struct log_repeat_line *line = find(repeat, key, event);

    *out_repeated = 0;
    if (line == NULL)
        return true;
    if (line->event != NULL && !is_over(line, now_ms)) {
        line->repeated++;
        return false;
    }
    *out_repeated = line->event == NULL ? 0 : line->repeated;
    *line = (struct log_repeat_line){
        .key = key, .event = event, .written_ms = now_ms, .written_us = now_us};
    return true;
}

bool log_repeat_take(struct log_repeat *repeat, int64_t now_ms, struct log_repeat_line *out_line)
{
    for (size_t i = 0; i < LOG_REPEAT_LINES; i++) {
        struct log_repeat_line *line = &repeat->lines[i];
        if (line->event == NULL || !is_over(line, now_ms))
            continue;
        *out_line = *line;
        *line = (struct log_repeat_line){0};
        if (out_line->repeated > 0)
            return true;
    }
    return false;
}
