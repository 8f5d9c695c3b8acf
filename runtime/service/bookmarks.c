#include "service/bookmarks.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct bookmarks {
    pthread_mutex_t mutex;
    /* Random, and part of each name: a name that another process gave is not taken for one of
     * this one. */
    uint32_t process;
    uint32_t count; /* given so far; the number of the newest */
    struct reject_place places[BOOKMARKS_KEPT];
};

bool bookmarks_new(struct bookmarks **out_bookmarks, struct error *err)
{
    struct bookmarks *bookmarks = calloc(1, sizeof *bookmarks);

    if (bookmarks == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    // Without randomness the number of a process tells it from the others as well as it can.
    if (getrandom(&bookmarks->process, sizeof bookmarks->process, 0) < 0)
        bookmarks->process = 0;
    pthread_mutex_init(&bookmarks->mutex, NULL);
    *out_bookmarks = bookmarks;
    return true;
}

void bookmarks_forget(struct reject_place *place)
{
    free((char *)place->table);
    free((char *)place->key_json);
    free((char *)place->column);
    *place = (struct reject_place){0};
}

void bookmarks_free(struct bookmarks *bookmarks)
{
    if (bookmarks == NULL)
        return;
    for (size_t i = 0; i < BOOKMARKS_KEPT; i++)
        bookmarks_forget(&bookmarks->places[i]);
    pthread_mutex_destroy(&bookmarks->mutex);
    free(bookmarks);
}

static bool copy(const struct reject_place *place, struct reject_place *out)
{
    *out = (struct reject_place){
        .table = strdup(place->table),
        .key_json = strdup(place->key_json),
        .column = strdup(place->column),
    };
    if (out->table != NULL && out->key_json != NULL && out->column != NULL)
        return true;
    bookmarks_forget(out);
    return false;
}

bool bookmarks_keep(
    struct bookmarks *bookmarks, const struct reject_place *place, char out_name[BOOKMARK_SIZE],
    struct error *err)
{
    struct reject_place kept;

    if (!copy(place, &kept))
        return error_set(err, ERROR_MEMORY, "out of memory");
    pthread_mutex_lock(&bookmarks->mutex);
    uint32_t number = ++bookmarks->count;
    struct reject_place *slot = &bookmarks->places[number % BOOKMARKS_KEPT];
    bookmarks_forget(slot);
    *slot = kept;
    pthread_mutex_unlock(&bookmarks->mutex);
    snprintf(out_name, BOOKMARK_SIZE, "%08" PRIx32 "-%" PRIu32, bookmarks->process, number);
    return true;
}

bool bookmarks_find(struct bookmarks *bookmarks, const char *name, struct reject_place *out_place)
{
    uint32_t process = 0;
    uint32_t number = 0;
    char same[BOOKMARK_SIZE];

    if (strlen(name) >= BOOKMARK_SIZE ||
        sscanf(name, "%8" SCNx32 "-%10" SCNu32, &process, &number) != 2)
        return false;
    snprintf(same, sizeof same, "%08" PRIx32 "-%" PRIu32, bookmarks->process, number);
    if (strcmp(name, same) != 0)
        return false;
    pthread_mutex_lock(&bookmarks->mutex);
    bool found = number > 0 && number <= bookmarks->count &&
                 bookmarks->count - number < BOOKMARKS_KEPT &&
                 copy(&bookmarks->places[number % BOOKMARKS_KEPT], out_place);
    pthread_mutex_unlock(&bookmarks->mutex);
    return found;
}
