/* Runs a fuzzer's kept inputs where it is built without libFuzzer, so that every build has them as
 * tests. Each argument is a file or a folder of files. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int count;

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t size = 0;
    size_t room = 0;

    FUZZ_REQUIRE(file != NULL, "%s: cannot be read", path);
    do {
        room = room == 0 ? 4096 : room * 2;
        bytes = realloc(bytes, room);
        FUZZ_REQUIRE(bytes != NULL, "out of memory");
        size += fread(bytes + size, 1, room - size, file);
    } while (size == room);
    fclose(file);
    // A copy of exactly its size, so that a sanitizer sees a read behind the end.
    uint8_t *input = malloc(size + (size == 0));
    FUZZ_REQUIRE(input != NULL, "out of memory");
    memcpy(input, bytes, size);
    LLVMFuzzerTestOneInput(input, size);
    free(input);
    free(bytes);
    count++;
}

static void run(const char *path)
{
    struct stat status;

    FUZZ_REQUIRE(stat(path, &status) == 0, "%s: there is no such file", path);
    if (!S_ISDIR(status.st_mode)) {
        run_file(path);
        return;
    }
    DIR *folder = opendir(path);
    FUZZ_REQUIRE(folder != NULL, "%s: cannot be read", path);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            run_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run(argv[i]);
    printf("%d inputs\n", count);
    return count == 0;
}
