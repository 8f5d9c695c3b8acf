/* completion: what bash, zsh and fish complete behind `bqsync`, made from the tables of commands,
 * switches and settings. */
#ifndef BQSYNC_CLI_COMPLETION_H
#define BQSYNC_CLI_COMPLETION_H

void completion_print_bash(void);
void completion_print_zsh(void);
void completion_print_fish(void);

#endif
