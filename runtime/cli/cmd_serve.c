/* cmd_serve: `bqsync serve`: runs the daemon until SIGTERM or SIGINT. */
#include "cli/commands.h"
#include "service/serve.h"

int command_serve(struct invocation *in)
{
    struct error err;

    if (!serve_run(
            in->deployment,
            &(struct serve_options){
                .env_file = in->args->env_file,
                .flags = in->args->flags,
                .flag_count = in->args->flag_count,
            },
            &err))
        return command_fail(in, &err);
    return 0;
}
