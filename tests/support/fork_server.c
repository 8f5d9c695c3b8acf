/* fork_server: preloaded into bqsync by the random lives (LD_PRELOAD). The program then stands in
 * front of its main() and forks a child for each request, so that a run costs a fork instead of an
 * exec, which loads some forty libraries. Nothing of bqsync has run in the process that forks.
 *
 * The socket is file descriptor BQSYNC_FORK_SERVER (tests/support/forking.py has the other end).
 * Requests and answers: 'r', length of the rest, with the descriptors of stdout and stderr as
 * ancillary data; the rest is the working folder, the number of arguments, arguments, and
 * variables, each ended by NUL      -> pid 'w', pid -> its status of waitpid() All numbers are
 * int32_t. The end of the socket ends the server. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BROKEN  125
#define OUTPUTS 2

typedef int main_function(int, char **, char **);

static main_function *program_main;

struct request {
    char kind;
    int32_t number;
    int outputs[OUTPUTS];
};

static bool receive(int socket, struct request *request)
{
    char head[1 + sizeof request->number];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof request->outputs)];
    } control;
    struct iovec part = {head, sizeof head};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };

    if (recvmsg(socket, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof head)
        return false;
    request->kind = head[0];
    memcpy(&request->number, head + 1, sizeof request->number);
    const struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (request->kind == 'r' && first == NULL)
        return false;
    if (first != NULL)
        memcpy(request->outputs, CMSG_DATA(first), sizeof request->outputs);
    return true;
}

static void answer(int socket, int32_t number)
{
    if (send(socket, &number, sizeof number, MSG_NOSIGNAL) != (ssize_t)sizeof number)
        _exit(BROKEN);
}

/* The text behind a text. */
static char *after(char *text)
{
    return text + strlen(text) + 1;
}

/* The texts from `text` on, `count` of them or up to the end. */
static char **list(char *text, const char *end, size_t count)
{
    char **texts = calloc((size_t)(end - text) + 1, sizeof *texts);

    for (size_t i = 0; texts != NULL && i < count && text < end; i++, text = after(text))
        texts[i] = text;
    return texts;
}

/* In the child: becomes the run that was asked for. */
static void run(const struct request *request, char *text)
{
    const char *end = text + request->number;
    char *count_text = after(text);
    char *variables = after(count_text);
    int count = (int)strtol(count_text, NULL, 10);
    char **arguments = list(variables, end, (size_t)count);

    for (int i = 0; i < count; i++)
        variables = after(variables);
    environ = list(variables, end, SIZE_MAX);
    if (arguments == NULL || environ == NULL || chdir(text) != 0)
        _exit(BROKEN);
    for (int i = 0; i < OUTPUTS; i++)
        if (dup2(request->outputs[i], STDOUT_FILENO + i) < 0 || close(request->outputs[i]) != 0)
            _exit(BROKEN);
    exit(program_main(count, arguments, environ));
}

static void start(int socket, const struct request *request)
{
    char *text = malloc((size_t)request->number);

    if (text == NULL || recv(socket, text, (size_t)request->number, MSG_WAITALL) != request->number)
        _exit(BROKEN);
    pid_t pid = fork();
    if (pid == 0) {
        close(socket);
        run(request, text);
    }
    free(text);
    for (int i = 0; i < OUTPUTS; i++)
        close(request->outputs[i]);
    answer(socket, pid);
}

static void await(int socket, pid_t pid)
{
    int status = 0;

    answer(socket, waitpid(pid, &status, 0) == pid ? status : -1);
}

/* What runs in the place of main(). */
static int serve(int count, char **arguments, char **variables)
{
    const char *descriptor = getenv("BQSYNC_FORK_SERVER");
    struct request request;

    if (descriptor == NULL)
        return program_main(count, arguments, variables);
    int socket = (int)strtol(descriptor, NULL, 10);
    while (receive(socket, &request)) {
        if (request.kind == 'r')
            start(socket, &request);
        else
            await(socket, request.number);
    }
    return 0;
}

/* glibc calls this to start a program. */
int start_program(
    main_function *main, int count, char **arguments, void (*init)(void), void (*fini)(void),
    void (*loader_fini)(void), void *stack_end) __asm__("__libc_start_main");

int start_program(
    main_function *main, int count, char **arguments, void (*init)(void), void (*fini)(void),
    void (*loader_fini)(void), void *stack_end)
{
    int (*next)(
        main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

    *(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
    program_main = main;
    return next(serve, count, arguments, init, fini, loader_fini, stack_end);
}
