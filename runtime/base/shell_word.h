/* shell_word: a name in a command that we print for somebody to paste into a shell. */
#ifndef BQSYNC_BASE_SHELL_WORD_H
#define BQSYNC_BASE_SHELL_WORD_H

#define SHELL_WORD_SIZE 1024

/* The text as a shell reads it back as one word ("Shell Command Language", POSIX.1, 2.2): the text
 * itself if nothing in it could mean something to a shell, otherwise in single quotes, in room. A
 * text that room is too small for is returned as it is. */
const char *shell_word(const char *text, char room[static SHELL_WORD_SIZE]);

#endif
