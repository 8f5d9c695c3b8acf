/* secrets: what this process has sent, or could send, as a secret, so that it can be found again in
 * texts that others have sent: a server may quote its request. Owners keep their secrets here for
 * as long as they have them. Any thread may call this. */
#ifndef BQSYNC_BASE_SECRETS_H
#define BQSYNC_BASE_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

/* A run of so many characters of a secret is found; of a shorter one, the whole. */
#define SECRETS_RUN 16
/* Shorter secrets than this cannot be told from words, and are not kept. */
#define SECRETS_LEAST 6
/* A text is searched up to here. */
#define SECRETS_TEXT_MAX 4096

/* Keeps a copy until secrets_forget. Of one owner the last 16 are kept, so that tokens may come and
 * go; a text it has already costs nothing. NULL is fine. Without memory for the copy, every text
 * of at least SECRETS_LEAST characters counts as secret from then on. */
void secrets_keep(const void *owner, const char *text);

/* Overwrites and frees what this owner has kept. */
void secrets_forget(const void *owner);

/* Sets out_marks[i] for each byte that belongs to a secret, as it is or as a URL, JSON or Base64
 * shows it, in whole or a run of it. Other marks stay. length: at most SECRETS_TEXT_MAX. */
void secrets_mark(const char *text, size_t length, bool *out_marks);

#endif
