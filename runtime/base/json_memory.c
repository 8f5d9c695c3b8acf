#include "base/json_memory.h"

#include "base/text_fit.h"

#include <stdlib.h>

/* It is cJSON that knows no caller, so this cannot be reached from a struct that is handed in. */
static _Thread_local bool lost;

static void *take(size_t size)
{
    void *memory = malloc(size);

    lost = lost || memory == NULL;
    return memory;
}

void json_memory_watch(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = take, .free_fn = free});
}

bool json_memory_lost(void)
{
    bool was = lost;

    lost = false;
    return was;
}

/* The text of a document, or NULL if a part of it is lost. JSON is UTF-8 (RFC 8259: 8.1), and what
 * goes into it need not be: a path has the bytes that somebody gave it. */
static char *if_whole(char *text)
{
    if (!json_memory_lost()) {
        if (text != NULL)
            text_mend(text);
        return text;
    }
    free(text);
    return NULL;
}

char *json_print(const cJSON *json)
{
    return if_whole(cJSON_PrintUnformatted(json));
}

char *json_print_in_room(const cJSON *json, int room)
{
    return if_whole(cJSON_PrintBuffered(json, room, false));
}

char *json_print_lines(const cJSON *json)
{
    return if_whole(cJSON_Print(json));
}
