/* build_id: tells builds of this program apart, by the number that the linker has stamped on it
 * (--build-id): a hash of all of its code and constants, the generated tables among them. */
#ifndef BQSYNC_BASE_BUILD_ID_H
#define BQSYNC_BASE_BUILD_ID_H

#include <stddef.h>

#define BUILD_ID_SIZE 32

/* The number's bytes, of the program or library that this code was linked into. Returns how many
 * there are; 0 if the linker has stamped none, so that nothing is known of the build. */
size_t build_id(unsigned char out_bytes[BUILD_ID_SIZE]);

#endif
