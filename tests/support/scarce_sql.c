#include "support/scarce_sql.h"

#include <sqlite3.h>
#include <stddef.h>

static sqlite3_mem_methods standard;
static int failing;
static int calls;

void scarce_sql_fail(int n)
{
    calls = 0;
    failing = n;
}

bool scarce_sql_end(void)
{
    int n = failing;

    failing = 0;
    return n != 0 && calls >= n;
}

static bool is_due(void)
{
    return failing != 0 && ++calls == failing;
}

static void *take(int size)
{
    return is_due() ? NULL : standard.xMalloc(size);
}

static void *take_more(void *memory, int size)
{
    return is_due() ? NULL : standard.xRealloc(memory, size);
}

/* SQLite's memory cannot be chosen after its first call. */
__attribute__((constructor)) static void begin(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &standard);
    sqlite3_mem_methods methods = standard;
    methods.xMalloc = take;
    methods.xRealloc = take_more;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
}
