/* text_width: how many columns of a terminal a UTF-8 text takes: none for a combining character,
 * two for a wide one (East Asian characters, emoji), one for any other. The tables are our own,
 * because wcwidth(3) knows only what the locale knows, and the program must print the same in each.
 * Any thread may call it. */
#ifndef BQSYNC_BASE_TEXT_WIDTH_H
#define BQSYNC_BASE_TEXT_WIDTH_H

#include <stddef.h>

/* The columns of the text. A byte that is no UTF-8 counts as one column, as terminals show it.
 * Sequences that some terminals draw as one picture (emoji with a joiner) count character by
 * character. */
size_t text_width(const char *text);

/* The bytes of the longest beginning of the text that takes at most `columns` columns, with the
 * combining characters behind it. */
size_t text_width_fit(const char *text, size_t columns);

#endif
