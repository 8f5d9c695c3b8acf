/* bookmarks: where pages of a listing end, kept in memory under names, so that the key of a row,
 * which may be one that must not be shown, never stands in an address. The newest of them are kept.
 * Thread-safe. */
#ifndef BQSYNC_SERVICE_BOOKMARKS_H
#define BQSYNC_SERVICE_BOOKMARKS_H

#include "base/error.h"
#include "source/rejects.h"

#include <stdbool.h>

/* As many pages as a hundred people turn at once. */
#define BOOKMARKS_KEPT 1024

#define BOOKMARK_SIZE 24

struct bookmarks;

/* Returned owned. ERROR_MEMORY. */
MUST_CHECK bool bookmarks_new(struct bookmarks **out_bookmarks, struct error *err);
void bookmarks_free(struct bookmarks *bookmarks);

/* Keeps a place under a name of its own, which is written into the caller's bytes. The texts are
 * copied. ERROR_MEMORY. */
MUST_CHECK bool bookmarks_keep(
    struct bookmarks *bookmarks, const struct reject_place *place, char out_name[BOOKMARK_SIZE],
    struct error *err);

/* The place that was kept under this name; false if it is not one, or no longer kept. Returned
 * owned: bookmarks_forget. */
MUST_CHECK bool bookmarks_find(
    struct bookmarks *bookmarks, const char *name, struct reject_place *out_place);
void bookmarks_forget(struct reject_place *place);

#endif
