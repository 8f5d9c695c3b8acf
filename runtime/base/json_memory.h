/* json_memory: whether a document of JSON is whole. Without memory, cJSON's functions leave out
 * what they should have added, and half a document means something else: to BigQuery, a load
 * without "writeDisposition" appends. So cJSON's memory comes from here, each thread knows whether
 * a part of JSON was lost, and a document becomes text only through json_print. A thread prints
 * what it has built itself, so the documents of other threads are none of its business. */
#ifndef BQSYNC_BASE_JSON_MEMORY_H
#define BQSYNC_BASE_JSON_MEMORY_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Makes cJSON take its memory from here: from malloc, as it does without. Call it before the first
 * document, and before other threads start. */
void json_memory_watch(void);

/* Whether the calling thread has lost a part of any document, built or parsed, since it asked last.
 */
bool json_memory_lost(void);

/* The document as text without spaces, owned (free). NULL without memory, also if the memory was
 * missing when the document was built. Each byte that is no UTF-8 is a question mark. */
char *json_print(const cJSON *json);
/* The same of a document with a secret: in a block of room bytes from the start, because a block
 * that grows leaves copies behind. */
char *json_print_in_room(const cJSON *json, int room);
/* The same for a person: in lines, with indentation. */
char *json_print_lines(const cJSON *json);

#endif
