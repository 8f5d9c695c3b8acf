/* config_nearest: "did you mean", by edit distance. */
#include "base/config.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

/* Longer names are not compared: nobody mistypes one of them by a letter. */
#define NAME_MAX_LENGTH 96

/* Fewer letters begin too many names. */
#define PREFIX_MIN_LENGTH 4

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to insert, remove, replace or swap with their neighbour to get from one to the other
 * (optimal string alignment); case does not count. */
static size_t distance(const char *from, size_t from_length, const char *to, size_t to_length)
{
    size_t rows[3][NAME_MAX_LENGTH + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= to_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= from_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= to_length; j++) {
            bool same = same_letter(from[i - 1], to[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && same_letter(from[i - 1], to[j - 2]) &&
                same_letter(from[i - 2], to[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[to_length];
}

/* The name that goes on where this one ends: BQ_DATASET for BQ_DATASET_NAME. */
static const char *continuation(const char *name, size_t length, const char *const *names)
{
    for (; length >= PREFIX_MIN_LENGTH && *names != NULL; names++)
        if (strncasecmp(name, *names, length) == 0)
            return *names;
    return NULL;
}

const char *config_nearest(const char *name, const char *const *names)
{
    size_t length = strlen(name);
    const char *const *all = names;
    const char *nearest = NULL;
    // A third of the letters wrong is as far as a typing error goes; two in a short word.
    size_t best = (length < 6 ? 2 : length / 3) + 1;

    if (length == 0 || length > NAME_MAX_LENGTH)
        return NULL;
    for (; *names != NULL; names++) {
        size_t other = strlen(*names);
        if (other > NAME_MAX_LENGTH)
            continue;
        size_t edits = distance(name, length, *names, other);
        // Nothing is near if no letter would be left of it.
        if (edits < best && edits < length) {
            best = edits;
            nearest = *names;
        }
    }
    return nearest != NULL ? nearest : continuation(name, length, all);
}
