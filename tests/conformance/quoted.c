/* Prints each text on stdin, one in hex digits a line, as a GoogleSQL string and as an identifier,
 * in hex digits too. */
#include "warehouse/googlesql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_hex(struct buffer *text)
{
    for (const char *at = buffer_text(text); *at != '\0'; at++)
        printf("%02x", (unsigned char)*at);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    struct buffer string;
    struct buffer name;

    buffer_init(&string, 1 << 20);
    buffer_init(&name, 1 << 20);
    for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
        size_t bytes = (size_t)length / 2;
        for (size_t i = 0; i < bytes; i++) {
            const char digits[] = {line[2 * i], line[2 * i + 1], '\0'};
            line[i] = (char)strtol(digits, NULL, 16);
        }
        line[bytes] = '\0';
        buffer_reset(&string);
        buffer_reset(&name);
        googlesql_string(&string, line);
        googlesql_identifier(&name, line);
        print_hex(&string);
        putchar(' ');
        print_hex(&name);
        putchar('\n');
    }
    buffer_clear(&string);
    buffer_clear(&name);
    free(line);
    return 0;
}
