#include "sync/pass/history_diff.h"

#include "base/buffer.h"
#include "base/text_fit.h"
#include "sync/pass/history_log.h"
#include "warehouse/googlesql.h"

#include <string.h>

/* What is set without a statement, of the log. */
static void add_set(struct target_diff *diff, const char *set, const char *log)
{
    size_t used = strlen(diff->set);

    if (set[0] != '\0')
        text_format(
            diff->set + used, sizeof diff->set - used, "%s%s of %s", used > 0 ? ", " : "", set,
            log);
}

bool history_compare(
    const struct task *task, const char *project, const char *dataset, const cJSON *live,
    struct target_diff *diff, struct error *err)
{
    const struct table log = history_log(task->table);
    const char *const readers[] = {
        task->table->history->view_sql, task->table->history->function_sql};
    struct target_diff of_log;

    bool ok = target_compare(&log, project, dataset, live, &of_log, err);
    for (size_t i = 0; ok && i < of_log.statement_count; i++) {
        target_diff_add_statement(diff, of_log.statements[i]);
        of_log.statements[i] = NULL;
    }
    for (size_t i = 0; ok && task_lacks_readers(task) && i < 2; i++) {
        struct buffer statement;
        buffer_init(&statement, GOOGLESQL_STATEMENT_CEILING);
        googlesql_render(&statement, slice_of(readers[i]), project, dataset, NULL);
        target_diff_add_statement(diff, buffer_take(&statement));
    }
    if (ok && diff->blocked[0] == '\0')
        text_format(diff->blocked, sizeof diff->blocked, "%s", of_log.blocked);
    // What was set by hand under the same definition is nothing that a pass looks for.
    if (ok && task_history_is_out_of_line(task))
        add_set(diff, of_log.set, log.target);
    target_diff_clear(&of_log);
    return ok;
}
