/* media: uploaded bytes on their way into a spool, or, with --discard, counted and forgotten: then
 * only an Avro file's header is kept, and its rows are counted from the blocks' headers. One thread
 * at a time; outside of the monitor. */
#ifndef BQLOCAL_JOBS_MEDIA_H
#define BQLOCAL_JOBS_MEDIA_H

#include "base/slice.h"
#include "base/spool.h"

#include <stdbool.h>
#include <stdint.h>

/* Uploaded bytes: a part of a spool. */
struct media {
    struct spool *spool; /* owned */
    uint64_t offset;
    uint64_t length;
    int64_t forgotten_rows; /* --discard: rows counted instead of kept; -1 otherwise */
};

void media_clear(struct media *media);

struct media_writer;

/* forgetful: counts and forgets; only for Avro. */
MUST_CHECK bool media_writer_new(
    bool forgetful, struct media_writer **out_writer, struct error *err);
void media_writer_free(struct media_writer *writer);

MUST_CHECK bool media_write(struct media_writer *writer, struct slice bytes, struct error *err);

/* The spool written so far, borrowed. */
struct spool *media_spool(const struct media_writer *writer);

/* Takes the spool as media from offset on; length counts forgotten bytes too. invalid if a counted
 * file ends within a block. */
MUST_CHECK bool media_take(
    struct media_writer *writer, uint64_t offset, uint64_t length, struct media *out_media,
    struct error *err);

#endif
