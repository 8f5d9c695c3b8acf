#include "sync/pass/target_type.h"

#include "base/json_text.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* REST answers with the old names of types ("REST reference, Table"). */
const char *target_type_standard(const char *type)
{
    static const char *const names[][2] = {
        {"INTEGER", "INT64"},   {"FLOAT", "FLOAT64"},         {"BOOLEAN", "BOOL"},
        {"DECIMAL", "NUMERIC"}, {"BIGDECIMAL", "BIGNUMERIC"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(type, names[i][0]) == 0)
            return names[i][1];
    return type;
}

/* "ALTER TABLE column SET DATA TYPE statement". */
bool target_type_may_widen(const char *from, const char *to)
{
    static const char *const pairs[][2] = {
        {"INT64", "NUMERIC"},      {"INT64", "BIGNUMERIC"}, {"INT64", "FLOAT64"},
        {"NUMERIC", "BIGNUMERIC"}, {"NUMERIC", "FLOAT64"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (strcasecmp(from, pairs[i][0]) == 0 && strcasecmp(to, pairs[i][1]) == 0)
            return true;
    return false;
}

bool target_type_has_limits(const cJSON *field)
{
    return *json_text_of(field, "maxLength", "") != '\0' ||
           *json_text_of(field, "precision", "") != '\0';
}

bool target_type_is_other(const cJSON *live, struct target_type_other *out_other)
{
    static const struct target_type_other others[] = {
        {"VIEW", "a view", "view"},
        {"MATERIALIZED_VIEW", "a materialized view", "materialized view"},
        {"EXTERNAL", "an external table", "external table"},
        {"SNAPSHOT", "a snapshot of a table", "snapshot table"},
    };
    const char *type = json_text_of(live, "type", "TABLE");

    *out_other = (struct target_type_other){.type = type};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i].type, type) == 0)
            *out_other = others[i];
    return strcmp(type, "TABLE") != 0;
}
