/* The part of verify that writes. */
#include "sync/pass.h"
#include "sync/verify.h"

#include <stdlib.h>

bool verify_repair(
    const struct engine *engine, const struct verify_table *tables, size_t count, int *out_exit,
    struct error *err)
{
    const struct table **wrong = calloc(count + 1, sizeof *wrong);
    struct run_result run;
    size_t wrong_count = 0;

    if (wrong == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (!tables[i].equal)
            wrong[wrong_count++] = tables[i].table;
    pass_run(
        engine,
        &(struct pass_options){
            .kind = RUN_TABLES,
            .full = true,
            .tables = wrong,
            .table_count = wrong_count,
            .command = "verify --repair",
        },
        &run);
    *out_exit = run_result_exit_status(&run);
    bool ok = run.error.code == ERROR_NONE;
    if (!ok)
        *err = run.error;
    run_result_clear(&run);
    free(wrong);
    return ok;
}
