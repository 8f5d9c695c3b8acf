#include "base/loopback.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

size_t loopback_length(const char *text)
{
    static const char *const names[] = {"localhost", "[::1]"};
    char number[INET_ADDRSTRLEN];
    struct in_addr address;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncasecmp(text, names[i], strlen(names[i])) == 0)
            return strlen(names[i]);

    size_t length = strspn(text, "0123456789.");
    if (length >= sizeof number)
        return 0;
    memcpy(number, text, length);
    number[length] = '\0';
    bool local = inet_pton(AF_INET, number, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
    return local ? length : 0;
}
