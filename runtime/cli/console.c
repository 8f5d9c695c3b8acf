#include "cli/console.h"

#include "base/text_fit.h"
#include "base/text_width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Wider columns would break the lines of most terminals. */
#define NAME_WIDTH_MIN 20
#define NAME_WIDTH_MAX 60

struct colours console_colours(void)
{
    const char *off = getenv("NO_COLOR");

    if (!isatty(STDOUT_FILENO) || (off != NULL && off[0] != '\0'))
        return (struct colours){"", "", "", "", ""};
    return (struct colours){"\033[32m", "\033[33m", "\033[31m", "\033[2m", "\033[0m"};
}

int console_name_width(const struct invocation *in)
{
    size_t width = NAME_WIDTH_MIN;

    for (size_t i = 0; i < in->table_count; i++)
        if (text_width(in->tables[i]->name) > width)
            width = text_width(in->tables[i]->name);
    return (int)(width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX);
}

int console_blanks(const char *text, int width)
{
    size_t used = text_width(text);

    return used < (size_t)width ? width - (int)used : 0;
}

void console_print_visible(const char *text)
{
    char piece[65];
    char shown[6 * sizeof piece];

    while (*text != '\0') {
        int length = text_fit(text, sizeof piece - 1);
        snprintf(piece, sizeof piece, "%.*s", length, text);
        fputs(text_visible(shown, sizeof shown, piece), stdout);
        text += length;
    }
}

void console_print_indented(const char *text, const char *colour, const char *end)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        printf("    %s%.*s%s\n", colour, (int)length, text, end);
        text += length;
        text += *text == '\n' ? 1 : 0;
    }
}
