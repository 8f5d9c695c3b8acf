/* freed: whether memory that is given back still holds a secret. The program that calls it gets a
 * free and a realloc that look at each block first; realloc always moves, so that what it leaves
 * behind is seen, too. Only the calling thread is watched. */
#ifndef TESTS_SUPPORT_FREED_H
#define TESTS_SUPPORT_FREED_H

#include <stdbool.h>
#include <stddef.h>

/* Begins to look for the text, which is borrowed. false where the allocator is not the C library's:
 * under sanitizers. */
bool freed_watch(const char *secret);
/* Ends it: how many blocks were freed that held the text. */
size_t freed_holding(void);

#endif
