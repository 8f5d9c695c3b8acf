#include "base/build_id.h"

#ifdef __APPLE__

#include <dlfcn.h>
#include <mach-o/loader.h>
#include <stdint.h>
#include <string.h>

/* The linker of macOS stamps a UUID on each program, which is made of its content. */
size_t build_id(unsigned char out_bytes[BUILD_ID_SIZE])
{
    Dl_info image;

    if (dladdr((const void *)(uintptr_t)build_id, &image) == 0)
        return 0;
    const struct mach_header_64 *header = image.dli_fbase;
    const unsigned char *at = (const unsigned char *)(header + 1);
    for (uint32_t i = 0; i < header->ncmds; i++) {
        const struct load_command *command = (const void *)at;
        if (command->cmd == LC_UUID) {
            const struct uuid_command *found = (const void *)at;
            memcpy(out_bytes, found->uuid, sizeof found->uuid);
            return sizeof found->uuid;
        }
        at += command->cmdsize;
    }
    return 0;
}

#endif
