/* blob_text: the texts that some programs store as blobs. Pure functions. */
#ifndef BQSYNC_ENCODE_BLOB_TEXT_H
#define BQSYNC_ENCODE_BLOB_TEXT_H

#include "base/slice.h"
#include "base/table.h"

#define UUID_TEXT_SIZE 36

/* The lower-case text of a UUID or GUID of 16 bytes ("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
 * without a terminator. form: BLOB_UUID, whose bytes stand in the order of the text (RFC 9562), or
 * BLOB_GUID, whose first three groups are little-endian (Microsoft documentation, "Guid.ToByteArray
 * Method"). Returns NULL, or why it is none, a static text for people. */
const char *blob_uuid_text(struct slice blob, enum blob_form form, char out[UUID_TEXT_SIZE]);

#endif
