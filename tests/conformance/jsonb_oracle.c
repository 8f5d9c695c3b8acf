/* Prints the JSON text of each binary JSON on stdin, one in hex digits a line, or why it is none.
 */
#include "encode/jsonb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    struct buffer out;

    buffer_init(&out, 1 << 24);
    for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
        size_t bytes = (size_t)length / 2;
        for (size_t i = 0; i < bytes; i++)
            line[i] = (char)(nibble(line[2 * i]) << 4 | nibble(line[2 * i + 1]));
        buffer_reset(&out);
        const char *reason = jsonb_text((struct slice){line, bytes}, &out);
        puts(reason != NULL ? reason : buffer_text(&out));
    }
    buffer_clear(&out);
    free(line);
    return 0;
}
