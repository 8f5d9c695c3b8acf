#include "sync/scan_memory.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    bool known;
    int64_t changes; /* of the mark */
    int64_t generation;
    int64_t epoch;
    char content_hash[TRACKING_CONTENT_SIZE];
};

struct scan_memory {
    const struct table *const *tables;
    size_t count;
    bool used;
    struct entry *entries; /* of each table */
};

bool scan_memory_new(
    const struct table *const *tables, size_t table_count, bool scans,
    struct scan_memory **out_memory, struct error *err)
{
    struct scan_memory *memory = calloc(1, sizeof *memory);

    if (memory != NULL)
        memory->entries = calloc(table_count + 1, sizeof *memory->entries);
    if (memory == NULL || memory->entries == NULL) {
        free(memory);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    memory->tables = tables;
    memory->count = table_count;
    memory->used = scans;
    *out_memory = memory;
    return true;
}

void scan_memory_free(struct scan_memory *memory)
{
    if (memory == NULL)
        return;
    free(memory->entries);
    free(memory);
}

static struct entry *find(const struct scan_memory *memory, const struct table *table)
{
    for (size_t i = 0; memory != NULL && i < memory->count; i++)
        if (memory->tables[i] == table)
            return &memory->entries[i];
    return NULL;
}

bool scan_memory_is_used(const struct scan_memory *memory)
{
    return memory != NULL && memory->used;
}

void scan_memory_note(
    struct scan_memory *memory, const struct table *table, const struct commits_mark *mark,
    const struct watermark *watermark)
{
    struct entry *entry = find(memory, table);

    if (entry == NULL)
        return;
    memory->used = true;
    *entry = (struct entry){
        .known = mark->known && mark->settled,
        .changes = mark->changes,
        .generation = watermark->generation,
        .epoch = watermark->epoch,
    };
    memcpy(entry->content_hash, watermark->content_hash, sizeof entry->content_hash);
}

bool scan_memory_holds(
    const struct scan_memory *memory, const struct table *table, const struct commits_mark *mark,
    const struct watermark *watermark)
{
    const struct entry *entry = find(memory, table);

    return entry != NULL && entry->known && mark->known && mark->changes == entry->changes &&
           watermark->generation == entry->generation && watermark->epoch == entry->epoch &&
           strcmp(watermark->content_hash, entry->content_hash) == 0;
}
