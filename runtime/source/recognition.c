#include "source/recognition.h"

#include "base/buffer.h"
#include "source/statement.h"

#include <unistd.h>

/* Names of tables in the message. */
#define NAMED_MAX     3
#define NAMES_CEILING 4096

/* Views too, which SQLite has no column metadata of. */
static bool find(struct database *source, const char *name, bool *out_found, struct error *err)
{
    return statement_has_row(
        source,
        "select 1 from sqlite_master where type in ('table', 'view') and name = ?1 collate nocase",
        out_found, err, "s", name);
}

static bool refuse(
    const struct config *config, const struct table *const *tables, size_t count, struct error *err)
{
    struct buffer names;

    buffer_init(&names, NAMES_CEILING);
    for (size_t i = 0; i < count && i < NAMED_MAX; i++)
        buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", tables[i]->name);
    if (count > NAMED_MAX)
        buffer_append_text(&names, ", ...");
    error_set(
        err, ERROR_SCHEMA,
        "%s has none of the tables of the definitions (%s), so nothing is written to it. Let "
        "BQ_SQLITE_PATH name their database, or create them first",
        config->sqlite_path, buffer_text(&names));
    buffer_clear(&names);
    return false;
}

bool recognition_check(
    struct database *source, const struct config *config, const struct table *const *tables,
    size_t count, struct error *err)
{
    bool used = false;

    if (!config->state_is_source)
        used = access(config->state_path, F_OK) == 0;
    else if (!database_has_table(source, "bq_sync_tracking", &used, err))
        return false;
    bool found = used || count == 0;
    for (size_t i = 0; i < count && !found; i++)
        if (!find(source, tables[i]->name, &found, err))
            return false;
    return found || refuse(config, tables, count, err);
}
