#include "warehouse/pages.h"

#include "base/fnv.h"

#include <inttypes.h>

/* Brent's algorithm: one token is remembered, a later one each time that the number of pages has
 * doubled, so the one that is remembered comes to lie in the circle. */
bool pages_follow(struct pages *pages, const char *subject, const char *token, struct error *err)
{
    uint64_t hash = fnv_add_text(FNV_OFFSET, token);

    pages->count++;
    if (pages->count > 1 && hash == pages->mark)
        return error_set(
            err, ERROR_TRANSIENT,
            "BigQuery: %s: page %" PRId64 " names a next page that was read before. Is there a "
            "cache on the way?",
            subject, pages->count);
    if (pages->count > pages->mark_at) {
        pages->mark_at = 2 * pages->count;
        pages->mark = hash;
    }
    return true;
}
