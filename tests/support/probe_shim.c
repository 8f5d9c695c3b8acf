/* probe_shim: preloaded into bqsync by tests of its sandbox (LD_PRELOAD). On SIGUSR2 the process
 * tries from inside what PROBE asks for, one word and a path for each attempt, separated by
 * newlines, and writes "WORD PATH ERRNO" (0: it worked) to the file PROBE_OUT, which it opens at
 * its start. The product knows nothing of it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *out;

static int try_open(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0600);

    if (file < 0)
        return errno;
    close(file);
    return 0;
}

/* procfs opens what it will not let anybody read. */
static int try_read(const char *path)
{
    char byte;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int problem = file < 0 || read(file, &byte, 1) < 0 ? errno : 0;

    if (file >= 0)
        close(file);
    return problem;
}

static int try_execute(const char *path)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        execl(path, path, (char *)NULL);
        _exit(errno);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static int attempt(const char *word, const char *path)
{
    if (strcmp(word, "read") == 0)
        return try_read(path);
    if (strcmp(word, "write") == 0)
        return try_open(path, O_RDWR | O_CREAT);
    if (strcmp(word, "execute") == 0)
        return try_execute(path);
    return ptrace(PTRACE_ATTACH, atoi(path), NULL, NULL) == 0 ? 0 : errno;
}

static void on_probe(int number)
{
    char *asked = strdup(getenv("PROBE"));

    (void)number;
    for (char *line = strtok(asked, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *path = strchr(line, ' ');
        *path++ = '\0';
        fprintf(out, "%s %s %d\n", line, path, attempt(line, path));
    }
    fprintf(out, "end\n");
    fflush(out);
    free(asked);
}

__attribute__((constructor)) static void listen_for_probes(void)
{
    struct sigaction action = {.sa_handler = on_probe, .sa_flags = SA_RESTART};

    out = getenv("PROBE_OUT") == NULL ? NULL : fopen(getenv("PROBE_OUT"), "we");
    if (out != NULL)
        sigaction(SIGUSR2, &action, NULL);
}
