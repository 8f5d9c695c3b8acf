/* console: how results look to people: colours, and columns as wide as the names in them. */
#ifndef BQSYNC_CLI_CONSOLE_H
#define BQSYNC_CLI_CONSOLE_H

#include "cli/commands.h"

/* Escape sequences; empty if stdout is no terminal, or if NO_COLOR is set and not empty
 * (no-color.org). */
struct colours {
    const char *good;
    const char *warn;
    const char *bad;
    const char *dim;
    const char *end;
};

struct colours console_colours(void);

/* The columns of the terminal that names of tables get. */
int console_name_width(const struct invocation *in);

/* For "%s%*s": the text, and blanks up to a width in columns of the terminal. ("%-*s" counts
 * bytes.) */
#define CONSOLE_PADDED(text, width) (text), console_blanks((text), (width)), ""
int console_blanks(const char *text, int width);

/* Prints a text that somebody else has chosen, with its control characters as text_visible shows
 * them. */
void console_print_visible(const char *text);

/* Prints a text of several lines with four blanks in front of each. */
void console_print_indented(const char *text, const char *colour, const char *end);

#endif
