#include "base/shell_word.h"

#include <string.h>

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"
/* Ends the quotes, and begins them again. */
#define QUOTE "'\\''"

const char *shell_word(const char *text, char room[static SHELL_WORD_SIZE])
{
    size_t length = 0;

    if (text[0] != '\0' && text[strspn(text, PLAIN)] == '\0')
        return text;
    room[length++] = '\'';
    for (const char *at = text; *at != '\0'; at++) {
        // The quotes at the end and the terminator have to fit, too.
        if (length + strlen(QUOTE) + 2 > SHELL_WORD_SIZE)
            return text;
        if (*at == '\'') {
            memcpy(room + length, QUOTE, strlen(QUOTE));
            length += strlen(QUOTE);
        } else {
            room[length++] = *at;
        }
    }
    room[length++] = '\'';
    room[length] = '\0';
    return room;
}
