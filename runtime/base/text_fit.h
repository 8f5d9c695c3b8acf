/* text_fit: cuts UTF-8 text at a limit of bytes, between two characters and never inside one. All
 * texts of messages that have a limit are cut here. */
#ifndef BQSYNC_BASE_TEXT_FIT_H
#define BQSYNC_BASE_TEXT_FIT_H

#include <stdarg.h>
#include <stddef.h>

/* The bytes of the longest beginning of the text that is at most limit bytes long. Bytes that are
 * no UTF-8 count one by one. */
int text_fit(const char *text, size_t limit);

/* For "%.*s": at most limit bytes of the text. */
#define TEXT_FIT(text, limit) text_fit(text, limit), text

/* As snprintf and vsnprintf, but an incomplete last character is left out, and each byte that is no
 * UTF-8 is a question mark. They return out. size is at least 1. */
char *text_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
char *text_format_list(char *out, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Makes each byte that is no UTF-8 a question mark, in place. */
void text_mend(char *text);

/* The bytes of the character that the text begins with, if it is one that a terminal or a viewer
 * obeys and does not show: a control character (also of C1), a separator of lines, or one that
 * turns the direction of writing around (U+202A to U+202E, U+2066 to U+2069), behind which a text
 * seems to say something else. 0: it is none. */
size_t text_unseen(const char *text);

/* Copies as much of the text as fits, cut between two characters: what text_unseen knows, but no
 * newlines, as \u001b, and each byte that is no UTF-8 as a question mark. Returns out. size is at
 * least 1. */
char *text_visible(char *out, size_t size, const char *text);

/* The text, or '' if it is empty, for messages that quote nothing else. */
const char *text_or_quotes(const char *text);

#endif
