#include "base/build_id.h"

#ifndef __APPLE__

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct found {
    unsigned char *bytes;
    size_t length;
};

/* Parts of a note begin at multiples of four bytes. */
static size_t padded(size_t length)
{
    return (length + 3) & ~(size_t)3;
}

static void read_notes(const unsigned char *at, size_t size, struct found *found)
{
    ElfW(Nhdr) note;

    while (size >= sizeof note) {
        memcpy(&note, at, sizeof note);
        size_t description = sizeof note + padded(note.n_namesz);
        size_t length = description + padded(note.n_descsz);
        if (length > size)
            return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
            memcmp(at + sizeof note, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0 &&
            note.n_descsz <= BUILD_ID_SIZE) {
            memcpy(found->bytes, at + description, note.n_descsz);
            found->length = note.n_descsz;
            return;
        }
        at += length;
        size -= length;
    }
}

/* Whether this code is in the object. */
static bool is_own(const struct dl_phdr_info *object)
{
    uintptr_t own = (uintptr_t)build_id;

    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && own - (object->dlpi_addr + part->p_vaddr) < part->p_memsz)
            return true;
    }
    return false;
}

static int visit(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    if (!is_own(object))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_NOTE)
            // The loader gives addresses as numbers.
            read_notes(
                (const unsigned char *)(object->dlpi_addr + part->p_vaddr), // NOLINT
                part->p_memsz, context);
    }
    return 1;
}

size_t build_id(unsigned char out_bytes[BUILD_ID_SIZE])
{
    struct found found = {.bytes = out_bytes};

    dl_iterate_phdr(visit, &found);
    return found.length;
}

#endif
