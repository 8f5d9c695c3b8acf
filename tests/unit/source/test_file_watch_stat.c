/* The tests of file_watch, of how it is on systems without inotify. */
#define BQSYNC_FILE_WATCH_STAT
#include "../../../runtime/source/file_watch_stat.c"
#include "test_file_watch.c"
