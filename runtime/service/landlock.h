/* landlock: what of the file system the process can still open, by the kernel's Landlock
 * (landlock(7)): everything that no rule allows is refused with EACCES, for good, also to programs
 * that it would start. Files that are open stay open; nothing is changed about stat(2), chmod(2)
 * and sockets. Rules are of folders: they hold for what is put into one later. Call these before
 * other threads exist, because only the calling thread is confined. */
#ifndef BQSYNC_SERVICE_LANDLOCK_H
#define BQSYNC_SERVICE_LANDLOCK_H

#include <stdbool.h>

struct landlock {
    int rules;   /* a descriptor; negative: there is no Landlock here */
    int version; /* of the kernel's interface */
};

enum landlock_access {
    LANDLOCK_READ,
    LANDLOCK_READ_WRITE, /* also make, remove and rename files; never devices */
};

/* Begins an empty list of rules. false if the kernel has no Landlock or it is switched off; *out is
 * then empty, and errno says why. */
bool landlock_begin(struct landlock *out);

/* Allows a folder with all below it, or a single file. A path that is not there is passed over. */
void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_access access);

/* From now on only what was allowed can be opened, and nothing can be executed. false, with errno,
 * if the kernel refuses. Needs no_new_privs, or rights. */
bool landlock_enter(const struct landlock *landlock);

/* Gives the list back; the process stays confined. */
void landlock_end(struct landlock *landlock);

#endif
