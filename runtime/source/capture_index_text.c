#include "source/capture_index_text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* The end of the quoted text, comment or single character that starts at `at`. A doubled quote
 * inside a quoted text reads as two texts in a row, which is the same here. */
static const char *token_end(const char *at)
{
    const char *end = NULL;

    switch (*at) {
    case '\'':
    case '"':
    case '`':
        end = strchr(at + 1, *at);
        break;
    case '[':
        end = strchr(at + 1, ']');
        break;
    case '-':
        if (at[1] == '-')
            end = strchr(at, '\n');
        else
            return at + 1;
        break;
    case '/':
        if (at[1] != '*')
            return at + 1;
        end = strstr(at + 2, "*/");
        if (end != NULL)
            end++;
        break;
    default:
        return at + 1;
    }
    return end == NULL ? at + strlen(at) : end + 1;
}

static bool ends_with_word(struct slice text, const char *word)
{
    size_t length = strlen(word);

    return text.length > length &&
           strncasecmp(text.data + text.length - length, word, length) == 0 &&
           isspace((unsigned char)text.data[text.length - length - 1]);
}

static struct slice trim(const char *from, const char *to)
{
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    return (struct slice){from, (size_t)(to - from)};
}

static struct slice without_order(struct slice item)
{
    if (ends_with_word(item, "asc"))
        return trim(item.data, item.data + item.length - 3);
    if (ends_with_word(item, "desc"))
        return trim(item.data, item.data + item.length - 4);
    return item;
}

/* Finds the position-th item, or the end of the list for a position beyond it. */
static bool find_item(
    const char *sql, size_t position, struct slice *out_item, const char **out_end)
{
    size_t depth = 0;
    size_t index = 0;
    const char *start = NULL;

    for (const char *at = sql; *at != '\0'; at = token_end(at)) {
        if (*at == '(' && depth++ == 0) {
            start = at + 1;
            continue;
        }
        bool closes = *at == ')' && --depth == 0;
        if (!closes && !(*at == ',' && depth == 1))
            continue;
        if (closes)
            *out_end = at + 1;
        if (index == position) {
            *out_item = without_order(trim(start, at));
            return out_item->length > 0;
        }
        if (closes)
            return false;
        index++;
        start = at + 1;
    }
    return false;
}

bool capture_index_text_item(const char *sql, size_t position, struct slice *out_item)
{
    const char *end;

    return find_item(sql, position, out_item, &end);
}

/* Skips white space and comments. */
static const char *skip_blank(const char *at)
{
    for (;;) {
        bool comment = (at[0] == '-' && at[1] == '-') || (at[0] == '/' && at[1] == '*');
        if (comment)
            at = token_end(at);
        else if (isspace((unsigned char)*at))
            at++;
        else
            return at;
    }
}

bool capture_index_text_filter(const char *sql, struct slice *out_filter)
{
    static const char word[] = "where";
    struct slice ignored;
    const char *end = NULL;

    find_item(sql, SIZE_MAX, &ignored, &end);
    if (end == NULL)
        return false;
    end = skip_blank(end);
    if (strncasecmp(end, word, sizeof word - 1) != 0)
        return false;
    *out_filter = trim(end + sizeof word - 1, end + strlen(end));
    return out_filter->length > 0;
}
