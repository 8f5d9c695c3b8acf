/* spool: bytes written once at the end and read many times from anywhere: in memory while small, in
 * an unlinked temporary file (in $TMPDIR, else /var/tmp) beyond that. It is where an encoded batch
 * waits between the SQLite snapshot it was read in and the upload, so that the snapshot need not
 * stay open as long as the network takes, and an upload can start over without reading the table
 * again. One thread writes, then others may read after it has handed the spool over. */
#ifndef BQSYNC_BASE_SPOOL_H
#define BQSYNC_BASE_SPOOL_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool;

/* Where a producer of bytes puts them, in order: a spool, or whatever a test likes. */
struct sink {
    bool (*write)(void *context, struct slice bytes, struct error *err);
    void *context;
};

/* Returns owned an empty spool that keeps up to memory_bytes in memory; ERROR_MEMORY. */
MUST_CHECK bool spool_new(size_t memory_bytes, struct spool **out_spool, struct error *err);
void spool_free(struct spool *spool);

/* Appends; ERROR_DISK names the folder when the file cannot be made or is full. */
MUST_CHECK bool spool_write(struct spool *spool, struct slice bytes, struct error *err);

/* A sink that appends to the spool. */
struct sink spool_sink(struct spool *spool);

/* Bytes written so far. */
uint64_t spool_size(const struct spool *spool);

/* Copies exactly length bytes from offset on; both must lie within the size (asserted). Thread-safe
 * once nobody writes. */
MUST_CHECK bool spool_read(
    const struct spool *spool, uint64_t offset, void *out_bytes, size_t length, struct error *err);

/* Where a spool would spill to, and how much room is there. ERROR_DISK if nothing can be written.
 * *out_folder lives as long as the environment. */
MUST_CHECK bool spool_room(const char **out_folder, uint64_t *out_bytes, struct error *err);

#endif
